//! The lock of a ref, `NAME.lock` beside it, taken so that it can be told from everybody else's.
//!
//! A run that is killed leaves its locks behind, and git then refuses to touch these refs until a person removes them. To
//! remove a lock by its age is a guess that may hit a git that is at work. So, as with the index, the lock is a second
//! name of a file of our own: as long as both names lead to one file the lock is provably ours, and since there is one
//! run at a time in a repository, its holder is dead. gix's own transactions cannot promise that; they also take
//! `packed-refs.lock`, which has no content that could be told apart.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::durable::{Durability, share};

/// The folder of our own names; it mirrors the folders of the refs.
const FOLDER: &str = "lockstep-refs";

/// How long somebody else may hold a ref.
const PATIENCE: Duration = Duration::from_millis(1000);

/// A ref that nobody else can write. Dropping it gives it back as it was.
#[derive(Debug)]
pub struct Claim {
    target: PathBuf,
    lock: PathBuf,
    own: PathBuf,
}

/// Takes the lock of the ref `name` below `base`, with `content` to become the ref's. `None`: somebody else holds it.
///
/// # Errors
/// The lock cannot be made, for want of permission or room.
pub fn claim(repo: &gix::Repository, base: &Path, name: &Path, content: &[u8]) -> io::Result<Option<Claim>> {
    let target = base.join(name);
    let own = base.join(FOLDER).join(name);
    for path in [&target, &own] {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
    }
    let mut file = File::create(&own)?;
    file.write_all(content)?;
    share(repo, &own)?;
    Durability::of(repo).file(&file)?;
    let claim = Claim { lock: lock_of(&target), target, own };
    let until = Instant::now() + PATIENCE;
    loop {
        match fs::hard_link(&claim.own, &claim.lock) {
            Ok(()) => return Ok(Some(claim)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Claim {
    /// Makes the content the ref's. It is on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written; the ref is as it was then.
    pub fn commit(self, durability: Durability) -> io::Result<()> {
        match fs::rename(&self.lock, &self.target) {
            // Folders of refs that are gone are in the way.
            Err(error) if self.target.is_dir() => {
                remove_empty_folders(&self.target).map_err(|_| error)?;
                fs::rename(&self.lock, &self.target)?;
            }
            result => result?,
        }
        self.target.parent().map_or(Ok(()), |folder| durability.folder(folder))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        let _ = release(&self.own, &self.lock);
    }
}

/// Removes the locks that a killed run left below `base`.
///
/// # Errors
/// One cannot be removed.
pub fn clear(base: &Path) -> io::Result<()> {
    let root = base.join(FOLDER);
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if let Ok(name) = entry.path().strip_prefix(&root) {
                release(&entry.path(), &lock_of(&base.join(name)))?;
            }
        }
    }
    Ok(())
}

/// Removes our own name, and before that the lock, where both are one file.
fn release(own: &Path, lock: &Path) -> io::Result<()> {
    if is_one_file(own, lock) {
        fs::remove_file(lock)?;
    }
    match fs::remove_file(own) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn lock_of(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

#[cfg(unix)]
fn is_one_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (fs::symlink_metadata(one), fs::symlink_metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// Without a number of the file, its time of birth and its content have to do.
#[cfg(not(unix))]
fn is_one_file(one: &Path, other: &Path) -> bool {
    match (fs::symlink_metadata(one), fs::symlink_metadata(other)) {
        (Ok(one_is), Ok(other_is)) => {
            one_is.created().ok() == other_is.created().ok()
                && one_is.modified().ok() == other_is.modified().ok()
                && fs::read(one).ok() == fs::read(other).ok()
        }
        _ => false,
    }
}

fn remove_empty_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        remove_empty_folders(&entry?.path())?;
    }
    fs::remove_dir(folder)
}
