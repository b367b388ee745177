//! Which files of a work tree differ from the index, and which are not in it.
//!
//! A run that has nothing to do spends its time here, so this is written for that case. Each folder is opened once and
//! listed; the listing is held against the folder's part of the index, which is sorted; tracked files are looked at by
//! their name within the open folder, so that no path is put together or walked again; and subtrees are shared among
//! the processors. A status of git's looks at the index first, path by path, and walks the folders afterwards, alone.
//!
//! It only looks: at folders, at stat data, and at the ignore rules where there is a name that the index does not know.
//! Whatever it leaves out is unchanged by git's own rules, those of racy timestamps included; whatever is in doubt is
//! said to be, and its reader decides.
//! See <https://git-scm.com/docs/racy-git>, <https://git-scm.com/docs/gitignore>.

mod ahead;
mod children;
mod compare;
mod content;
mod folder;
mod ignored;
mod index;
mod memory;
mod names;
mod nested;
mod pool;
mod raw;
mod sparse;
#[cfg(unix)]
mod stat;
mod task;
mod walk;
mod worker;

use gix::bstr::{BStr, BString};
use gix::index::entry::Stat;

pub use ahead::Ahead;
pub use compare::Abilities;
pub use index::{AsWritten, Entry, Index, first_without, read as read_index};
pub use memory::Learnt;
pub use nested::head as nested_head;
pub use sparse::Sparse;
#[cfg(unix)]
pub use stat::in_index;
pub use walk::{Scanned, scan};

/// A path at which work tree and index differ, or may.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The path, as it stands in the index where it does.
    pub path: BString,
    /// What was found there.
    pub seen: Seen,
}

/// What looking found at a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// A file or a link that is neither in the index nor ignored.
    New,
    /// A folder that is a repository of its own, and neither in the index nor ignored.
    NewRepository,
    /// It is in the index and on disk, and may differ.
    Doubtful(Doubt),
    /// It is in the index, and gone from the work tree.
    Gone,
    /// The index holds several versions of it, since a merge has not been finished.
    Unmerged,
}

/// Why an entry of the index may not be what is on disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Doubt {
    /// The reason.
    pub reason: Reason,
    /// The stat data of what is on disk.
    pub stat: Stat,
}

/// What makes an entry doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is of another kind, or executable where it was not, or the other way round: it has changed.
    Kind,
    /// Its stat data differ, or the entry is marked to be read.
    Stat,
    /// Its stat data are the entry's; they are only too young to be believed.
    Racy,
}

/// What a scan is for. What is not of interest is not looked at, which saves its time.
pub trait Interest: Sync {
    /// Whether a file that lies directly in the folder `path` may be of interest. The root is the empty path.
    fn in_folder(&self, _path: &BStr) -> bool {
        true
    }

    /// Whether the file, link or nested repository at `path` is of interest.
    fn at(&self, _path: &BStr) -> bool {
        true
    }
}

/// All paths are of interest.
#[derive(Debug, Clone, Copy)]
pub struct Everything;

impl Interest for Everything {}
