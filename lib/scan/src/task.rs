//! What there is to be looked at in a scan, and where its paths are looked up.

use std::ops::Range;
use std::sync::Arc;

use gix::bstr::{BStr, BString};

use crate::folder::Folder;

/// Something to be looked at.
pub enum Task {
    /// A folder, with all that lies below it.
    Folder(Unread),
    /// Tracked files that lie directly in a folder, by their places in the index.
    Files(Place, Vec<usize>),
}

/// Where paths are looked up: an open folder, and how many bytes of a whole path lead to it.
#[derive(Clone)]
pub struct Place {
    /// The folder.
    pub folder: Arc<Folder>,
    skip: usize,
}

impl Place {
    /// An open folder, whose path is `path`.
    pub fn of(folder: Folder, path: &BStr) -> Self {
        Place { folder: Arc::new(folder), skip: path.len() + 1 }
    }

    /// The rest of a path from here on.
    pub fn rest<'p>(&self, path: &'p BStr) -> &'p [u8] {
        &path[self.skip..]
    }
}

/// A folder that has not been read yet.
pub struct Unread {
    /// An open folder that it lies in, not always directly.
    pub within: Place,
    /// Where it lies; the root is the empty path.
    pub path: BString,
    /// What the index has below it.
    pub entries: Range<usize>,
    /// What the index says of it.
    pub standing: Standing,
}

/// What the index says of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has files below it.
    Tracked,
    /// It has nothing there.
    Untracked,
    /// It has a file there.
    WasFile,
}

impl Task {
    /// The root of the work tree, with all `entries` of the index.
    pub fn root(folder: Folder, entries: usize) -> Self {
        let (within, path) = (Place { folder: Arc::new(folder), skip: 0 }, BString::default());
        Task::Folder(Unread { within, path, entries: 0..entries, standing: Standing::Tracked })
    }
}
