//! A scan that is made before anybody asks for it, while somebody else is waited for.
//!
//! A run's steps begin all at once, and each waits for the ones before. What the scan of the longest of them finds is
//! as true then as what it would find a moment later, if four things hold: it began when the run had its lock, so that
//! nobody was at work whose work was to be seen; the index is still the very file that was read, so that no sync and no
//! git has worked meanwhile; each difference that was seen is still there; and no more time has passed than a scan
//! itself may take. Until it is asked for it gives way to whoever wants the processors: the steps that it waits for. What
//! was the same may have been changed since, as it may be after any scan: the next one finds it.

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
use crate::{Difference, Interest, Seen};

/// How old the begin of a scan may be for its result to count.
const FRESH: Duration = Duration::from_secs(2);
/// By how much a file has to be older than the scan, so that any change to it shows in its times: more than the clock
/// of any system takes between two ticks, or where it keeps no fractions of seconds, than file systems keep.
const TICK: Duration = Duration::from_millis(100);
const COARSE: Duration = Duration::from_secs(3);

/// How long it takes, at first and at most, from one question whether a scan may begin to the next.
const PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// A scan under way. Dropping it leaves it to itself.
#[derive(Debug)]
pub struct Ahead {
    path: PathBuf,
    asked: Arc<AtomicBool>,
    scanning: Receiver<anyhow::Result<Option<Found>>>,
}

/// What a scan found, and when.
#[derive(Debug)]
struct Found {
    began: Instant,
    stamp: Stamp,
    index: Index,
    scanned: Scanned,
}

impl Ahead {
    /// Begins to look for all that is of `interest` as soon as it `may`, on threads of its own; `None` where there is no
    /// work tree.
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
            // It could not be told afterwards whether the index is still the same.
            if !stamp.is_before(SystemTime::now()) {
                return Ok(None);
            }
            let index = Index::read(&repo, &its_path)?;
            let scanned = scan_before(&repo, &index, &interest, &|_| (), Some(&its_asked))?;
            Ok(Some(Found { began, stamp, index, scanned }))
        };
        // What it found is there before the thread is gone, which takes a while.
        let (found, scanning) = mpsc::sync_channel(1);
        let scan = move || {
            // Where nobody waits for it any more, nobody misses it.
            let _ = found.send(look());
        };
        thread::Builder::new().spawn(scan).ok()?;
        Some(Self { path, asked, scanning })
    }

    /// The index, and what the scan found, if all of it still holds. It is waited for.
    ///
    /// `repo` is the repository that it was begun with.
    pub fn end(self, repo: &gix::Repository) -> Option<(Index, Scanned)> {
        let root = repo.workdir()?;
        self.asked.store(true, Ordering::Relaxed);
        // What went wrong is told by whoever has to look again.
        let Found { began, stamp, index, scanned } = self.scanning.recv().ok()?.ok()??;
        let is_the_same = Stamp::of(&self.path).is_ok_and(|now| now == stamp);
        let holds = began.elapsed() < FRESH
            && is_the_same
            && scanned.differences.iter().all(|difference| is_still_there(root, difference));
        holds.then_some((index, scanned))
    }
}

/// Waits until a scan `may` begin. Not where it was `asked` for before: whoever asks looks by themselves.
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

/// Whether what was seen of a path can be seen there now.
fn is_still_there(root: &Path, difference: &Difference) -> bool {
    let Ok(path) = gix::path::from_bstr(&difference.path) else { return false };
    let now = Metadata::from_path_no_follow(&root.join(path));
    match difference.seen {
        Seen::New => now.is_ok_and(|meta| !meta.is_dir()),
        Seen::Gone => now.is_err_and(|error| {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        }),
        Seen::Doubtful(doubt) => {
            now.is_ok_and(|meta| Stat::from_fs(&meta).is_ok_and(|stat| stat == doubt.stat))
        }
        Seen::NewRepository | Seen::Unmerged => false,
    }
}

/// What tells a file from any that takes its place.
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

    /// Whether a change from `moment` on would be seen.
    fn is_before(&self, moment: SystemTime) -> bool {
        let distance = if self.changed.subsec_nanos() == 0 { COARSE } else { TICK };
        SystemTime::UNIX_EPOCH + self.changed + distance < moment
    }
}

/// When anything about a file changed last, since 1970, and its number.
#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> io::Result<(Duration, [u64; 2])> {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = u64::try_from(meta.ctime()).map_err(io::Error::other)?;
    let nanos = u32::try_from(meta.ctime_nsec()).map_err(io::Error::other)?;
    Ok((Duration::new(seconds, nanos), [meta.dev(), meta.ino()]))
}

/// Without a number of the file, the time of its birth has to do.
#[cfg(not(unix))]
fn identity(meta: &fs::Metadata) -> io::Result<(Duration, [u64; 2])> {
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other);
    let born = since(meta.created()?)?;
    Ok((since(meta.modified()?)?, [born.as_secs(), born.subsec_nanos().into()]))
}
