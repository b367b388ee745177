//! Opens loose object files relative to the objects directory.
//!
//! The kernel looks up each component of a path, which for such small files takes as long as reading them, so files
//! are opened relative to a directory handle. If there is no fan-out directory for the first byte of an id, no file
//! is looked up. For few objects that is not worth finding out, as listing the objects directory takes as long as
//! dozens of failed lookups.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use gix::hash::oid;

/// The objects directory, which is opened when the first object is requested.
pub(super) struct Folder {
    path: PathBuf,
    seen: Option<Seen>,
}

/// What is known about the directory.
struct Seen {
    root: Root,
    /// The number of objects that were looked up and are not loose.
    in_vain: u32,
    /// By the first byte of an id: whether there was a fan-out directory for it when the directory was listed, or
    /// `None` before that. Directories that are created later are left to gix.
    has: Option<[bool; 256]>,
}

/// The number of failed lookups after which the directory is listed.
const PATIENCE: u32 = 64;

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: None }
    }

    /// Opens the file of an object, if it is loose.
    pub fn open(&mut self, id: &oid) -> Option<File> {
        let seen = match &mut self.seen {
            Some(seen) => seen,
            none => none.insert(Seen { root: Root::open(&self.path)?, in_vain: 0, has: None }),
        };
        if seen.has.is_some_and(|has| !has[usize::from(id.first_byte())]) {
            return None;
        }
        let mut hex = gix::hash::Kind::hex_buf();
        let hex = id.hex_to_buf(&mut hex);
        // "ab/cdef…"
        let mut name = [b'/'; gix::hash::Kind::longest().len_in_hex() + 1];
        let name = &mut name[..=hex.len()];
        name[..2].copy_from_slice(&hex.as_bytes()[..2]);
        name[3..].copy_from_slice(&hex.as_bytes()[2..]);
        let file = seen.root.file(std::str::from_utf8(name).ok()?);
        if file.is_none() && seen.has.is_none() {
            seen.in_vain += 1;
            if seen.in_vain == PATIENCE {
                seen.has = folders(&self.path);
            }
        }
        file
    }
}

/// By the first byte of an id: whether `path` has a fan-out directory for it.
fn folders(path: &Path) -> Option<[bool; 256]> {
    let mut has = [false; 256];
    for entry in fs::read_dir(path).ok()? {
        let name = entry.ok()?.file_name();
        let byte =
            name.to_str().filter(|name| name.len() == 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = byte {
            has[usize::from(byte)] = true;
        }
    }
    Some(has)
}

/// A handle of the directory to which paths are relative.
#[cfg(unix)]
struct Root(rustix::fd::OwnedFd);

#[cfg(unix)]
impl Root {
    fn open(path: &Path) -> Option<Self> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).ok().map(Self)
    }

    fn file(&self, name: &str) -> Option<File> {
        use rustix::fs::{Mode, OFlags};
        let file = rustix::fs::openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        file.ok().map(File::from)
    }
}

#[cfg(not(unix))]
struct Root(PathBuf);

#[cfg(not(unix))]
impl Root {
    fn open(path: &Path) -> Option<Self> {
        Some(Self(path.to_owned()))
    }

    fn file(&self, name: &str) -> Option<File> {
        File::open(self.0.join(name)).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use gix::ObjectId;
    use testkit::World;

    use super::*;

    #[test]
    fn files_are_found_and_what_has_no_folder_is_not_looked_for() {
        let world = World::new();
        let repo = gix::open(world.init("ours").path()).unwrap();
        let objects = repo.objects.store_ref().path().to_owned();
        let there = repo.write_blob("there").unwrap().detach();
        let mut folder = Folder::new(&objects);
        assert!(folder.open(&there).is_some());
        let beside = ObjectId::from_bytes_or_panic(&{
            let mut bytes = [0; 20];
            bytes[0] = there.first_byte();
            bytes
        });
        (0..PATIENCE).for_each(|_| assert!(folder.open(&beside).is_none()));
        // A fan-out directory that is created later is not seen.
        let mut written = (0..).map(|n| repo.write_blob(n.to_string()).unwrap().detach());
        let late = written.find(|id| id.first_byte() != there.first_byte()).unwrap();
        assert!(folder.open(&late).is_none());
        assert!(folder.open(&there).is_some());
        assert!(Folder::new(&objects).open(&late).is_some());
        assert!(Folder::new(&objects.join("gone")).open(&there).is_none());
    }
}
