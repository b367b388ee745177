//! Takes `index.lock` before files are examined, so that nothing is staged before the index is written.
//!
//! A run that is killed leaves the file behind, and then every git command and every later run fails until someone
//! removes it. Removing it by its age would be a guess, and might remove another process's lock. So the file is
//! created in two steps: first a file of our own beside it, then a hard link to that file, named `index.lock`. As
//! long as both names lead to the same file, the lock is provably ours; and since there is one run at a time (the
//! run's own lock ensures that), its holder is dead, and it may be removed. A run that is ended by a signal removes
//! its lock before it exits.
//!
//! On a file system without hard links (exFAT), or where linked names cannot be recognized as one file (sshfs), there
//! is only the name `index.lock`, and that of a killed run has to be removed by hand, as with git.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use signals::{LockFile, Names, Section};

use super::Revised;

/// The result of asking for the lock.
pub enum Acquire {
    /// It is ours.
    Ours(Lock),
    /// Another process holds it.
    Held(HeldBy),
}

/// A lock that another process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBy {
    /// The lock file.
    pub path: PathBuf,
    /// How long ago it was created, if that is known.
    pub age: Option<Duration>,
}

/// The held `index.lock`. Dropping it releases it and leaves the index as it was.
pub struct Lock {
    /// The index itself.
    pub(super) index: PathBuf,
    /// `index.lock`.
    pub(super) path: PathBuf,
    /// Our own name for the same file; `index.lock` itself if it can have no second name.
    own: PathBuf,
    /// A copy of the index for hooks to work on.
    private: PathBuf,
    /// The lock file's content, which becomes the index.
    pub(super) file: File,
    /// What a signal that ends the process does with the lock file.
    pub(super) at_signal: LockFile,
}

/// Takes `index.lock` of the repository's worktree, after removing what a killed run of ours left behind.
///
/// # Errors
/// The file cannot be created, for lack of permission or space.
pub fn lock(repo: &gix::Repository) -> anyhow::Result<Acquire> {
    lock_by(repo, |own, path| fs::hard_link(own, path))
}

fn lock_by(
    repo: &gix::Repository,
    hard_link: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> anyhow::Result<Acquire> {
    let (index, [path, own, private]) = names(repo);
    // Once a signal has begun to end the process, no lock is taken any more.
    let _section = Section::begin();
    clear_remains(&path, &own, &private).with_context(|| format!("cannot clear {}", own.display()))?;
    let file =
        open(&own, true).with_context(|| format!("cannot write beside the index: {}", own.display()))?;
    let made = match hard_link(&own, &path) {
        Ok(()) if is_file_at(&file, &path) => Ok((file, own)),
        linked => {
            drop(file);
            let _ = fs::remove_file(&own);
            let is_there = match linked {
                Err(error) if !lacks_hard_links(&error) => Err(error),
                linked => Ok(linked.is_ok()),
            };
            is_there.and_then(|is_there| open(&path, !is_there)).map(|file| (file, path.clone()))
        }
    };
    match made {
        Ok((file, own)) => {
            let at_signal = LockFile::new(&file, Names { own: &own, lock: &path, target: &index });
            Ok(Acquire::Ours(Lock { index, path, own, private, file, at_signal }))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let made = fs::metadata(&path).and_then(|meta| meta.modified());
            let age = made.ok().and_then(|time| time.elapsed().ok());
            Ok(Acquire::Held(HeldBy { path, age }))
        }
        Err(error) => Err(error).with_context(|| format!("cannot take {}", path.display())),
    }
}

/// Opens a file for reading and writing; if `new`, creates it, and it must not exist.
fn open(path: &Path, new: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(new).open(path)
}

/// Whether a hard link failed because the file system has none.
fn lacks_hard_links(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported)
}

/// Removes what a killed run of ours left of its lock, for a run that may not need the index: git needs it.
///
/// # Errors
/// It cannot be removed.
pub fn clear(repo: &gix::Repository) -> anyhow::Result<()> {
    let (_, [path, own, private]) = names(repo);
    clear_remains(&path, &own, &private).with_context(|| format!("cannot clear {}", own.display()))
}

/// The path of the index, and those of the lock, of our own file beside it, and of the copy for hooks.
fn names(repo: &gix::Repository) -> (PathBuf, [PathBuf; 3]) {
    let index = repo.index_path();
    let beside = [".lock", ".lockstep", ".lockstep-private"].map(|suffix| with_suffix(&index, suffix));
    (index, beside)
}

impl Lock {
    /// Writes `index` to where a hook may find and change it (`GIT_INDEX_FILE`), and returns that path.
    ///
    /// It is a separate file, as for `git commit --only`: a hook that runs `git add` takes `<that file>.lock`, while
    /// `index.lock` stays ours. Read it back with [`super::read_at`].
    ///
    /// # Errors
    /// It cannot be written.
    pub fn private_copy(&mut self, repo: &gix::Repository, index: &Revised) -> anyhow::Result<PathBuf> {
        let mut file = File::create(&self.private)
            .with_context(|| format!("cannot write {}", self.private.display()))?;
        super::write::serialise(repo, index, None, &mut file)?;
        Ok(self.private.clone())
    }
}

impl Lock {
    /// Makes the lock file's content the index, atomically.
    pub(super) fn rename(&mut self) -> io::Result<()> {
        if !is_file_at(&self.file, &self.own) {
            // A run that took the lock over has removed only our own file. If the whole directory is gone, report
            // that instead.
            if let Some(folder) = self.own.parent() {
                folder.read_dir()?;
            }
            return Err(io::Error::other("the lock was taken over"));
        }
        // Rename `index.lock` rather than our own name, since it would block others if we were killed right after
        // this.
        fs::rename(&self.path, &self.index)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A run that was suspended and taken over may resume and find files of the same names that are not its own.
        if !is_file_at(&self.file, &self.own) {
            return;
        }
        let _ = fs::remove_file(&self.private);
        if is_file_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
        let _ = fs::remove_file(&self.own);
    }
}

/// Removes what a killed run left: its lock, if provably one of ours, and its own files.
fn clear_remains(path: &Path, own: &Path, private: &Path) -> io::Result<()> {
    remove_if_there(private)?;
    remove_if_there(&with_suffix(private, ".lock"))?;
    if !own.try_exists()? {
        return Ok(());
    }
    if is_same_file(path, own)? {
        remove_if_there(path)?;
    }
    remove_if_there(own)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_same_file(a: &Path, b: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(a), Ok(b)) = (fs::symlink_metadata(a), fs::symlink_metadata(b)) else { return Ok(false) };
    Ok((a.dev(), a.ino()) == (b.dev(), b.ino()))
}

/// Whether `path` leads to the open `file`.
#[cfg(unix)]
fn is_file_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(file), Ok(found)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (file.dev(), file.ino()) == (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn is_same_file(a: &Path, b: &Path) -> io::Result<bool> {
    // Inode numbers are not available: compare size, creation and modification time instead.
    let (Ok(a), Ok(b)) = (fs::metadata(a), fs::metadata(b)) else { return Ok(false) };
    Ok(a.len() == b.len() && a.created().ok() == b.created().ok() && a.modified().ok() == b.modified().ok())
}

/// Whether `path` leads to the open `file`.
#[cfg(not(unix))]
fn is_file_at(file: &File, path: &Path) -> bool {
    let (Ok(file), Ok(found)) = (file.metadata(), fs::metadata(path)) else { return false };
    file.created().ok() == found.created().ok()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    type Link = fn(&Path, &Path) -> io::Result<()>;

    /// As on exFAT, and as over sshfs, where a hard link looks like a second file.
    const LINKS: [Link; 2] =
        [|_, _| Err(ErrorKind::Unsupported.into()), |own, path| fs::copy(own, path).map(drop)];

    #[test]
    fn nothing_is_left_of_the_lock_where_it_can_have_one_name_only() {
        for link in LINKS {
            let folder = tempfile::tempdir().unwrap();
            let repo = gix::init(folder.path()).unwrap();
            let mut expected = files(&repo);
            for becomes_the_index in [false, true] {
                let Acquire::Ours(mut lock) = lock_by(&repo, link).unwrap() else {
                    panic!("nobody else is here")
                };
                assert!(matches!(super::lock(&repo).unwrap(), Acquire::Held(_)));
                if becomes_the_index {
                    lock.rename().unwrap();
                    expected.insert("index".into());
                }
                drop(lock);
                assert_eq!(files(&repo), expected);
            }
        }
    }

    fn files(repo: &gix::Repository) -> BTreeSet<String> {
        let entries = repo.git_dir().read_dir().unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}
