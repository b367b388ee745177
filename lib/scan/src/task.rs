//! The tasks of a scan, and the open directories in which their paths are looked up.

use std::ops::Range;
use std::sync::Arc;

use gix::bstr::{BStr, BString};

use crate::folder::Folder;

/// A task.
pub enum Task {
    /// Reads a directory and everything below it.
    Folder(Unread),
    /// Compares tracked files directly in a directory, given by their positions in the index.
    Files(DirectoryHandle, Vec<usize>),
}

/// An open directory in which paths are looked up, and how many bytes of a full path lead to it.
#[derive(Clone)]
pub struct DirectoryHandle {
    /// The directory.
    pub folder: Arc<Folder>,
    skip: usize,
}

impl DirectoryHandle {
    /// An open directory with the path `path`.
    pub fn of(folder: Folder, path: &BStr) -> Self {
        DirectoryHandle { folder: Arc::new(folder), skip: path.len() + 1 }
    }

    /// Returns the rest of a path, relative to this directory.
    pub fn rest<'p>(&self, path: &'p BStr) -> &'p [u8] {
        &path[self.skip..]
    }
}

/// A directory that has not been read yet.
pub struct Unread {
    /// An open directory that contains it, not always directly.
    pub within: DirectoryHandle,
    /// Its path; the root is the empty path.
    pub path: BString,
    /// The index entries below it.
    pub entries: Range<usize>,
    /// Its relation to the index.
    pub standing: Standing,
}

/// How the index relates to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There are entries below it.
    Tracked,
    /// There is no entry at its path or below.
    Untracked,
    /// There is an entry of a file at its path.
    WasFile,
}

impl Task {
    /// The root of the working tree, with all `entries` of the index.
    pub fn root(folder: Folder, entries: usize) -> Self {
        let (within, path) = (DirectoryHandle { folder: Arc::new(folder), skip: 0 }, BString::default());
        Task::Folder(Unread { within, path, entries: 0..entries, standing: Standing::Tracked })
    }
}
