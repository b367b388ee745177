//! Takes git's locks: `NAME.lock` beside a ref or another file, so that a stale one can be recognized as ours.
//!
//! gix's transactions leave lock files behind, if the process is killed, that cannot be told from those of living
//! processes; and each of them takes `packed-refs.lock`, so that all writers of a repository wait for each other.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant},
};

use signals::Section;

use super::{
    HeldLock, RefError,
    lock_owner::{self, LockOwner},
};
use crate::{
    durable::Flushing,
    permissions::{make_folders, share},
};

/// Takes the locks of files below one directory.
#[derive(Debug, Clone)]
pub struct LockFiles {
    session: Rc<LockOwner>,
}

/// A lock on a file. Dropping it releases the lock and leaves the file unchanged.
#[derive(Debug)]
pub struct LockFile {
    target: PathBuf,
    lock: PathBuf,
    own: PathBuf,
    link: Link,
    /// The owner of the directory that contains `own`.
    _session: Rc<LockOwner>,
    /// Delays signals that end the process: a lock that is left in place would block everybody else.
    _section: Option<Section>,
}

/// The relation of `own` and `lock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// `lock` does not exist, or is not ours.
    None,
    /// They are hard links to the same file.
    OneFile,
    /// The file system has no hard links, or none that can be recognized as such: if the process is killed, a person
    /// has to remove the lock, as with git.
    Apart,
}

/// Removes the locks that dead processes of this program left below `base`.
pub fn sweep(base: &Path) {
    lock_owner::sweep(base);
}

impl LockFiles {
    /// Prepares to take locks of files below `base`, and removes those that dead processes left there.
    ///
    /// # Errors
    ///
    /// If no directory can be created in `base`.
    pub fn begin(repo: &gix::Repository, base: &Path) -> io::Result<Self> {
        Ok(Self { session: Rc::new(LockOwner::begin(repo, base)?) })
    }

    /// Takes the lock of the file `name`, waiting for up to `patience` if another process holds it.
    ///
    /// # Errors
    ///
    /// [`RefError::Held`] if the lock is still held then; or another error if it cannot be created, for example because
    /// of permissions or a full disk.
    pub fn take(
        &self,
        repo: &gix::Repository,
        name: &Path,
        patience: Duration,
    ) -> Result<LockFile, RefError> {
        let lock = lock_of(&self.session.base.join(name));
        match self.try_take(repo, name, patience) {
            Ok(Some(claim)) => Ok(claim),
            Ok(None) => Err(RefError::Held(HeldLock { lock })),
            Err(error) => Err(RefError::doing(format!("cannot make {}", lock.display()), error)),
        }
    }

    fn try_take(
        &self,
        repo: &gix::Repository,
        name: &Path,
        patience: Duration,
    ) -> io::Result<Option<LockFile>> {
        let target = self.session.base.join(name);
        let own = self.session.folder.join(name);
        in_its_folder(repo, &own, || File::create_new(&own))?;
        let lock = lock_of(&target);
        let mut claim =
            LockFile { target, lock, own, link: Link::None, _session: self.session.clone(), _section: None };
        let until = Instant::now() + patience;
        for attempt in 0_u32.. {
            let section = Section::begin();
            match in_its_folder(repo, &claim.lock, || link(&claim.own, &claim.lock)) {
                Ok(link) => {
                    (claim.link, claim._section) = (link, Some(section));
                    return Ok(Some(claim));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            drop(section);
            if attempt % 8 == 0 {
                // Its holder may have died since this process began.
                lock_owner::sweep(&self.session.base);
            }
            if Instant::now() >= until {
                break;
            }
            std::thread::sleep(Duration::from_millis(1 + u64::from(attempt.min(9))));
        }
        Ok(None)
    }
}

impl LockFile {
    /// The file that is locked.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Replaces the content of the file.
    ///
    /// # Errors
    ///
    /// If it cannot be written. The file is unchanged then, unless all that failed was to flush its directory at the
    /// end.
    pub fn commit(self, repo: &gix::Repository, content: &[u8], flushing: Flushing) -> Result<(), RefError> {
        let target = self.target.clone();
        let committed = self.draft(repo, content).and_then(|draft| {
            flushing.file(&draft)?;
            drop(draft);
            self.publish()?;
            flush_folder_of(&target, flushing)
        });
        committed.map_err(|error| RefError::doing(format!("cannot write {}", target.display()), error))
    }

    /// Replaces the file by one with this content, and keeps it locked.
    pub(super) fn replace(
        &self,
        repo: &gix::Repository,
        content: &[u8],
        flushing: Flushing,
    ) -> Result<(), RefError> {
        // Next to our own name of the lock, so that the removal of stale files finds it.
        let new = self.own.with_added_extension("new");
        let replaced = File::create_new(&new).and_then(|file| {
            let file = self.fill(file, &new, repo, content)?;
            flushing.file(&file)?;
            drop(file);
            self.check()?;
            fs::rename(&new, &self.target)?;
            flush_folder_of(&self.target, flushing)
        });
        replaced.map_err(|error| RefError::doing(format!("cannot write {}", self.target.display()), error))
    }

    /// Writes the new content to a file that nobody reads yet.
    pub(super) fn draft(&self, repo: &gix::Repository, content: &[u8]) -> io::Result<File> {
        let path = self.draft_path();
        let file = OpenOptions::new().write(true).truncate(true).open(path)?;
        self.fill(file, path, repo, content)
    }

    fn fill(&self, mut file: File, path: &Path, repo: &gix::Repository, content: &[u8]) -> io::Result<File> {
        file.write_all(content)?;
        match fs::metadata(&self.target) {
            Ok(before) if before.is_file() => fs::set_permissions(path, before.permissions())?,
            Ok(_) | Err(_) => share(repo, path)?,
        }
        Ok(file)
    }

    pub(super) fn draft_path(&self) -> &Path {
        if self.link == Link::OneFile { &self.own } else { &self.lock }
    }

    /// Replaces the file by the draft.
    pub(super) fn publish(mut self) -> io::Result<()> {
        self.check()?;
        match fs::rename(&self.lock, &self.target) {
            // Empty directories of deleted refs are in the way.
            Err(error) if self.target.is_dir() => {
                remove_empty_folders(&self.target).map_err(|_| error)?;
                fs::rename(&self.lock, &self.target)?;
            }
            result => result?,
        }
        self.link = Link::None;
        Ok(())
    }

    /// Fails if the lock is gone, as far as that can be detected.
    fn check(&self) -> io::Result<()> {
        if self.link == Link::OneFile && !is_one_file(&self.own, &self.lock) {
            return Err(io::Error::other("somebody removed the lock meanwhile"));
        }
        Ok(())
    }

    /// Deletes the file, if it exists.
    ///
    /// # Errors
    ///
    /// If it cannot be deleted.
    pub fn delete(self, flushing: Flushing) -> Result<(), RefError> {
        let deleted = match fs::remove_file(&self.target) {
            Err(error) if !is_missing(&error) => Err(error),
            Err(_) => Ok(()),
            Ok(()) => flush_folder_of(&self.target, flushing),
        };
        deleted.map_err(|error| RefError::doing(format!("cannot delete {}", self.target.display()), error))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // A file that cannot be removed now is removed by the next process.
        let _ = match self.link {
            Link::Apart => fs::remove_file(&self.lock).and_then(|()| fs::remove_file(&self.own)),
            Link::None | Link::OneFile => release(&self.own, &self.lock),
        };
    }
}

/// Removes our own link, and before that the lock if both are the same file.
pub(super) fn release(own: &Path, lock: &Path) -> io::Result<()> {
    if is_one_file(own, lock) {
        fs::remove_file(lock)?;
    }
    match fs::remove_file(own) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn lock_of(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn flush_folder_of(file: &Path, flushing: Flushing) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| flushing.folder(folder))
}

/// Whether the error says that there is no such file, or that there cannot be one.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

/// Removes a directory that contains nothing but empty directories.
pub(super) fn remove_empty_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty_folders(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

/// Does something that needs the directory of `path`. Other processes remove empty directories, and may do so again
/// right after it was created, or while it is being created. Each of them does so once, so that one of the attempts
/// succeeds.
fn in_its_folder<T>(
    repo: &gix::Repository,
    path: &Path,
    mut make: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    const ATTEMPTS: usize = 32;
    let mut made = make();
    for _ in 0..ATTEMPTS {
        match made {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match path.parent().map_or(Ok(()), |folder| make_folders(repo, folder)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => made = make(),
                }
            }
            result => return result,
        }
    }
    made
}

/// Creates the hard link `lock` to `own`, unless that name is taken.
fn link(own: &Path, lock: &Path) -> io::Result<Link> {
    match fs::hard_link(own, lock) {
        Ok(()) if is_one_file(own, lock) => Ok(Link::OneFile),
        // With sshfs each name has an inode number of its own.
        Ok(()) => Ok(Link::Apart),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) =>
        {
            File::create_new(lock).map(|_| Link::Apart)
        }
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn is_one_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (fs::symlink_metadata(one), fs::symlink_metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// Without inode numbers, the creation time and the content are compared.
#[cfg(not(unix))]
fn is_one_file(one: &Path, other: &Path) -> bool {
    match (fs::symlink_metadata(one), fs::symlink_metadata(other)) {
        (Ok(one_is), Ok(other_is)) => {
            one_is.created().ok() == other_is.created().ok()
                && one_is.modified().ok() == other_is.modified().ok()
                && fs::read(one).ok() == fs::read(other).ok()
        }
        _ => false,
    }
}
