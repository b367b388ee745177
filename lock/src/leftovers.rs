//! Removes the files that a killed owner left behind, but only those that are provably its own.
//!
//! A file with a fixed name, such as git's `index.lock`, stays when its maker is killed, and makes everything after
//! it fail. That the lock was reclaimed does not prove whose the file is: a user's own git may have made it since. So
//! a process that makes such a file records its identity in the lock, and a file is removed only if it has that very
//! identity and its maker is dead.

use std::{
    fs::{self, Metadata},
    io,
    time::{SystemTime, UNIX_EPOCH},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{Life, LockPaths, Process, Token, look, platform::Dir, staging::Prepared};

/// The name of the file in the lock that lists them.
const LEFTOVERS_FILE: &str = "leftovers.json";

/// A file that is to be removed if its maker is killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    path: Utf8PathBuf,
    identity: Identity,
    maker: Process,
}

/// What tells a file from a later one at the same path. The inode number alone does not: file systems reuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    device: u64,
    file: u64,
    born_ns: u64,
}

impl Leftover {
    /// Returns the file that is now at `path`, made by `maker`; `None` if the file system does not identify files
    /// well enough to prove later that it is the same.
    ///
    /// # Errors
    /// If its metadata cannot be read.
    pub fn of(path: &Utf8Path, maker: &Process) -> io::Result<Option<Self>> {
        let identity = Identity::of(&fs::symlink_metadata(path)?);
        Ok(identity.map(|identity| Self { path: path.to_owned(), identity, maker: maker.clone() }))
    }

    /// Removes the file if it is provably this one and its maker is dead. Returns whether nothing is left to do.
    fn clean(&self) -> bool {
        match self.maker.life() {
            Life::Dead => {}
            Life::Alive | Life::Unknown => return false,
        }
        match fs::symlink_metadata(&self.path) {
            Ok(metadata) if Identity::of(&metadata) == Some(self.identity) => {
                fs::remove_file(&self.path).is_ok()
            }
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

impl Identity {
    fn of(metadata: &Metadata) -> Option<Self> {
        let (device, file) = number(metadata);
        Some(Self { device, file, born_ns: since_1970(metadata.created().ok()?)? })
    }
}

fn since_1970(time: SystemTime) -> Option<u64> {
    u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

/// Returns no number: on Windows, files are told apart by their creation time, in steps of 100 ns.
#[cfg(not(unix))]
fn number(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// Records one more file in the lock. To be called by the holder of the guard file, after checking that the lock is
/// its own.
///
/// # Errors
/// If it cannot be written.
pub fn note(place: &LockPaths, dir: &Dir, token: &Token, leftover: Leftover) -> io::Result<()> {
    let mut list = read(dir);
    list.retain(|noted| noted.path != leftover.path);
    list.push(leftover);
    write(place, dir, token, &list)
}

/// Removes the record of a file that its maker has finished with. To be called by the holder of the guard file.
///
/// # Errors
/// If it cannot be written.
pub fn forget(place: &LockPaths, dir: &Dir, token: &Token, path: &Utf8Path) -> io::Result<()> {
    let mut list = read(dir);
    let before = list.len();
    list.retain(|noted| noted.path != path);
    if list.len() == before { Ok(()) } else { write(place, dir, token, &list) }
}

/// Removes the files that dead makers left behind, and keeps the other records: a maker that was merely overtaken may
/// still be working on its file.
pub fn clean(place: &LockPaths, dir: &Dir, token: &Token) {
    let list = read(dir);
    let left: Vec<_> = list.iter().filter(|leftover| !leftover.clean()).cloned().collect();
    if left.len() != list.len() {
        // If the shorter list cannot be written, the next owner finds the files gone.
        let _ = write(place, dir, token, &left);
    }
}

fn read(dir: &Dir) -> Vec<Leftover> {
    let json = look::read(dir, LEFTOVERS_FILE).ok().flatten();
    json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

fn write(place: &LockPaths, dir: &Dir, token: &Token, list: &[Leftover]) -> io::Result<()> {
    if list.is_empty() {
        return dir.remove(LEFTOVERS_FILE);
    }
    let json = serde_json::to_string(list).map_err(io::Error::other)?;
    Prepared::write(place, LEFTOVERS_FILE, token, &json)?.put(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        _directory: tempfile::TempDir,
        place: LockPaths,
        dir: Dir,
        index_lock: Utf8PathBuf,
        token: Token,
    }

    fn scene() -> Scene {
        let directory = tempfile::tempdir().unwrap();
        let place = LockPaths::new(directory.path());
        fs::create_dir(place.lock()).unwrap();
        let dir = Dir::open(&place.lock()).unwrap();
        let index_lock = Utf8Path::from_path(directory.path()).unwrap().join("index.lock");
        fs::write(&index_lock, "half an index").unwrap();
        Scene { _directory: directory, place, dir, index_lock, token: Token::fresh() }
    }

    fn dead() -> Process {
        let me = Process::current();
        Process { start: me.start.map(|start| start - 1), ..me }
    }

    impl Scene {
        fn note(&self, maker: &Process) {
            let leftover = Leftover::of(&self.index_lock, maker).unwrap().expect("it can be told apart");
            note(&self.place, &self.dir, &self.token, leftover).unwrap();
        }

        fn clean(&self) {
            clean(&self.place, &self.dir, &self.token);
        }
    }

    #[test]
    fn what_a_dead_maker_left_is_removed() {
        let scene = scene();
        scene.note(&dead());
        scene.clean();
        assert!(!scene.index_lock.exists());
        assert_eq!(read(&scene.dir), []);
    }

    #[test]
    fn a_file_that_came_later_to_the_same_path_is_left_alone() {
        let scene = scene();
        scene.note(&dead());
        fs::remove_file(&scene.index_lock).unwrap();
        fs::write(&scene.index_lock, "a person's own").unwrap();
        scene.clean();
        assert!(scene.index_lock.exists());
        assert_eq!(read(&scene.dir), [], "nothing is left to do");
    }

    #[test]
    fn the_file_of_a_maker_that_was_merely_overtaken_is_left_alone_and_kept_in_mind() {
        let scene = scene();
        scene.note(&Process::current());
        scene.clean();
        assert!(scene.index_lock.exists());
        assert_eq!(read(&scene.dir).len(), 1);
    }

    #[test]
    fn what_was_finished_is_forgotten() {
        let scene = scene();
        scene.note(&dead());
        forget(&scene.place, &scene.dir, &scene.token, &scene.index_lock).unwrap();
        scene.clean();
        assert!(scene.index_lock.exists());
    }
}
