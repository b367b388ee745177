//! Finds the files of a working tree that differ from the index, and those that are not in it.
//!
//! A run that has nothing to do spends its time here, so this is optimized for that case. Each directory is opened
//! and listed once; the listing is compared with the directory's part of the index, which is sorted; tracked files
//! are looked up by name within the open directory, so that no path is built or resolved again; and subtrees are
//! shared among the processors. `git status`, in contrast, first checks the index path by path, and then walks the
//! directories in a single thread.
//!
//! It only reads: directories, stat data, and the ignore rules where a name is not in the index. What it does not
//! report is unchanged by git's own rules, those of racy entries included; what is in doubt is reported as such, and
//! the caller decides. See <https://git-scm.com/docs/racy-git>, <https://git-scm.com/docs/gitignore>.

mod ahead;
mod children;
mod compare;
mod content;
mod folder;
mod ignored;
mod index;
mod names;
mod nested;
mod pattern;
mod pool;
mod raw;
mod sparse;
#[cfg(unix)]
mod stat;
mod task;
mod untracked_cache;
mod walk;
mod wildmatch;
mod worker;

use gix::bstr::{BStr, BString};
use gix::index::entry::Stat;

pub use ahead::Ahead;
pub use compare::Abilities;
pub use ignored::Ignored;
pub use index::{AsWritten, Entry, Index, first_without, read as read_index};
pub use nested::{NestedHead, head as nested_head};
pub use pattern::Target;
pub use sparse::Sparse;
#[cfg(unix)]
pub use stat::in_index;
pub use untracked_cache::CacheUpdate;
pub use walk::{Scanned, scan};

/// A path at which working tree and index differ, or may differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The path, as it is spelled in the index if it is there.
    pub path: BString,
    /// What was found there.
    pub seen: Status,
}

/// What was found at a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Status {
    /// A file or a symbolic link that is neither in the index nor ignored.
    Untracked,
    /// A directory that is a nested repository, and neither in the index nor ignored.
    EmbeddedRepository,
    /// A path that is in the index and on disk, and may differ.
    MaybeModified(Doubt),
    /// A path that is in the index, and gone from the working tree.
    Deleted,
    /// An unmerged path, which has several stages in the index.
    Unmerged,
}

/// Why an entry of the index may differ from what is on disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Doubt {
    /// The reason.
    pub reason: Reason,
    /// The current stat data of the file.
    pub stat: Stat,
}

/// What makes an entry doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The type or the executable bit differs: the file has changed.
    Kind,
    /// The stat data differ, or the entry is marked to be read.
    Stat,
    /// A racy entry: the stat data are equal, but too recent to be relied on.
    Racy,
}

/// What a scan is for. Paths that are not of interest are not examined, which saves time.
pub trait Interest: Sync {
    /// Whether a file directly in the directory `path` may be of interest. The root is the empty path.
    fn in_folder(&self, _path: &BStr) -> bool {
        true
    }

    /// Whether the file, link or nested repository at `path` is of interest.
    fn at(&self, _path: &BStr) -> bool {
        true
    }
}

/// An interest in all paths.
#[derive(Debug, Clone, Copy)]
pub struct Everything;

impl Interest for Everything {}
