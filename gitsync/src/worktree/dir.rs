//! An open directory handle: names in it keep their meaning even if its path comes to name something else.
//!
//! `rename("a/b", …)` follows `a` if that has become a symbolic link, and may then change files outside the working
//! tree. Calls relative to an open directory cannot be redirected like that, and they are also the cheapest way to
//! look at files. Systems without such calls use paths instead.

use std::ffi::OsStr;
use std::io;

use super::disk::Found;

pub use imp::Folder;

/// A name in a directory.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    /// The directory.
    pub folder: &'a Folder,
    /// The name.
    pub name: &'a OsStr,
}

impl Spot<'_> {
    /// Returns what is there, if anything.
    ///
    /// # Errors
    /// It cannot be determined.
    pub fn look(self) -> io::Result<Option<Found>> {
        self.folder.look(self.name)
    }

    /// Moves what is here to a spot where nothing exists.
    ///
    /// # Errors
    /// `AlreadyExists`, or the error of the move.
    pub fn move_to(self, to: Spot<'_>) -> io::Result<()> {
        self.folder.move_new(self.name, to.folder, to.name)
    }

    /// Exchanges what is here with what is there, atomically.
    ///
    /// # Errors
    /// `Unsupported` if the file system cannot exchange files, or the error of the exchange.
    pub fn swap_with(self, other: Spot<'_>) -> io::Result<()> {
        self.folder.exchange(self.name, other.folder, other.name)
    }
}

#[cfg(unix)]
mod imp {
    use std::ffi::OsStr;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::{AtFlags, FileType, Mode, OFlags};
    use rustix::io::Errno;

    use super::super::disk::{Found, Kind, is_missing};

    /// An open directory.
    #[derive(Debug)]
    pub struct Folder {
        handle: OwnedFd,
    }

    fn flags() -> OFlags {
        #[cfg(target_os = "linux")]
        let how = OFlags::PATH;
        #[cfg(not(target_os = "linux"))]
        let how = OFlags::RDONLY;
        how | OFlags::DIRECTORY | OFlags::CLOEXEC
    }

    impl Folder {
        /// Opens the directory at `path`, following a symbolic link.
        pub fn root(path: &Path) -> io::Result<Self> {
            Ok(Folder { handle: rustix::fs::open(path, flags(), Mode::empty())? })
        }

        /// Opens the subdirectory `name`; `None` if there is no directory of that name.
        pub fn child(&self, name: &OsStr) -> io::Result<Option<Self>> {
            match rustix::fs::openat(&self.handle, name, flags() | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(handle) => Ok(Some(Folder { handle })),
                // A symbolic link does not count as a directory.
                Err(Errno::LOOP) => Ok(None),
                Err(error) => missing(error.into()),
            }
        }

        /// Returns what is at `name`, if anything.
        pub fn look(&self, name: &OsStr) -> io::Result<Option<Found>> {
            match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => Ok(Some(found(&stat))),
                Err(error) => missing(error.into()),
            }
        }

        /// Creates the directory `name`.
        pub fn make(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777))?)
        }

        /// Removes the empty directory `name`.
        pub fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR)?)
        }

        /// Moves `name` to `new` in `to`, where nothing must exist.
        pub fn move_new(&self, name: &OsStr, to: &Folder, new: &OsStr) -> io::Result<()> {
            #[cfg(any(target_os = "linux", target_vendor = "apple"))]
            match self.rename(name, to, new, rustix::fs::RenameFlags::NOREPLACE) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                result => return result,
            }
            match rustix::fs::linkat(&self.handle, name, &to.handle, new, AtFlags::empty()) {
                Ok(()) if self.number(name)? == to.number(new)? => {
                    return Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?);
                }
                // On sshfs each name has its own inode number, so the file would not be recognized under the new
                // name.
                Ok(()) => rustix::fs::unlinkat(&to.handle, new, AtFlags::empty())?,
                Err(Errno::EXIST) => return Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => {}
            }
            // Hard links cannot be used either: check, then rename.
            if to.look(new)?.is_some() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            Ok(rustix::fs::renameat(&self.handle, name, &to.handle, new)?)
        }

        /// The inode number of the file `name`.
        fn number(&self, name: &OsStr) -> io::Result<u64> {
            Ok(rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?.st_ino)
        }

        /// Exchanges `name` with `other` in `with`.
        pub fn exchange(&self, name: &OsStr, with: &Folder, other: &OsStr) -> io::Result<()> {
            #[cfg(any(target_os = "linux", target_vendor = "apple"))]
            return self.rename(name, with, other, rustix::fs::RenameFlags::EXCHANGE);
            #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
            {
                let _ = (name, with, other);
                Err(io::ErrorKind::Unsupported.into())
            }
        }

        #[cfg(any(target_os = "linux", target_vendor = "apple"))]
        fn rename(
            &self,
            name: &OsStr,
            to: &Folder,
            new: &OsStr,
            how: rustix::fs::RenameFlags,
        ) -> io::Result<()> {
            match rustix::fs::renameat_with(&self.handle, name, &to.handle, new, how) {
                // The kernel or the file system does not support it.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Err(io::ErrorKind::Unsupported.into()),
                result => Ok(result?),
            }
        }
    }

    fn missing<T>(error: io::Error) -> io::Result<Option<T>> {
        if is_missing(&error) { Ok(None) } else { Err(error) }
    }

    #[allow(clippy::unnecessary_cast, reason = "the fields' types differ between systems")]
    fn found(stat: &rustix::fs::Stat) -> Found {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File { executable: stat.st_mode & 0o100 != 0 },
            FileType::Symlink => Kind::Link,
            FileType::Directory => Kind::Folder,
            _ => Kind::Other,
        };
        Found { kind, stat: scan::in_index(stat), len: stat.st_size as u64 }
    }
}

#[cfg(not(unix))]
mod imp {
    use std::ffi::OsStr;
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};

    use gix::index::fs::Metadata;

    use super::super::backup::move_new;
    use super::super::disk::{Found, Kind, is_missing};

    /// A directory, by its path.
    #[derive(Debug)]
    pub struct Folder {
        path: PathBuf,
    }

    impl Folder {
        /// The directory at `path`.
        pub fn root(path: &Path) -> io::Result<Self> {
            Ok(Folder { path: path.to_owned() })
        }

        /// Returns the subdirectory `name`; `None` if there is no directory of that name.
        pub fn child(&self, name: &OsStr) -> io::Result<Option<Self>> {
            let is_folder = self.look(name)?.is_some_and(|found| found.kind == Kind::Folder);
            Ok(is_folder.then(|| Folder { path: self.path.join(name) }))
        }

        /// Returns what is at `name`, if anything.
        pub fn look(&self, name: &OsStr) -> io::Result<Option<Found>> {
            match Metadata::from_path_no_follow(&self.path.join(name)).and_then(|meta| Found::new(&meta)) {
                Ok(found) => Ok(Some(found)),
                Err(error) if is_missing(&error) => Ok(None),
                Err(error) => Err(error),
            }
        }

        /// Creates the directory `name`.
        pub fn make(&self, name: &OsStr) -> io::Result<()> {
            fs::create_dir(self.path.join(name))
        }

        /// Removes the empty directory `name`.
        pub fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
            fs::remove_dir(self.path.join(name))
        }

        /// Moves `name` to `new` in `to`, where nothing must exist.
        pub fn move_new(&self, name: &OsStr, to: &Folder, new: &OsStr) -> io::Result<()> {
            move_new(&self.path.join(name), &to.path.join(new))
        }

        /// Always `Unsupported`: this system has no atomic exchange.
        pub fn exchange(&self, _name: &OsStr, _with: &Folder, _other: &OsStr) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
