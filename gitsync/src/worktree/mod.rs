//! Taking the work tree and the index from one tree to another, and nothing of the user's with it.
//!
//! It goes in three steps. [`look`] finds the paths that differ between the trees and what is on disk there; [`plan`]
//! decides, purely, what is to be done at each, or why it must not be; [`apply`] does it, looking at every path once
//! more right before it is changed. What it replaces is moved aside and not deleted, and kept until the branch has
//! moved too: so a run that meets a change of the user's half-way, or is killed, is undone byte by byte.
//!
//! gix checks out into empty folders only; over files that are there it writes without looking.

mod apply;
pub mod aside;
mod clear;
mod create;
pub mod diff;
pub mod disk;
mod draft;
mod folder;
mod here;
pub mod journal;
mod leavings;
mod look;
mod plan;
mod recover;
mod smudge;
mod swap;
mod undo;
mod way;
mod young;

use std::fmt;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::index::entry::Mode;

pub use apply::{Applied, Done, apply};
pub use journal::Pending;
pub use leavings::Leavings;
pub use look::{EntryFacts, Facts, OnDisk, PathFacts, look};
pub use plan::{Op, Step, UpdatePlan, plan};
pub use recover::{Recovered, recover};
pub use undo::undo;

use crate::path::Hostile;

/// A file, a link or a submodule, as a tree has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// Its object.
    pub id: ObjectId,
    /// Its kind.
    pub mode: Mode,
}

/// A path that must not be changed. While there is one, none is.
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
    /// Something is staged for it that is not committed.
    Staged,
    /// Its file was edited.
    Edited,
    /// It was edited, and marked as assume-unchanged or skip-worktree so that git does not look; it will not go away by
    /// itself.
    EditedOutOfSight,
    /// A file, link or folder that is not in the index is in the way.
    InTheWay(BString),
    /// A folder has to go for it, and that is the current directory, or around it.
    UnderFoot,
    /// It cannot be looked at or written; the reason in words.
    Unusable(String),
}

impl Why {
    /// Whether to commit what is there and start over can help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Why::Staged | Why::Edited | Why::InTheWay(_))
    }

    /// Whether a commit takes it, whatever it was last time. What is not in the index may be ignored.
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
