//! Gives each process a directory beside the refs, by which the locks of a dead process can be recognized.
//!
//! A process that is killed leaves its lock files behind, and git then refuses to update the refs until a person
//! removes them. Removing a lock because of its age is a guess, which may hit a git that is still running. So each
//! process creates a directory with a random name below `lockstep-locks`, with a file `alive` on which it holds a
//! kernel lock, which is released when the process ends, however that happens. Each `NAME.lock` that it creates is a
//! hard link to a file in that directory. A process that obtains the kernel lock on `alive` knows that the creator is
//! dead, and which locks were its own: those that are hard links to the files in the directory.
//!
//! Where the file system has no kernel locks, or the directory is another machine's, nothing is ever removed.

use std::{
    fs::{self, File, OpenOptions},
    hash::{BuildHasher as _, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{claim, machine};
use crate::permissions::make_folders;

/// Contains the directories of all processes.
const FOLDER: &str = "lockstep-locks";
/// The file on which the kernel lock is held; it identifies the machine of that kernel.
const ALIVE: &str = "alive";

/// The directory of this process, for the locks of files below `base`. Dropping it removes it.
#[derive(Debug)]
pub(super) struct LockOwner {
    pub(super) base: PathBuf,
    pub(super) folder: PathBuf,
    /// Held open, as the kernel lock ends when it is closed.
    _alive: File,
}

impl LockOwner {
    /// Creates the directory, after removing what dead processes left.
    pub(super) fn begin(repo: &gix::Repository, base: &Path) -> io::Result<Self> {
        sweep(base);
        loop {
            let folder = base.join(FOLDER).join(token());
            let path = folder.join(ALIVE);
            let mut alive = match make_folders(repo, &folder).and_then(|()| File::create_new(&path)) {
                Ok(file) => file,
                // An empty directory looks like a stale one, and another process has just removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            match alive.try_lock() {
                // A process that removes stale directories may have obtained the lock first.
                Err(fs::TryLockError::WouldBlock) => continue,
                Ok(()) if !path.exists() => continue,
                Ok(()) | Err(fs::TryLockError::Error(_)) => {}
            }
            alive.write_all(machine::here().as_bytes())?;
            return Ok(Self { base: base.to_owned(), folder, _alive: alive });
        }
    }
}

impl Drop for LockOwner {
    fn drop(&mut self) {
        // A directory that cannot be removed now is removed by the next process.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the locks below `base` that dead processes left. A lock that cannot be removed is reported as held to
/// whoever needs it.
pub(super) fn sweep(base: &Path) {
    let Ok(folders) = fs::read_dir(base.join(FOLDER)) else { return };
    for folder in folders.flatten() {
        let _ = sweep_one(base, &folder.path());
    }
}

fn sweep_one(base: &Path, folder: &Path) -> io::Result<()> {
    let path = folder.join(ALIVE);
    let alive = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(alive) => alive,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return claim::remove_empty_folders(folder),
        Err(error) => return Err(error),
    };
    // Its owner may have ended normally between the opening and the locking.
    if alive.try_lock().is_err() || !path.exists() || !machine::is_ours(&fs::read_to_string(&path)?) {
        return Ok(());
    }
    release_all(base, folder, folder)?;
    fs::remove_dir_all(folder)
}

/// Releases each lock whose own link is in the directory `inside`, which is `folder` or is below it.
fn release_all(base: &Path, folder: &Path, inside: &Path) -> io::Result<()> {
    for entry in fs::read_dir(inside)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            release_all(base, folder, &entry.path())?;
        } else if let Ok(name) = entry.path().strip_prefix(folder)
            && name != Path::new(ALIVE)
        {
            claim::release(&entry.path(), &claim::lock_of(&base.join(name)))?;
        }
    }
    Ok(())
}

fn token() -> String {
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{random:016x}")
}
