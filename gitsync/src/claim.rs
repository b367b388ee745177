//! The lock of a ref or of the configuration, `NAME.lock` beside it, taken so that it can be told from everybody else's.
//!
//! A run that is killed leaves its locks behind, and git then refuses to touch these files until a person removes them.
//! To remove a lock by its age is a guess that may hit a git that is at work. So, as with the index, the lock is a second
//! name of a file of our own: as long as both names lead to one file the lock is provably ours, and since there is one
//! run at a time in a repository, its holder is dead. gix's own transactions cannot promise that; they also take
//! `packed-refs.lock`, which has no content that could be told apart.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use phase::Fault;

use crate::durable::{Durability, share};

/// The folder of our own names; it mirrors the folders of the files.
const FOLDER: &str = "lockstep-locks";

/// How long somebody else may hold a file.
const PATIENCE: Duration = Duration::from_millis(1000);

/// A file that nobody else can write. Dropping it gives it back as it was.
#[derive(Debug)]
pub struct Claim {
    target: PathBuf,
    lock: PathBuf,
    own: PathBuf,
}

/// Takes the lock of the file `name` below `base`.
///
/// # Errors
/// A fault with exit 1 where somebody else holds it; or it cannot be made, for want of permission or room.
pub fn take(base: &Path, name: &Path) -> anyhow::Result<Claim> {
    let lock = lock_of(&base.join(name));
    let claim = try_take(base, name).with_context(|| format!("cannot make {}", lock.display()))?;
    claim.ok_or_else(|| {
        Fault::failed(format!("another program holds {}", lock.display()))
            .help(format!(
                "let it finish; if no git is running here, it was left behind: rm '{}'",
                lock.display()
            ))
            .into()
    })
}

impl Claim {
    /// Writes the file with this content, in the place of what it was. It is on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written; the file is as it was then.
    pub fn commit(self, repo: &gix::Repository, content: &[u8]) -> io::Result<()> {
        let durability = Durability::of(repo);
        let mut file = OpenOptions::new().write(true).truncate(true).open(&self.own)?;
        file.write_all(content)?;
        match fs::metadata(&self.target) {
            Ok(before) if before.is_file() => fs::set_permissions(&self.own, before.permissions())?,
            Ok(_) | Err(_) => share(repo, &self.own)?,
        }
        durability.file(&file)?;
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

/// Takes the lock, if nobody else holds it for long.
fn try_take(base: &Path, name: &Path) -> io::Result<Option<Claim>> {
    let target = base.join(name);
    let own = base.join(FOLDER).join(name);
    for path in [&target, &own] {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
    }
    let claim = Claim { lock: lock_of(&target), target, own };
    // What a killed run left may still be a second name of the file itself: it is unlinked, and never written to.
    release(&claim.own, &claim.lock)?;
    File::create_new(&claim.own)?;
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn scene() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let base = folder.path().to_owned();
        fs::create_dir_all(base.join("refs/heads")).expect("a folder");
        fs::write(base.join("refs/heads/main"), "before\n").expect("a file");
        (folder, base)
    }

    #[test]
    fn nobody_else_gets_it_and_it_is_given_back_as_it_was() {
        let (_folder, base) = scene();
        let claim = take(&base, Path::new("refs/heads/main")).expect("nobody has it");
        assert!(base.join("refs/heads/main.lock").exists());
        drop(claim);
        assert!(!base.join("refs/heads/main.lock").exists());
        assert_eq!(fs::read_to_string(base.join("refs/heads/main")).expect("it is there"), "before\n");
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_somebody_else_made_is_not() {
        let (_folder, base) = scene();
        std::mem::forget(take(&base, Path::new("refs/heads/main")).expect("nobody has it"));
        fs::write(base.join("HEAD.lock"), "").expect("a file");
        clear(&base).expect("it can be cleared");
        assert!(!base.join("refs/heads/main.lock").exists());
        assert!(base.join("HEAD.lock").exists());
        let fault = take(&base, Path::new("HEAD")).map_err(Fault::from).expect_err("somebody has it");
        assert!(fault.message().contains("HEAD.lock"), "{fault}");
    }

    #[test]
    fn a_run_killed_between_the_rename_and_the_end_has_written_the_file_for_good() {
        let (_folder, base) = scene();
        let name = Path::new("refs/heads/main");
        let claim = take(&base, name).expect("nobody has it");
        fs::write(&claim.own, "after\n").expect("it can be written");
        fs::rename(&claim.lock, &claim.target).expect("it can be renamed");
        std::mem::forget(claim);
        drop(take(&base, name).expect("nobody has it"));
        assert_eq!(fs::read_to_string(base.join(name)).expect("it is there"), "after\n");
    }
}
