//! The directory beside the lock for what is under way: files being written, locks being removed, tickets of those who
//! wait.
//!
//! Were files written inside the lock itself, each attempt on a full disk would look like a sign of life; were a lock
//! removed where it stands, a process killed in the middle would leave half of one behind.

use std::{
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
};

use crate::{
    Place, Token,
    platform::{self, Dir},
};

/// How the names of files and locks begin that are being written.
const NEW: &str = "new-";

/// How the names of locks begin that are being removed.
const GONE: &str = "gone-";

/// A file that is written, and not yet in its place.
#[derive(Debug)]
pub struct Prepared {
    path: PathBuf,
    name: &'static str,
}

impl Prepared {
    /// Writes the file that is to be called `name`.
    ///
    /// # Errors
    /// Where it cannot be written; nothing stays of it then.
    pub fn write(place: &Place, name: &'static str, token: &Token, content: &str) -> io::Result<Self> {
        Self::write_beside(place, name, name, token, content)
    }

    /// The same, where another one of that name is under way: here it is called `beside`.
    ///
    /// # Errors
    /// As [`Prepared::write`].
    pub fn write_beside(
        place: &Place,
        beside: &str,
        name: &'static str,
        token: &Token,
        content: &str,
    ) -> io::Result<Self> {
        let path = name_for_new(&made(place)?, token, beside);
        let prepared = Self { path, name };
        fs::write(&prepared.path, content)?;
        Ok(prepared)
    }

    /// Puts it into `dir`, all at once.
    ///
    /// # Errors
    /// Where it cannot be put there; `dir` is as it was then.
    pub fn put(self, dir: &Dir) -> io::Result<()> {
        dir.put(self.name, &self.path)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // It is in its place by now, or what it replaced is here; should it stay, the next taker sweeps it away.
        let _ = fs::remove_file(&self.path);
    }
}

/// A lock that is filled, and not yet in its place.
#[derive(Debug)]
pub struct PreparedLock {
    path: PathBuf,
    is_here: bool,
}

impl PreparedLock {
    /// Makes the directory with these files.
    ///
    /// # Errors
    /// Where it cannot be made; nothing stays of it then.
    pub fn write(place: &Place, token: &Token, files: &[(&str, &str)]) -> io::Result<Self> {
        let path = name_for_new(&made(place)?, token, "lock");
        fs::create_dir(&path)?;
        let prepared = Self { path, is_here: true };
        for (name, content) in files {
            fs::write(prepared.path.join(name), content)?;
        }
        Ok(prepared)
    }

    /// Puts it into its place, all at once.
    ///
    /// # Errors
    /// `AlreadyExists` where there is something; others where the file system cannot put a directory only where there is
    /// nothing.
    pub fn put(mut self, place: &Place) -> io::Result<()> {
        platform::put_where_free(&self.path, &place.lock())?;
        self.is_here = false;
        Ok(())
    }
}

impl Drop for PreparedLock {
    fn drop(&mut self) {
        if self.is_here {
            // Should it stay, the next taker sweeps it away.
            let _ = remove(&self.path);
        }
    }
}

/// A free name in `wings` for what is being written.
pub fn name_for_new(wings: &Path, token: &Token, name: &str) -> PathBuf {
    wings.join(format!("{NEW}{token}-{}-{name}", std::process::id()))
}

/// A free name for a lock that is being removed.
pub fn name_for_gone(place: &Place, token: &Token) -> io::Result<PathBuf> {
    Ok(made(place)?.join(format!("{GONE}{token}-{}", std::process::id())))
}

/// Removes a lock that has been set aside.
///
/// # Errors
/// Where something of it stays; the next taker tries again.
pub fn remove(gone: &Path) -> io::Result<()> {
    match fs::remove_dir_all(gone) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what killed processes left in the wings. To be called by who has the guard file: nobody else writes then.
pub fn sweep(place: &Place) {
    for entry in entries(&place.wings()) {
        // What cannot be removed is in nobody's way.
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

/// What is in the wings. A link is none: it may lead to somebody else's folder, with files of such names in it.
pub fn entries(wings: &Path) -> impl Iterator<Item = DirEntry> {
    let are_there = fs::symlink_metadata(wings).is_ok_and(|found| found.is_dir());
    let entries = are_there.then(|| fs::read_dir(wings).ok()).flatten();
    entries.into_iter().flatten().flatten()
}

/// The wings, made where they are missing.
pub fn made(place: &Place) -> io::Result<PathBuf> {
    let wings = place.wings();
    match fs::create_dir(&wings) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ if fs::symlink_metadata(&wings)?.is_dir() => Ok(wings),
        _ => Err(io::Error::other(format!("{} is not a directory", wings.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_what_the_killed_left_and_leaves_the_tickets() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path());
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
