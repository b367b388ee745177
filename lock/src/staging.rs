//! Manages the directory beside the lock for work in progress.
//!
//! It holds files being written, locks being removed, and tickets of waiting processes. If files were written inside
//! the lock itself, each attempt on a full disk would look like a sign of life; if a lock were removed in place, a
//! process killed in between would leave half of one behind.

use std::{
    fs::{self, DirEntry, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    LockPaths, Token,
    platform::{self, Dir},
};

/// The prefix of files and locks that are being written.
const NEW: &str = "new-";

/// The prefix of locks that are being removed.
const GONE: &str = "gone-";

/// A file that is written but not yet in its place.
#[derive(Debug)]
pub struct Prepared {
    path: PathBuf,
    name: &'static str,
}

impl Prepared {
    /// Writes the file that is to be called `name`.
    ///
    /// # Errors
    /// If it cannot be written; nothing of it is left then.
    pub fn write(place: &LockPaths, name: &'static str, token: &Token, content: &str) -> io::Result<Self> {
        Self::write_beside(place, name, name, token, content)
    }

    /// Like [`Prepared::write`], but uses `beside` in the temporary name, since another file `name` is being prepared
    /// too.
    ///
    /// # Errors
    /// As [`Prepared::write`].
    pub fn write_beside(
        place: &LockPaths,
        beside: &str,
        name: &'static str,
        token: &Token,
        content: &str,
    ) -> io::Result<Self> {
        let path = name_for_new(&made(place)?, token, beside);
        let prepared = Self { path, name };
        write(place, &prepared.path, content)?;
        Ok(prepared)
    }

    /// Moves the file into `dir` atomically.
    ///
    /// # Errors
    /// If it cannot be moved; `dir` is unchanged then.
    pub fn put(self, dir: &Dir) -> io::Result<()> {
        dir.put(self.name, &self.path)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // It is in its place by now, or the file that it replaced is here; if that stays, the next taker removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// A lock directory that is filled but not yet in its place.
#[derive(Debug)]
pub struct PreparedLock {
    path: PathBuf,
    is_here: bool,
}

impl PreparedLock {
    /// Creates the directory with these files.
    ///
    /// # Errors
    /// If it cannot be created; nothing of it is left then.
    pub fn write(place: &LockPaths, token: &Token, files: &[(&str, &str)]) -> io::Result<Self> {
        let path = name_for_new(&made(place)?, token, "lock");
        fs::create_dir(&path)?;
        let prepared = Self { path, is_here: true };
        platform::share_directory(&prepared.path, place.common_dir());
        for (name, content) in files {
            write(place, &prepared.path.join(name), content)?;
        }
        Ok(prepared)
    }

    /// Moves the directory to the lock's path atomically.
    ///
    /// # Errors
    /// `AlreadyExists` if something is there; others if the file system cannot rename a directory without replacing
    /// another.
    pub fn put(mut self, place: &LockPaths) -> io::Result<()> {
        platform::put_where_free(&self.path, &place.lock())?;
        self.is_here = false;
        Ok(())
    }
}

impl Drop for PreparedLock {
    fn drop(&mut self) {
        if self.is_here {
            // If it stays, the next taker removes it.
            let _ = remove(&self.path);
        }
    }
}

/// Writes a file that every user of the repository may read, even under a strict umask.
fn write(place: &LockPaths, path: &Path, content: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    platform::share(&file, place.common_dir());
    file.write_all(content.as_bytes())
}

/// Returns an unused name in `wings` for what is being written.
pub fn name_for_new(wings: &Path, token: &Token, name: &str) -> PathBuf {
    wings.join(format!("{NEW}{token}-{}-{name}", std::process::id()))
}

/// Returns an unused name for a lock that is being removed.
pub fn name_for_gone(place: &LockPaths, token: &Token) -> io::Result<PathBuf> {
    Ok(made(place)?.join(format!("{GONE}{token}-{}", std::process::id())))
}

/// Removes a lock that has been renamed out of the way.
///
/// # Errors
/// If something of it is left; the next taker tries again.
pub fn remove(gone: &Path) -> io::Result<()> {
    match fs::remove_dir_all(gone) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what killed processes left here. To be called by the holder of the guard file: no other process writes
/// then.
pub fn sweep(place: &LockPaths) {
    for entry in entries(&place.wings()) {
        // What cannot be removed does no harm.
        let _ = match entry.file_name().to_str() {
            Some(name) if name.starts_with(NEW) && entry.file_type().is_ok_and(|kind| kind.is_dir()) => {
                remove(&entry.path())
            }
            Some(name) if name.starts_with(NEW) => fs::remove_file(entry.path()),
            Some(name) if name.starts_with(GONE) => remove(&entry.path()),
            _ => Ok(()),
        };
    }
}

/// Returns the entries of the directory. If it is a symbolic link, it has none: the link may lead to another
/// directory with files of such names.
pub fn entries(wings: &Path) -> impl Iterator<Item = DirEntry> {
    let are_there = fs::symlink_metadata(wings).is_ok_and(|found| found.is_dir());
    let entries = are_there.then(|| fs::read_dir(wings).ok()).flatten();
    entries.into_iter().flatten().flatten()
}

/// Returns the directory, creating it if it does not exist.
pub fn made(place: &LockPaths) -> io::Result<PathBuf> {
    let wings = place.wings();
    match fs::create_dir(&wings) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ if fs::symlink_metadata(&wings)?.is_dir() => {
            // Not only if it is new: the repository may have become a shared one since.
            platform::share_directory(&wings, place.common_dir());
            Ok(wings)
        }
        _ => Err(io::Error::other(format!("{} is not a directory", wings.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_what_the_killed_left_and_leaves_the_tickets() {
        let directory = tempfile::tempdir().unwrap();
        let place = LockPaths::new(directory.path());
        let wings = made(&place).unwrap();
        fs::write(wings.join("new-A-7-pid"), "7").unwrap();
        fs::create_dir(wings.join("new-A-7-lock")).unwrap();
        fs::write(wings.join("new-A-7-lock/pid"), "7").unwrap();
        fs::create_dir(wings.join("gone-B-7")).unwrap();
        fs::write(wings.join("gone-B-7/owner.json"), "{}").unwrap();
        fs::write(wings.join("ticket-0001-C"), "").unwrap();
        sweep(&place);
        let left: Vec<_> = fs::read_dir(wings).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["ticket-0001-C"]);
    }
}
