//! Moves the working tree and the index from one tree to another without losing any change of the user's.
//!
//! There are three steps. [`look()`] finds the paths that differ between the trees and what is on disk there. [`plan()`]
//! decides, as a pure function, what to do at each path, or why it must not be touched. [`apply()`] carries that out,
//! checking every path once more right before changing it. Replaced files are moved aside instead of deleted, and
//! kept until the branch has moved too: a run that meets a change of the user's half-way, or is killed, can be undone
//! byte by byte.
//!
//! gix checks out into empty directories only; it overwrites existing files without looking at them.

mod apply;
pub mod backup;
mod clear;
mod create;
mod current_dir;
pub mod diff;
mod dir;
pub mod disk;
mod draft;
pub mod journal;
mod leading_dirs;
mod look;
mod plan;
mod racy;
mod recover;
mod smudge;
mod swap;
mod trash;
mod undo;

use std::fmt;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::index::entry::Mode;

pub use apply::{Applied, Done, apply};
pub use journal::Pending;
pub use look::{EntryFacts, Facts, OnDisk, PathFacts, look};
pub use plan::{Op, Step, UpdatePlan, plan};
pub use recover::{Recovered, recover};
pub use trash::Trash;
pub use undo::undo;

use crate::path::Hostile;

/// A tree entry that is a file, a symbolic link or a submodule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// Its object id.
    pub id: ObjectId,
    /// Its mode.
    pub mode: Mode,
}

/// A path that must not be changed. If there is any, no path is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The path.
    pub path: BString,
    /// The reason.
    pub why: Why,
}

/// Why a path must not be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The incoming tree has a name that must not be written.
    Hostile(Hostile),
    /// A change of it is staged but not committed.
    Staged,
    /// Its file was edited.
    Edited,
    /// It was edited, but is marked assume-unchanged or skip-worktree so that git does not look at it; committing
    /// will not resolve this.
    EditedOutOfSight,
    /// A file, symbolic link or directory that is not in the index is in the way.
    InTheWay(BString),
    /// A directory would have to be removed for it, but the current directory is that directory or below it.
    UnderFoot,
    /// It cannot be examined or written; the reason as text.
    Unusable(String),
}

impl Why {
    /// Whether committing what is there and starting over can help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Why::Staged | Why::Edited | Why::InTheWay(_))
    }

    /// Whether a commit includes it in any case. A path that is not in the index may be ignored.
    pub fn is_of_the_index(&self) -> bool {
        matches!(self, Why::Staged | Why::Edited)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Hostile(why) => write!(f, "{why}"),
            Why::Staged => write!(f, "a change of it is staged"),
            Why::Edited => write!(f, "it was changed meanwhile"),
            Why::EditedOutOfSight => write!(f, "it was changed, and is marked so that git does not see it"),
            Why::InTheWay(what) => write!(f, "{what} is in the way, and not in the repository"),
            Why::UnderFoot => write!(f, "the current directory is there"),
            Why::Unusable(why) => write!(f, "{why}"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", gix::quote::ansi_c::quote(self.path.as_bstr()), self.why)
    }
}
