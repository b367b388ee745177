//! Locks the guard file: only the process that has its kernel lock examines, takes, renews or releases the lock.
//!
//! Without it, two takers that both find a stale lock would clear it one after the other, and the second would clear
//! the lock that the first has just taken. The kernel releases a dead process's file locks, so this lock is never
//! stale.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
    time::{Duration, Instant},
};

use crate::{LockPaths, platform};

/// Exclusive access to the guard file, until it is dropped.
#[derive(Debug)]
pub enum Guarded {
    /// The kernel's lock on the guard file, which is released when the file is closed.
    Locked {
        #[expect(dead_code, reason = "it is kept open, not used")]
        file: File,
    },
    /// The file system has no kernel locks, so no process is excluded. Taking a free lock is still safe, as only one
    /// process can create a directory; clearing a stale one is not.
    Unavailable,
}

impl Guarded {
    /// Waits until no other process has the guard file, but not beyond `deadline`; `None` if that was reached.
    ///
    /// It is held for a fraction of a millisecond at a time, unless its holder is stopped meanwhile.
    ///
    /// # Errors
    /// If the file can be neither created nor opened.
    pub fn enter(place: &LockPaths, deadline: Instant) -> io::Result<Option<Self>> {
        let file = open(&place.guard())?;
        platform::share(&file, place.common_dir());
        let mut pause = Duration::from_micros(100);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self::Locked { file })),
                Err(TryLockError::Error(error)) if platform::lacks_kernel_locks(&error) => {
                    return Ok(Some(Self::Unavailable));
                }
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_millis(5));
        }
    }

    /// Whether no other process can be here at the same time.
    pub fn excludes_others(&self) -> bool {
        match self {
            Self::Locked { .. } => true,
            Self::Unavailable => false,
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if std::fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::other(format!("{} is not a file", path.display())));
    }
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    match opened {
        // Another user created it: to lock it, reading is enough.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path)
            .map_err(|second| if second.kind() == io::ErrorKind::NotFound { error } else { second }),
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_at_a_time_is_in() {
        let directory = tempfile::tempdir().unwrap();
        let place = LockPaths::new(directory.path());
        let first = Guarded::enter(&place, Instant::now()).unwrap().expect("nobody else is there");
        assert!(first.excludes_others());
        assert!(Guarded::enter(&place, Instant::now()).unwrap().is_none());
        drop(first);
        assert!(Guarded::enter(&place, Instant::now()).unwrap().is_some());
        assert!(place.guard().exists(), "it is never deleted");
    }

    #[test]
    fn a_guard_that_is_no_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let place = LockPaths::new(directory.path());
        std::fs::create_dir(place.guard()).unwrap();
        assert!(Guarded::enter(&place, Instant::now()).is_err());
    }
}
