//! Removing the files that an update has replaced, beside whatever else is to be done.
//!
//! Whoever removes a file that is on the disk may have to wait until its room is given back: for a thousand files as
//! long as for all the rest of a run. Nobody needs that to have happened. So their folder gets a name under which
//! nobody looks for anything, and goes while the run goes on. What is left of it when the process ends is removed by
//! the next run, while that waits for the remote; the same holds for what a killed run leaves. No lock is needed for
//! it: under such a name there is nothing but what is to go, whoever put it there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::clear::{clear, clear_until};

/// How the names of such folders begin, in the git directory of a work tree.
const NAME: &str = "lockstep-replaced-";

/// How long a process that has nothing else to do any more waits for files that it has replaced itself. Where removing
/// them takes no waiting they are gone by then.
const PATIENCE: Duration = Duration::from_millis(20);

/// A folder that is being removed. Dropping it ends that.
#[derive(Debug)]
pub struct Leavings {
    /// Set where what is not removed yet is to stay.
    enough: Arc<AtomicBool>,
    /// Disconnected when nothing is being removed any more.
    ended: Receiver<()>,
    whose: Whose,
}

/// Whose files they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Those of this run, which may leave them to the next one.
    Ours,
    /// Those of a run before, which are not left twice.
    OfAnEarlierRun,
}

impl Leavings {
    /// Begins to remove `folder`, which lies in `git_dir`; `token` tells it from others. None where that was done at
    /// once.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn begin(git_dir: &Path, folder: &Path, token: &str) -> anyhow::Result<Option<Self>> {
        let renamed = git_dir.join(format!("{NAME}{token}"));
        if fs::rename(folder, &renamed).is_err() {
            clear(folder)?;
            return Ok(None);
        }
        Ok(Self::of(renamed, Whose::Ours))
    }

    /// Begins to remove what earlier runs have left in `git_dir`.
    pub fn of_earlier_runs(git_dir: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(git_dir) else { return Vec::new() };
        entries
            .flatten()
            .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(NAME.as_bytes()))
            .filter_map(|entry| Self::of(entry.path(), Whose::OfAnEarlierRun))
            .collect()
    }

    fn of(folder: PathBuf, whose: Whose) -> Option<Self> {
        let enough = Arc::new(AtomicBool::new(false));
        let (end, ended) = channel();
        let seen = enough.clone();
        let remove = move || {
            // What cannot be removed now is met again by the next run.
            let _ = clear_until(&folder, &seen);
            drop(end);
        };
        // Where no thread is to be had the next run has it.
        threads::start("leavings", remove).ok()?;
        Some(Self { enough, ended, whose })
    }
}

impl Drop for Leavings {
    fn drop(&mut self) {
        if self.whose == Whose::Ours {
            let _ = self.ended.recv_timeout(PATIENCE);
            self.enough.store(true, Ordering::Relaxed);
        }
        let _ = self.ended.recv();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(inside: &Path) -> PathBuf {
        let folder = inside.join("lockstep-update");
        fs::create_dir(&folder).unwrap();
        for number in 0..200 {
            fs::write(folder.join(format!("old-{number}")), "old").unwrap();
        }
        folder
    }

    fn names(folder: &Path) -> Vec<std::ffi::OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn what_was_replaced_goes_and_its_folder_is_nobodys_at_once() {
        let git_dir = tempfile::tempdir().unwrap();
        let folder = folder(git_dir.path());
        let leavings = Leavings::begin(git_dir.path(), &folder, "one").unwrap();
        assert!(!folder.exists());
        drop(leavings);
        drop(Leavings::of_earlier_runs(git_dir.path()));
        assert!(names(git_dir.path()).is_empty());
    }

    #[test]
    fn what_a_run_before_has_left_is_removed_whole_and_nothing_else() {
        let git_dir = tempfile::tempdir().unwrap();
        fs::rename(folder(git_dir.path()), git_dir.path().join("lockstep-replaced-one")).unwrap();
        let update = folder(git_dir.path());
        drop(Leavings::of_earlier_runs(git_dir.path()));
        assert_eq!(names(git_dir.path()), ["lockstep-update"]);
        assert_eq!(names(&update).len(), 200);
    }
}
