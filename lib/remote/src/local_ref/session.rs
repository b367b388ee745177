//! A folder of this process's own beside the refs: what tells a lock of a dead process from everybody else's.
//!
//! A process that is killed leaves its locks behind, and git then refuses to touch the refs until a person removes
//! them. To remove a lock by its age is a guess that may hit a git that is at work. So each process makes a folder of a
//! random name below `lockstep-locks`, with a file `alive` on which it holds a lock of the kernel's, which ends with it
//! whatever happens. Each `NAME.lock` that it makes is a second name of a file in there. Whoever gets the kernel's lock
//! on `alive` knows that its maker is dead, and which locks, each one file under two names, were its own.
//!
//! Where files have no locks of the kernel's, or the folder is another machine's, nothing is ever removed.

use std::{
    fs::{self, File, OpenOptions},
    hash::{BuildHasher as _, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{claim, machine};
use crate::permissions::make_folders;

/// Where the folders of all processes are.
const FOLDER: &str = "lockstep-locks";
/// The file that is locked by the kernel, and says which machine's kernel that is.
const ALIVE: &str = "alive";

/// The folder of this process, for the locks of files below `base`. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) base: PathBuf,
    pub(super) folder: PathBuf,
    /// Held open: the kernel's lock ends with it.
    _alive: File,
}

impl Session {
    /// Makes the folder, after what dead processes left has been removed.
    pub(super) fn begin(repo: &gix::Repository, base: &Path) -> io::Result<Self> {
        sweep(base);
        loop {
            let folder = base.join(FOLDER).join(token());
            let path = folder.join(ALIVE);
            let mut alive = match make_folders(repo, &folder).and_then(|()| File::create_new(&path)) {
                Ok(file) => file,
                // An empty folder looks like one that was left behind, and somebody has just swept.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            match alive.try_lock() {
                // Whoever swept may have had the lock first.
                Err(fs::TryLockError::WouldBlock) => continue,
                Ok(()) if !path.exists() => continue,
                Ok(()) | Err(fs::TryLockError::Error(_)) => {}
            }
            alive.write_all(machine::here().as_bytes())?;
            return Ok(Self { base: base.to_owned(), folder, _alive: alive });
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next process.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the locks below `base` that processes left which are dead. What cannot be removed is found held by whoever
/// wants it, and named then.
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
    // Between opening and locking its owner may have ended in peace.
    if alive.try_lock().is_err() || !path.exists() || !machine::is_ours(&fs::read_to_string(&path)?) {
        return Ok(());
    }
    release_all(base, folder, folder)?;
    fs::remove_dir_all(folder)
}

/// Gives back each lock whose own name is below `inside`, a part of `folder`.
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
