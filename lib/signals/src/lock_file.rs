//! Keeps a list of this process's lock files in a form that a signal handler may read.
//!
//! A handler must not block, not even to allocate memory: the list only ever grows, and its entries are never freed.
//! A run takes only a handful of locks.

use std::{
    ffi::CString,
    fs::File,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fsync, open, renameat, statat, unlinkat};

use crate::{Names, handler};

/// The first entry of the list.
static FIRST: OnceLock<&'static Entry> = OnceLock::new();

/// What happens to a lock file when a signal ends the process.
mod fate {
    /// Nothing: its owner has settled it.
    pub const SETTLED: u8 = 0;
    /// It is removed.
    pub const GOES: u8 = 1;
    /// It replaces its target.
    pub const REPLACES: u8 = 2;
}

/// A lock file.
#[derive(Debug)]
pub struct Entry {
    own: CString,
    lock: CString,
    target: CString,
    device: u64,
    inode: u64,
    fate: AtomicU8,
    next: OnceLock<&'static Entry>,
}

/// Adds `file` to the list; `None` if it cannot be identified.
pub fn add(file: &File, Names { own, lock, target }: Names<'_>) -> Option<&'static Entry> {
    handler::watch();
    let name = |path: &Path| {
        let absolute = std::path::absolute(path).ok()?;
        CString::new(absolute.as_os_str().as_bytes()).ok()
    };
    let looks = file.metadata().ok()?;
    let entry: &'static Entry = Box::leak(Box::new(Entry {
        own: name(own)?,
        lock: name(lock)?,
        target: name(target)?,
        device: looks.dev(),
        inode: looks.ino(),
        fate: AtomicU8::new(fate::GOES),
        next: OnceLock::new(),
    }));
    let mut place = &FIRST;
    while place.set(entry).is_err() {
        place = place.get().map_or(place, |before| &before.next);
    }
    Some(entry)
}

/// Settles all lock files that their owners have not settled.
pub fn settle_all() {
    let mut place = &FIRST;
    while let Some(entry) = place.get() {
        entry.settle();
        place = &entry.next;
    }
}

impl Entry {
    pub fn is_complete(&self) {
        self.fate.store(fate::REPLACES, SeqCst);
    }

    pub fn is_settled(&self) {
        self.fate.store(fate::SETTLED, SeqCst);
    }

    /// Removes the file, or lets it replace its target. What fails is left to the next run.
    fn settle(&self) {
        let fate = self.fate.load(SeqCst);
        if fate == fate::SETTLED || !self.is_at(&self.own) {
            return;
        }
        if self.is_at(&self.lock) {
            let _ = match fate {
                fate::REPLACES => self.replace(),
                _ => unlinkat(CWD, &self.lock, AtFlags::empty()),
            };
        }
        let _ = unlinkat(CWD, &self.own, AtFlags::empty());
    }

    fn replace(&self) -> rustix::io::Result<()> {
        // The content must be durable before the rename, since git relies on it from then on.
        fsync(open(&self.lock, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)?;
        renameat(CWD, &self.lock, CWD, &self.target)
    }

    #[allow(clippy::unnecessary_cast, reason = "the fields' types differ between systems")]
    fn is_at(&self, name: &CString) -> bool {
        statat(CWD, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| (stat.st_dev as u64, stat.st_ino as u64) == (self.device, self.inode))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use std::fs;

    use super::*;

    /// Returns the files of a directory after a lock file in it was settled; `before` sets up the state to settle.
    fn settled(before: impl FnOnce(&Path, &Entry)) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let [own, lock, target] = ["index.own", "index.lock", "index"].map(|name| folder.path().join(name));
        fs::write(&target, "old").unwrap();
        fs::write(&own, "new").unwrap();
        let names = Names { own: &own, lock: &lock, target: &target };
        let entry = add(&File::open(&own).unwrap(), names).unwrap();
        fs::hard_link(&own, &lock).unwrap();
        before(folder.path(), entry);
        entry.settle();
        entry.is_settled();
        let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> = files
            .map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    fn files(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, content)| (name.to_string(), content.to_string())).collect()
    }

    #[test]
    fn a_lock_that_is_held_goes() {
        assert_eq!(settled(|_, _| {}), files(&[("index", "old")]));
    }

    #[test]
    fn what_is_complete_takes_its_place() {
        assert_eq!(settled(|_, entry| entry.is_complete()), files(&[("index", "new")]));
    }

    #[test]
    fn somebody_elses_lock_stays() {
        let others = settled(|folder, entry| {
            entry.is_complete();
            fs::write(folder.join("theirs"), "theirs").unwrap();
            fs::rename(folder.join("theirs"), folder.join("index.lock")).unwrap();
        });
        assert_eq!(others, files(&[("index", "old"), ("index.lock", "theirs")]));
    }

    #[test]
    fn what_was_given_back_is_left_alone() {
        let done = settled(|_, entry| entry.is_settled());
        assert_eq!(done, files(&[("index", "old"), ("index.lock", "new"), ("index.own", "new")]));
    }
}
