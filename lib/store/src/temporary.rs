//! Creates temporary files in an object database, so that those of killed processes can be recognized and removed.
//!
//! The name and age of a file do not show whether it is still being written, which is why git leaves such files alone
//! for two weeks. So the name of ours says that this program created the file, and on which machine; and the process
//! that created it holds a kernel lock on it, which is released when the process ends, however that happens. A
//! process that obtains the lock knows that the creator is dead.
//!
//! Where the file system has no kernel locks, or the file is another machine's, nothing is removed here. But the
//! names begin like those of git's own temporary files, so `git gc` removes them eventually.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::{local_ref::machine, pack::keep_file};

/// The part that all names have in common, after git's own `tmp_` and a kind.
const OURS: &str = "_lockstep-";
/// The file in a temporary directory whose lock protects the directory.
const ALIVE: &str = "alive";

/// A file that is being written. Dropping it deletes it.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    /// Locked by the kernel for as long as it is open.
    file: File,
}

impl Temporary {
    /// Creates a file of this `kind` in `folder`. Only the returned handle can write to it.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub fn create(folder: &Path, kind: &str) -> io::Result<Self> {
        loop {
            let path = folder.join(name(kind));
            if let Some(file) = create_locked(&path)? {
                return Ok(Self { path, file });
            }
        }
    }

    /// Takes over an existing file in a directory of this process.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn found(path: PathBuf) -> io::Result<Self> {
        Ok(Self { file: File::open(&path)?, path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, open for writing.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // In most cases it has been renamed by now.
        let _ = fs::remove_file(&self.path);
    }
}

/// A temporary directory for a writer that names its files itself. Dropping it deletes it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked by the kernel for as long as it is open.
    _alive: File,
}

impl Folder {
    /// Creates it in the object database `objects`.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub fn new(objects: &Path) -> io::Result<Self> {
        loop {
            let path = objects.join(name("objdir-incoming"));
            fs::create_dir(&path)?;
            match create_locked(&path.join(ALIVE)) {
                Ok(Some(alive)) => return Ok(Self { path, _alive: alive }),
                Ok(None) => {}
                // An empty directory looks like a stale one, and another process has just removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A directory that cannot be removed now is removed by a later run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes what dead processes left in the object database `objects`. Whatever cannot be removed does no harm.
pub fn remove_stale_packs(objects: &Path) {
    for folder in [objects, &objects.join("pack")] {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_name().to_str().is_some_and(is_ours) || keep_file::is_ours(&path) {
                let _ = sweep_one(&path);
            }
        }
    }
}

fn sweep_one(path: &Path) -> io::Result<()> {
    let is_folder = fs::symlink_metadata(path)?.is_dir();
    let lock = if is_folder { path.join(ALIVE) } else { path.to_owned() };
    let file = match File::open(&lock) {
        // Its creator was killed before it put anything into it; if there is something in it, it stays.
        Err(error) if is_folder && error.kind() == io::ErrorKind::NotFound => return fs::remove_dir(path),
        file => file?,
    };
    // The creator may have finished it between the opening and the locking.
    if file.try_lock().is_err() || !is_at(&file, &lock) {
        return Ok(());
    }
    if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Creates a file and locks it; `None` if a process that removes stale files obtained the lock first.
fn create_locked(path: &Path) -> io::Result<Option<File>> {
    let file = options().open(path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        Ok(()) if !path.exists() => Ok(None),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
    }
}

/// Whether `path` still names the open `file`.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let same = |one: fs::Metadata, other: fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    file.metadata().ok().zip(fs::symlink_metadata(path).ok()).is_some_and(|(one, other)| same(one, other))
}

/// Without an inode number, any file with that name is accepted.
#[cfg(not(unix))]
pub(crate) fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Files are created read-only, as git does with objects and packs, since they never change.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o444);
    options
}

fn name(kind: &str) -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("tmp_{kind}{OURS}{}-{random:016x}", machine::mark())
}

/// Whether a file of this name was created by this program on this machine.
fn is_ours(name: &str) -> bool {
    let rest = name.strip_prefix("tmp_").and_then(|name| name.split_once(OURS));
    rest.is_some_and(|(_, rest)| rest.rsplit_once('-').is_some_and(|(mark, _)| machine::is_our_mark(mark)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use super::*;

    fn objects() -> (testkit::World, PathBuf) {
        let world = testkit::World::new();
        let objects = world.init("ours").common_dir().join("objects").into_std_path_buf();
        fs::create_dir_all(objects.join("pack")).unwrap();
        (world, objects)
    }

    fn left(objects: &Path) -> Vec<String> {
        let names = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let all = names(objects).chain(names(&objects.join("pack")));
        let mut left: Vec<_> = all.map(|name| name.into_string().unwrap()).collect();
        left.retain(|name| name.starts_with("tmp_"));
        left.sort();
        left
    }

    /// Leaves what a killed process would leave: the kernel releases the lock, the name stays.
    fn killed(temporary: Temporary) -> PathBuf {
        let kept = temporary.path.with_extension("kept");
        fs::hard_link(&temporary.path, &kept).unwrap();
        let path = temporary.path.clone();
        drop(temporary);
        fs::rename(kept, &path).unwrap();
        path
    }

    #[test]
    fn what_the_living_write_stays_and_what_the_dead_left_goes() {
        let (_world, objects) = objects();
        let pack = objects.join("pack");
        let (living, folder) = (Temporary::create(&pack, "pack").unwrap(), Folder::new(&objects).unwrap());
        killed(Temporary::create(&pack, "pack").unwrap());
        killed(Temporary::create(&pack, "idx").unwrap());
        killed(Temporary::create(&objects, "obj").unwrap());
        let dead = objects.join(name("objdir-incoming"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("pack-1.pack"), "half a pack").unwrap();
        fs::write(dead.join(ALIVE), "").unwrap();
        fs::create_dir(objects.join(name("objdir-incoming"))).unwrap();
        remove_stale_packs(&objects);
        let names = [folder.path(), living.path()].map(|path| path.file_name().unwrap().to_str().unwrap());
        assert_eq!(left(&objects), names);
        drop((living, folder));
        assert_eq!(left(&objects), [""; 0]);
    }

    #[test]
    fn what_others_made_stays() {
        let (_world, objects) = objects();
        let elsewhere = name("pack").replace(&machine::mark(), "00000000-00000000");
        let names = ["tmp_obj_a1b2c3", "tmp_pack_a1b2c3", "tmp_pack_lockstep-", &elsewhere];
        for name in names {
            fs::write(objects.join("pack").join(name), "").unwrap();
        }
        remove_stale_packs(&objects);
        assert_eq!(left(&objects).len(), names.len());
    }

    #[test]
    fn who_makes_files_while_others_sweep_loses_none() {
        let (_world, objects) = objects();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    remove_stale_packs(&objects);
                }
            });
            for _ in 0..500 {
                let (file, folder) =
                    (Temporary::create(&objects, "obj").unwrap(), Folder::new(&objects).unwrap());
                assert!(file.path().exists() && folder.path().join(ALIVE).exists());
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        remove_stale_packs(&objects);
        assert_eq!(left(&objects), [""; 0]);
    }
}
