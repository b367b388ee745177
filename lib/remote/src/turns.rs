//! Runs of one user on one machine that push to the same remote take turns.
//!
//! Of several that list, replay and push at once, one wins and the others have done it for nothing, again and again. To
//! wait for one's turn costs less than to lose. It is a courtesy and never a condition: the push names the value that
//! it expects all the same, other machines know nothing of turns, and whoever waits too long goes ahead without.

use std::env;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::{Direction, Remote};

/// For how long somebody else's push is waited for. A longer one is of so much data that the wait may not be worth it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often whoever waits says that they are alive.
const NAP: Duration = Duration::from_secs(1);

/// The right to go ahead; it ends when this is dropped, or the process dies.
#[derive(Debug)]
pub struct Turn {
    /// Locked by the kernel for this process; none where turns cannot be taken.
    file: Option<File>,
}

impl Remote<'_> {
    /// Waits for the turn to push to this remote, calling `alive` meanwhile.
    pub fn turn(&self, alive: &dyn Fn()) -> Turn {
        Turn { file: self.place_of_turns().and_then(|path| take(path, alive)) }
    }

    /// The file that stands for this remote. Whoever reads its name learns nothing of the URL, which may hold a
    /// password.
    fn place_of_turns(&self) -> Option<PathBuf> {
        let url = self.inner.url(Direction::Push.into())?.to_bstring();
        let name = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, &url).ok()?;
        let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
        let cache = env::var_os("XDG_CACHE_HOME").and_then(|path| absolute(path.into()));
        let cache = cache.or_else(|| absolute(gix::path::env::home_dir()?.join(".cache")))?;
        Some(cache.join("lockstep").join("turns").join(name.to_string()))
    }
}

impl Turn {
    /// Whether somebody has pushed in their turn after `since`: then what was known of the remote is old.
    pub fn came_after_a_push(&self, since: SystemTime) -> bool {
        let Some(file) = &self.file else { return false };
        let Ok(meta) = file.metadata() else { return false };
        meta.len() > 0 && meta.modified().is_ok_and(|modified| modified >= since)
    }

    /// Ends it after a push, so that whoever is next looks at the remote again.
    pub fn end_with_a_push(self) {
        if let Some(file) = self.file {
            // Should it fail, the next one's push is turned down.
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
    // It waits in a thread of its own. When it is not waited for any more, the turn that it gets ends at once.
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

    fn turn(path: &std::path::Path) -> Turn {
        Turn { file: take(path.to_owned(), &|| ()) }
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
