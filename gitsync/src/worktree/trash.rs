//! Removes replaced files in the background, while the run continues.
//!
//! Removing a file from the disk may have to wait until its space is freed; for a thousand files this can take as
//! long as the rest of the run, and nothing depends on it. So their directory is renamed to a name that nothing else
//! uses, and removed while the run continues. What is left when the process ends is removed by the next run while it
//! waits for the remote, and so is what a killed run left. No lock is needed: a directory with such a name contains
//! only files to be removed, whichever run created it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::clear::{clear, clear_until};

/// The prefix of the names of such directories, in the git directory of a worktree.
const NAME: &str = "lockstep-replaced-";

/// How long a process that has nothing else left to do waits for its own replaced files to be removed. Where removing
/// does not block, they are gone by then.
const PATIENCE: Duration = Duration::from_millis(20);

/// A directory that is being removed. Dropping it stops the removal if the files are of this run, and otherwise waits
/// for its end.
#[derive(Debug)]
pub struct Trash {
    /// Set when the files not yet removed are to stay.
    enough: Arc<AtomicBool>,
    /// Disconnected when the removal has ended.
    ended: Receiver<()>,
    whose: Whose,
}

/// Which run the files are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// This run, which may leave them to the next one.
    Ours,
    /// An earlier run; these files are not left a second time.
    OfAnEarlierRun,
}

impl Trash {
    /// Starts removing `folder`, which is in `git_dir`; `token` makes its new name unique. Returns `None` if it was
    /// removed at once.
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

    /// Starts removing what earlier runs have left in `git_dir`.
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
            // The next run tries again to remove what cannot be removed now.
            let _ = clear_until(&folder, &seen);
            drop(end);
        };
        // If no thread can be started, the next run removes it.
        threads::start("leavings", remove).ok()?;
        Some(Self { enough, ended, whose })
    }
}

impl Drop for Trash {
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
        let leavings = Trash::begin(git_dir.path(), &folder, "one").unwrap();
        assert!(!folder.exists());
        drop(leavings);
        drop(Trash::of_earlier_runs(git_dir.path()));
        assert!(names(git_dir.path()).is_empty());
    }

    #[test]
    fn what_a_run_before_has_left_is_removed_whole_and_nothing_else() {
        let git_dir = tempfile::tempdir().unwrap();
        fs::rename(folder(git_dir.path()), git_dir.path().join("lockstep-replaced-one")).unwrap();
        let update = folder(git_dir.path());
        drop(Trash::of_earlier_runs(git_dir.path()));
        assert_eq!(names(git_dir.path()), ["lockstep-update"]);
        assert_eq!(names(&update).len(), 200);
    }
}
