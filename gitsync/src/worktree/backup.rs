//! Names the files that are kept aside during an update: new ones before they are put in place, old ones afterwards.
//!
//! A file can be moved within one mount only. Usually that is the mount of the git directory; a linked worktree or a
//! mount below it may be a different one, and then a file is kept under a special name beside the path that it
//! belongs to. All names are derived from the update's token and the number of the step, so that a later clean-up
//! finds them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The directory in the git directory of a worktree that exists while an update is not finished.
const FOLDER: &str = "lockstep-update";

/// What a file is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It will be put in place.
    New,
    /// It was in place before.
    Old,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Role::New => "new",
            Role::Old => "old",
        }
    }
}

/// The name, in the directory in the git directory, of the file of step `number`.
pub fn name_inside(role: Role, number: usize) -> String {
    format!("{}-{number}", role.word())
}

/// The names of files that are not in place.
#[derive(Debug, Clone)]
pub struct Backup {
    folder: PathBuf,
    token: String,
    /// Which directories are on the same mount as `folder`: cached, since most files share their directory with
    /// others.
    near: RefCell<HashMap<PathBuf, bool>>,
    /// Whether files may be kept beside the paths that they belong to.
    beside: Cell<bool>,
}

impl Backup {
    /// Creates the names for the update `token` of the worktree whose git directory is `git_dir`.
    pub fn new(git_dir: &Path, token: &str) -> Self {
        Backup {
            folder: folder(git_dir),
            token: token.to_owned(),
            near: RefCell::default(),
            beside: Cell::new(false),
        }
    }

    /// Creates the names for an update of an earlier run, for which it is unknown where it kept its files.
    pub fn of_an_earlier_run(git_dir: &Path, token: &str) -> Self {
        Backup { beside: Cell::new(true), ..Self::new(git_dir, token) }
    }

    /// Whether files may be kept outside the directory in the git directory.
    pub fn may_be_beside(&self) -> bool {
        self.beside.get()
    }

    /// The token that distinguishes this update from others.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The directory in the git directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether files that belong in `folder` can be kept in the directory in the git directory, since both are on one
    /// mount. Otherwise they have to be kept beside the paths that they belong to.
    pub fn is_near(&self, folder: &Path) -> bool {
        if let Some(near) = self.near.borrow().get(folder) {
            return *near;
        }
        let near = is_on_one_mount(&self.folder, folder);
        if !near {
            self.beside.set(true);
        }
        self.near.borrow_mut().insert(folder.to_owned(), near);
        near
    }

    /// The name of the file of step `number` if it is kept beside the path that it belongs to.
    pub fn name_beside(&self, role: Role, number: usize) -> String {
        format!(".lockstep-{}-{number}-{}", self.token, role.word())
    }

    /// The two paths where that file may be.
    pub fn places(&self, role: Role, number: usize, full: &Path) -> [PathBuf; 2] {
        let beside = full.with_file_name(self.name_beside(role, number));
        [self.folder.join(name_inside(role, number)), beside]
    }

    /// Returns where that file is, if it exists.
    pub fn find(&self, role: Role, number: usize, full: &Path) -> Option<PathBuf> {
        self.places(role, number, full).into_iter().find(|path| fs::symlink_metadata(path).is_ok())
    }
}

/// The directory of an update in `git_dir`.
pub fn folder(git_dir: &Path) -> PathBuf {
    git_dir.join(FOLDER)
}

#[cfg(unix)]
fn is_on_one_mount(folder: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |path: &Path| Some((fs::symlink_metadata(path).ok()?.dev(), mount(path)));
    let nearest = other.ancestors().find_map(place);
    nearest.is_some() && nearest == place(folder)
}

/// The id of the mount that `path` is on, or `None` if the system does not tell. A part of a file system that is
/// mounted a second time, for example into a container, has the same device number, yet files cannot be moved between
/// the two mounts.
#[cfg(target_os = "linux")]
fn mount(path: &Path) -> Option<u64> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID).ok()?;
    (found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn mount(_path: &Path) -> Option<u64> {
    None
}

#[cfg(not(unix))]
fn is_on_one_mount(folder: &Path, other: &Path) -> bool {
    // Whether both are on the same drive, by their first component.
    folder.components().next() == other.components().next()
}

/// Moves `from` to `to`, which must not exist.
///
/// # Errors
/// `AlreadyExists`, or the error of the move.
pub fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::io::Errno;
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, flags) {
            // The kernel or the file system does not support it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            result => return Ok(result?),
        }
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Hard links are not supported either: check, then rename.
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Removes `path`, unless it is already gone.
///
/// # Errors
/// It exists and cannot be removed.
pub fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
