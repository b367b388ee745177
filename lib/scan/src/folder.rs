//! An open directory: lists its names, and reads the stat data of its files.
//!
//! Looking up a file by its name within an open directory is the cheapest way, and cannot be diverted by a parent
//! that becomes a symbolic link meanwhile. Where the system has no such calls, paths are used.

use std::io;

use gix::index::entry::Stat;

use crate::names::Kind;

/// A file, link or directory on disk, without following links.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Its type.
    pub kind: Kind,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// Its stat data, as in the index.
    pub stat: Stat,
}

/// Which directory this is, and when it was last changed. The identities of a directory at two moments differ if any
/// name was added or removed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The number of its file system (`st_dev`).
    pub dev: u64,
    /// Its inode number.
    pub ino: u64,
    /// When its names changed last, in seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// When anything about it changed last.
    pub ctime: (i64, u32),
}

impl Identity {
    /// Returns the second in which it changed last.
    pub fn changed_last(&self) -> i64 {
        self.mtime.0.max(self.ctime.0)
    }
}

pub use imp::Folder;

/// Whether nothing is there, or not what was asked for: a link or a file in place of a directory.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, fstat, fstatfs, open, openat, statat};

    use super::{Found, Identity, is_missing};
    use crate::names::{Kind, Names};
    use crate::stat::in_index;

    /// How many bytes of a listing are read at once.
    const ROOM: usize = 32 * 1024;

    /// Local file systems that update a directory's times with every name that is added or removed, by the kernel's
    /// magic numbers: ext2 to ext4, XFS, Btrfs, F2FS, tmpfs; and overlayfs, on which containers run, and which makes
    /// its changes in one of the others. See `statfs(2)`.
    const RELIABLE: [u64; 6] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994, 0x794C_7630];

    /// An open directory.
    pub struct Folder {
        file: OwnedFd,
    }

    fn flags() -> OFlags {
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
    }

    impl Folder {
        /// Opens the directory at `path`, also through a link.
        pub fn root(path: &Path) -> io::Result<Self> {
            Ok(Folder { file: open(path, flags(), Mode::empty())? })
        }

        /// Opens the directory `name` in this one; `None` if there is no directory of that name.
        pub fn child(&self, name: &[u8]) -> io::Result<Option<Self>> {
            match openat(&self.file, name, flags() | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(file) => Ok(Some(Folder { file })),
                // A link is not a directory.
                Err(rustix::io::Errno::LOOP) => Ok(None),
                Err(error) => missing(error.into()),
            }
        }

        /// Returns the number of its file system, if a directory's times reliably show every change of its names
        /// there.
        #[allow(clippy::unnecessary_cast, reason = "the fields' types differ between architectures")]
        pub fn reliable(&self) -> Option<u64> {
            let system = fstatfs(&self.file).ok()?;
            let dev = fstat(&self.file).ok()?.st_dev;
            RELIABLE.contains(&(system.f_type as u64)).then_some(dev as u64)
        }

        /// Returns the identity of this directory.
        pub fn identity(&self) -> Option<Identity> {
            fstat(&self.file).ok().map(|stat| identity(&stat))
        }

        /// Returns the identity of the directory `name` in this one; `None` if there is no directory of that name.
        pub fn identity_of(&self, name: &[u8]) -> Option<Identity> {
            let stat = statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            FileType::from_raw_mode(stat.st_mode).is_dir().then(|| identity(&stat))
        }

        /// Adds all names to `names`, except `.` and `..`.
        pub fn list(&self, names: &mut Names) -> io::Result<()> {
            let mut room = [MaybeUninit::uninit(); ROOM];
            let mut entries = RawDir::new(&self.file, &mut room);
            while let Some(entry) = entries.next() {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    continue;
                }
                let kind = match kind(entry.file_type()) {
                    // Not every file system reports the type in its listings.
                    None => self.look(name)?.map(|found| found.kind),
                    known => known,
                };
                if let Some(kind) = kind {
                    names.push(name, kind);
                }
            }
            Ok(())
        }

        /// Returns what is at `name`; `None` if nothing is.
        pub fn look(&self, name: &[u8]) -> io::Result<Option<Found>> {
            let stat = match statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(error) => return missing(error.into()),
            };
            Ok(Some(Found {
                kind: kind(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Other),
                executable: stat.st_mode & 0o100 != 0,
                stat: in_index(&stat),
            }))
        }
    }

    fn missing<T>(error: io::Error) -> io::Result<Option<T>> {
        if is_missing(&error) { Ok(None) } else { Err(error) }
    }

    fn kind(kind: FileType) -> Option<Kind> {
        match kind {
            FileType::RegularFile => Some(Kind::File),
            FileType::Symlink => Some(Kind::Link),
            FileType::Directory => Some(Kind::Folder),
            FileType::Unknown => None,
            FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice => {
                Some(Kind::Other)
            }
        }
    }

    #[allow(clippy::unnecessary_cast, reason = "the fields' types differ between architectures")]
    fn identity(stat: &rustix::fs::Stat) -> Identity {
        Identity {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            mtime: (stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            ctime: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    use std::io;
    use std::path::{Path, PathBuf};

    use gix::bstr::ByteSlice as _;
    use gix::index::entry::Stat;
    use gix::index::fs::Metadata;

    use super::{Found, Identity, is_missing};
    use crate::names::{Kind, Names};

    /// A directory, by its path.
    pub struct Folder {
        path: PathBuf,
    }

    impl Folder {
        /// Returns the directory at `path`.
        pub fn root(path: &Path) -> io::Result<Self> {
            Ok(Folder { path: path.to_owned() })
        }

        /// Returns the directory `name` in this one; `None` if there is no directory of that name.
        pub fn child(&self, name: &[u8]) -> io::Result<Option<Self>> {
            let found = self.look(name)?;
            let path = self.at(name)?;
            Ok(found.filter(|found| found.kind == Kind::Folder).map(|_| Folder { path }))
        }

        /// It is not known here which file systems have reliable times.
        pub fn reliable(&self) -> Option<u64> {
            None
        }

        /// Never called, since no file system counts as reliable here.
        pub fn identity(&self) -> Option<Identity> {
            None
        }

        /// Never called, since no file system counts as reliable here.
        pub fn identity_of(&self, _name: &[u8]) -> Option<Identity> {
            None
        }

        /// Adds all names to `names`.
        pub fn list(&self, names: &mut Names) -> io::Result<()> {
            for entry in std::fs::read_dir(&self.path)? {
                let entry = entry?;
                let name = entry.file_name();
                let name = gix::path::os_str_into_bstr(&name).map_err(io::Error::other)?;
                let kind = entry.file_type()?;
                let kind = if kind.is_symlink() {
                    Kind::Link
                } else if kind.is_dir() {
                    Kind::Folder
                } else if kind.is_file() {
                    Kind::File
                } else {
                    Kind::Other
                };
                names.push(name, kind);
            }
            Ok(())
        }

        /// Returns what is at `name`; `None` if nothing is.
        pub fn look(&self, name: &[u8]) -> io::Result<Option<Found>> {
            let meta = match Metadata::from_path_no_follow(&self.at(name)?) {
                Ok(meta) => meta,
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
            let kind = if meta.is_symlink() {
                Kind::Link
            } else if meta.is_dir() {
                Kind::Folder
            } else if meta.is_file() {
                Kind::File
            } else {
                Kind::Other
            };
            let stat = Stat::from_fs(&meta).map_err(io::Error::other)?;
            Ok(Some(Found { kind, executable: meta.is_executable(), stat }))
        }

        fn at(&self, name: &[u8]) -> io::Result<PathBuf> {
            Ok(self.path.join(gix::path::from_bstr(name.as_bstr()).map_err(io::Error::other)?))
        }
    }
}
