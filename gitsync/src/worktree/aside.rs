//! Where files are kept while an update is not done: new ones before they are put in place, old ones after.
//!
//! Moving a file is possible within one mount only. As a rule that is the one of the git directory; a linked work tree
//! or a mount below may be another, and then the files get a name of their own beside the path that they belong to.
//! All names follow from the update's token and the number of the step, so that whoever cleans up finds them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder in the git directory of a work tree, there while an update is not done.
const FOLDER: &str = "lockstep-update";

/// What a file is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is to be put in place.
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

/// The name of the file of step `number` in the folder in the git directory.
pub fn name_inside(role: Role, number: usize) -> String {
    format!("{}-{number}", role.word())
}

/// Names for files that are not in place.
#[derive(Debug, Clone)]
pub struct Aside {
    folder: PathBuf,
    token: String,
    /// Which folders are in the mount of `folder`: asked once, as most files share their folder with others.
    near: RefCell<HashMap<PathBuf, bool>>,
    /// Whether files may be kept beside the paths that they belong to.
    beside: Cell<bool>,
}

impl Aside {
    /// The names of the update `token` of the work tree whose git directory is `git_dir`.
    pub fn new(git_dir: &Path, token: &str) -> Self {
        Aside {
            folder: folder(git_dir),
            token: token.to_owned(),
            near: RefCell::default(),
            beside: Cell::new(false),
        }
    }

    /// The same, of an update of which it is not known where it kept its files.
    pub fn of_an_earlier_run(git_dir: &Path, token: &str) -> Self {
        Aside { beside: Cell::new(true), ..Self::new(git_dir, token) }
    }

    /// Whether files may be kept outside of the folder.
    pub fn may_be_beside(&self) -> bool {
        self.beside.get()
    }

    /// What tells the update from others.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The folder in the git directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether files that belong into `folder` can be kept in the folder in the git directory: both are in one mount.
    /// Else they are to be kept beside the paths that they belong to.
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

    /// The name of the file of step `number` where it is kept beside the path that it belongs to.
    pub fn name_beside(&self, role: Role, number: usize) -> String {
        format!(".lockstep-{}-{number}-{}", self.token, role.word())
    }

    /// Where that file may be.
    pub fn places(&self, role: Role, number: usize, full: &Path) -> [PathBuf; 2] {
        let beside = full.with_file_name(self.name_beside(role, number));
        [self.folder.join(name_inside(role, number)), beside]
    }

    /// Where that file is, if it is.
    pub fn find(&self, role: Role, number: usize, full: &Path) -> Option<PathBuf> {
        self.places(role, number, full).into_iter().find(|path| fs::symlink_metadata(path).is_ok())
    }
}

/// The folder of an update in `git_dir`.
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

/// The number of the mount that `path` is in. A part of a file system that is mounted once more, into a container for
/// instance, has the same device, and yet nothing can be moved between the two. None where the system does not say it.
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
    // The same drive, by their first component.
    folder.components().next() == other.components().next()
}

/// Move `from` to `to`, which must not exist.
///
/// # Errors
/// `AlreadyExists`, or the move failed.
pub fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::io::Errno;
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, flags) {
            // The kernel or the file system does not know how.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            result => return Ok(result?),
        }
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // No hard links either: look, then move.
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Remove `path`, unless it is gone already.
///
/// # Errors
/// It is there and stays there.
pub fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
