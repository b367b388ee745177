//! Runs a scan in advance, while the run waits for other processes.
//!
//! A run's steps are started all at once, and each waits for the ones before it. What the scan of the longest step
//! finds in advance is as true as what it would find a moment later, if four conditions hold: it began when the run
//! had its lock, so that no other process was at work whose changes it had to see; the index is still the very file
//! that was read, so that no sync and no git command has run meanwhile; each difference that was seen still exists;
//! and no more time has passed than a scan itself may take. Until its result is asked for, the scan yields the
//! processors to other processes: to the steps that it waits for. An unchanged file may have been changed since, as
//! after any scan: the next scan finds it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use gix::index::{entry::Stat, fs::Metadata};

use crate::index::Index;
use crate::walk::{Scanned, scan_before};
use crate::{Difference, Interest, Status};

/// How long ago a scan may have begun for its result to count.
const FRESH: Duration = Duration::from_secs(2);
/// How much older than the scan a file has to be, so that any change to it shows in its times: more than the clock
/// tick of any system, or where times have no fractions of seconds, more than the resolution of file systems.
const TICK: Duration = Duration::from_millis(100);
const COARSE: Duration = Duration::from_secs(3);

/// The interval, at first and at most, between checks whether a scan may begin.
const PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// A scan in progress. Dropping it lets it run on its own.
#[derive(Debug)]
pub struct Ahead {
    path: PathBuf,
    asked: Arc<AtomicBool>,
    scanning: Receiver<anyhow::Result<Option<Found>>>,
}

/// The result of a scan, and when it began.
#[derive(Debug)]
struct Found {
    began: Instant,
    stamp: Stamp,
    index: Index,
    scanned: Scanned,
}

impl Ahead {
    /// Begins to look for all that is of `interest` as soon as it `may`, on separate threads; `None` if there is no
    /// working tree, or no thread can be started.
    pub fn begin(
        repo: &gix::Repository,
        interest: impl Interest + Send + 'static,
        may: impl Fn() -> bool + Send + 'static,
    ) -> Option<Self> {
        repo.workdir()?;
        let path = repo.index_path();
        let asked = Arc::new(AtomicBool::new(false));
        let (repo, its_path, its_asked) = (repo.clone(), path.clone(), asked.clone());
        let look = move || {
            if !wait(&may, &its_asked) {
                return Ok(None);
            }
            let began = Instant::now();
            let stamp = Stamp::of(&its_path)?;
            // Otherwise it could not be determined later whether the index is the same.
            if !stamp.is_before(SystemTime::now()) {
                return Ok(None);
            }
            let index = Index::read(&repo, &its_path)?;
            let scanned = scan_before(&repo, &index, &interest, &|_| (), Some(&its_asked))?;
            Ok(Some(Found { began, stamp, index, scanned }))
        };
        // The channel delivers the result before the thread has exited, which takes a while.
        let (found, scanning) = mpsc::sync_channel(1);
        let scan = move || {
            // An error means that the result is not wanted any more.
            let _ = found.send(look());
        };
        thread::Builder::new().spawn(scan).ok()?;
        Some(Self { path, asked, scanning })
    }

    /// Waits for the scan, and returns the index and the scan's result, if all of it still holds.
    ///
    /// `repo` is the repository with which the scan was begun.
    pub fn end(self, repo: &gix::Repository) -> Option<(Index, Scanned)> {
        let root = repo.workdir()?;
        self.asked.store(true, Ordering::Relaxed);
        // Errors are reported by the scan that the caller then makes.
        let Found { began, stamp, index, scanned } = self.scanning.recv().ok()?.ok()??;
        let is_the_same = Stamp::of(&self.path).is_ok_and(|now| now == stamp);
        let holds = began.elapsed() < FRESH
            && is_the_same
            && scanned.differences.iter().all(|difference| is_still_there(root, difference));
        holds.then_some((index, scanned))
    }
}

/// Waits until a scan `may` begin. Returns false if its result was `asked` for before that: the caller scans by
/// itself then.
fn wait(may: &dyn Fn() -> bool, asked: &AtomicBool) -> bool {
    let mut pause = PAUSE;
    while !may() {
        if asked.load(Ordering::Relaxed) {
            return false;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    true
}

/// Whether what was seen at a path is still there.
fn is_still_there(root: &Path, difference: &Difference) -> bool {
    let Ok(path) = gix::path::from_bstr(&difference.path) else { return false };
    let now = Metadata::from_path_no_follow(&root.join(path));
    match difference.seen {
        Status::Untracked => now.is_ok_and(|meta| !meta.is_dir()),
        Status::Deleted => now.is_err_and(|error| {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        }),
        Status::MaybeModified(doubt) => {
            now.is_ok_and(|meta| Stat::from_fs(&meta).is_ok_and(|stat| stat == doubt.stat))
        }
        Status::EmbeddedRepository | Status::Unmerged => false,
    }
}

/// What distinguishes a file from any that replaces it.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    changed: Duration,
    modified: Option<SystemTime>,
    file: [u64; 2],
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let meta = fs::symlink_metadata(path)?;
        let (changed, file) = identity(&meta)?;
        Ok(Self { size: meta.len(), changed, modified: meta.modified().ok(), file })
    }

    /// Whether a change at `moment` or later would be visible.
    fn is_before(&self, moment: SystemTime) -> bool {
        let distance = if self.changed.subsec_nanos() == 0 { COARSE } else { TICK };
        SystemTime::UNIX_EPOCH + self.changed + distance < moment
    }
}

/// Returns when anything about a file changed last, since 1970, and its device and inode number.
#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> io::Result<(Duration, [u64; 2])> {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = u64::try_from(meta.ctime()).map_err(io::Error::other)?;
    let nanos = u32::try_from(meta.ctime_nsec()).map_err(io::Error::other)?;
    Ok((Duration::new(seconds, nanos), [meta.dev(), meta.ino()]))
}

/// Without an inode number, the time of creation is used.
#[cfg(not(unix))]
fn identity(meta: &fs::Metadata) -> io::Result<(Duration, [u64; 2])> {
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other);
    let born = since(meta.created()?)?;
    Ok((since(meta.modified()?)?, [born.as_secs(), born.subsec_nanos().into()]))
}
