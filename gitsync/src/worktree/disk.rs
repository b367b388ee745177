//! Finds out what is on disk at a repository path, never looking through a symbolic link.
//!
//! `lstat("a/b")` follows `a` if that is a symbolic link, and so may examine, or let others write, files outside the
//! working tree. Git has `has_symlink_leading_path()` for this; here it is a small cache of the directories already
//! checked.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::Stat;
use gix::index::fs::Metadata;

/// The kind of file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, and whether its owner may execute it.
    File {
        /// The owner's executable bit.
        executable: bool,
    },
    /// A symbolic link.
    Link,
    /// A directory.
    Folder,
    /// A pipe, a socket or a device, which git cannot store.
    Other,
}

/// A file system entry, as `lstat` saw it.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Its kind.
    pub kind: Kind,
    /// Its stat data, as the index stores them.
    pub stat: Stat,
    /// Its full length in bytes; the index stores only the low 32 bits.
    pub len: u64,
}

impl Found {
    /// Takes the facts from the result of `lstat` or `fstat`.
    ///
    /// # Errors
    /// Its times cannot be represented, such as one before 1970 on some systems.
    pub fn new(meta: &Metadata) -> io::Result<Self> {
        let kind = if meta.is_symlink() {
            Kind::Link
        } else if meta.is_dir() {
            Kind::Folder
        } else if meta.is_file() {
            Kind::File { executable: meta.is_executable() }
        } else {
            Kind::Other
        };
        Ok(Found { kind, stat: Stat::from_fs(meta).map_err(io::Error::other)?, len: meta.len() })
    }
}

/// The root of the working tree, and which directories below it were found to be real ones.
pub struct Disk {
    root: PathBuf,
    /// The last parent for which every component from the root on was a real directory; empty is the root itself.
    real: BString,
    /// The last path found not to be a real directory.
    unreal: Option<BString>,
}

impl Disk {
    /// Starts at `root`, with nothing checked yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Disk { root: root.into(), real: BString::default(), unreal: None }
    }

    /// The root of the working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where `path` is on disk.
    ///
    /// # Errors
    /// `path` is not a valid path on this system.
    pub fn full(&self, path: &BStr) -> anyhow::Result<PathBuf> {
        full(&self.root, path)
    }

    /// Forgets which directories were real, since something was changed.
    pub fn forget(&mut self) {
        self.real.clear();
        self.unreal = None;
    }

    /// Returns what is at `path`; `None` also if a parent is a symbolic link or a file.
    ///
    /// # Errors
    /// It cannot be determined, for example for lack of permission; the error names the path.
    pub fn look(&mut self, path: &BStr) -> anyhow::Result<Option<Found>> {
        if self.blocked(path)?.is_some() {
            return Ok(None);
        }
        lstat(&self.full(path)?)
    }

    /// Returns the outermost parent of `path` that is not a directory: it is missing, a symbolic link or a file.
    ///
    /// # Errors
    /// It cannot be determined; the error names the path.
    pub fn blocked(&mut self, path: &BStr) -> anyhow::Result<Option<BString>> {
        let Some(parent) = path.rfind_byte(b'/').map(|at| path[..at].as_bstr()) else { return Ok(None) };
        if parent == self.real {
            return Ok(None);
        }
        if let Some(unreal) = &self.unreal
            && is_at_or_below(parent, unreal.as_bstr())
        {
            return Ok(Some(unreal.clone()));
        }
        let known = common_folder(parent, self.real.as_bstr());
        for end in parent.find_iter(b"/").chain([parent.len()]).filter(|end| *end > known) {
            let folder = parent[..end].as_bstr();
            let found = lstat(&self.full(folder)?)?;
            if !matches!(found, Some(Found { kind: Kind::Folder, .. })) {
                self.unreal = Some(folder.to_owned());
                return Ok(Some(folder.to_owned()));
            }
        }
        self.real = parent.to_owned();
        Ok(None)
    }
}

/// Returns where `path` is on disk below `root`.
///
/// # Errors
/// `path` is not a valid path on this system.
pub fn full(root: &Path, path: &BStr) -> anyhow::Result<PathBuf> {
    Ok(root.join(gix::path::from_bstr(path).with_context(|| format!("{path} is no path on this system"))?))
}

/// Returns what is at `full`, if anything.
///
/// # Errors
/// It cannot be determined; the error names the path.
pub fn lstat(full: &Path) -> anyhow::Result<Option<Found>> {
    match Metadata::from_path_no_follow(full).and_then(|meta| Found::new(&meta)) {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot look at {}", full.display())),
    }
}

/// Whether the error means that nothing is there, because the name or a parent directory is missing.
pub fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether `path` is `folder` or below it.
pub fn is_at_or_below(path: &BStr, folder: &BStr) -> bool {
    path.strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// The directory that `path` is in; empty is the root itself.
pub fn parent(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(BStr::new(""), |at| path[..at].as_bstr())
}

/// The parent directories of `path`, outermost first.
pub fn parents(path: &BStr) -> impl DoubleEndedIterator<Item = &BStr> {
    let ends: Vec<usize> = path.find_iter(b"/").collect();
    ends.into_iter().map(move |end| path[..end].as_bstr())
}

/// The length in bytes of the longest directory prefix of `a` (whole components) that `b` is at or below.
fn common_folder(a: &BStr, b: &BStr) -> usize {
    a.find_iter(b"/")
        .chain([a.len()])
        .take_while(|end| is_at_or_below(b, a[..*end].as_bstr()))
        .last()
        .unwrap_or(0)
}
