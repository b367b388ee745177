//! Makes runs of one user on one machine that push to the same remote take turns.
//!
//! When several runs list, replay and push at once, one wins and the others have worked in vain, again and again.
//! Waiting for one's turn costs less than losing. It is an optimization and never a condition: the push is a
//! compare-and-swap all the same, other machines know nothing of turns, and a run that has waited too long goes ahead
//! without one.

use std::env;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::{Direction, Remote};

/// How long to wait for another run's push. A longer one transfers so much data that waiting may not be worthwhile.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a waiting run reports that it is alive.
const NAP: Duration = Duration::from_secs(1);

/// The right to go ahead; it ends when this is dropped, or the process dies.
#[derive(Debug)]
pub struct PushTurn {
    /// The file that the kernel has locked for this process; `None` if turns cannot be taken.
    file: Option<File>,
}

impl Remote<'_> {
    /// Waits for the turn to push to this remote, calling `alive` meanwhile.
    pub fn turn(&self, alive: &dyn Fn()) -> PushTurn {
        PushTurn { file: self.place_of_turns().and_then(|path| take(path, alive)) }
    }

    /// Returns the lock file for this remote. Its name reveals nothing of the URL, which may contain a password.
    fn place_of_turns(&self) -> Option<PathBuf> {
        let url = self.inner.url(Direction::Push.into())?.to_bstring();
        let name = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, &url).ok()?;
        let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
        let cache = env::var_os("XDG_CACHE_HOME").and_then(|path| absolute(path.into()));
        let cache = cache.or_else(|| absolute(gix::path::env::home_dir()?.join(".cache")))?;
        Some(cache.join("lockstep").join("turns").join(name.to_string()))
    }
}

impl PushTurn {
    /// Whether another run has pushed in its turn after `since`: what was known of the remote is outdated then.
    pub fn came_after_a_push(&self, since: SystemTime) -> bool {
        let Some(file) = &self.file else { return false };
        let Ok(meta) = file.metadata() else { return false };
        meta.len() > 0 && meta.modified().is_ok_and(|modified| modified >= since)
    }

    /// Ends the turn after a push, so that the next run lists the remote's refs again.
    pub fn end_with_a_push(self) {
        if let Some(file) = self.file {
            // If this fails, the next run's push is refused as stale.
            let _ = file.set_len(1).and_then(|()| file.set_modified(SystemTime::now()));
        }
    }
}

fn take(path: PathBuf, alive: &dyn Fn()) -> Option<File> {
    fs::create_dir_all(path.parent()?).ok()?;
    let file = File::options().create(true).truncate(false).write(true).open(path).ok()?;
    if file.try_lock().is_ok() {
        return Some(file);
    }
    let (send, taken) = channel();
    // A separate thread waits for the lock. If the wait is given up, it releases the lock as soon as it gets it.
    thread::spawn(move || {
        if file.lock().is_ok() {
            let _ = send.send(file);
        }
    });
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match taken.recv_timeout(NAP) {
            Ok(file) => return Some(file),
            Err(RecvTimeoutError::Timeout) => alive(),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(path: &std::path::Path) -> PushTurn {
        PushTurn { file: take(path.to_owned(), &|| ()) }
    }

    #[test]
    fn whoever_comes_later_waits_and_is_told_of_a_push() {
        let folder = testkit::World::new();
        let path = folder.path().join("turns/remote").into_std_path_buf();
        let first = turn(&path);
        let asked = SystemTime::now();
        assert!(!first.came_after_a_push(SystemTime::UNIX_EPOCH), "nobody has pushed yet");
        let later = {
            let path = path.clone();
            thread::spawn(move || turn(&path))
        };
        assert!(!later.is_finished(), "the first has not ended");
        first.end_with_a_push();
        let later = later.join().unwrap();
        assert!(later.came_after_a_push(asked));
        assert!(!later.came_after_a_push(SystemTime::now() + NAP));
    }

    #[test]
    fn a_turn_that_ends_without_a_push_tells_of_none() {
        let folder = testkit::World::new();
        let path = folder.path().join("turns/remote").into_std_path_buf();
        drop(turn(&path));
        assert!(!turn(&path).came_after_a_push(SystemTime::UNIX_EPOCH));
    }
}
