//! Detects commits that only replace one file by another version of it.
//!
//! Most commits of `git notes` do that. A walk compares the trees of a commit anyway, so a caller who needs to know
//! this does not have to compare them again.

use gix::ObjectId;

/// A file that was replaced by another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// The blob before.
    pub old: ObjectId,
    /// The blob after.
    pub new: ObjectId,
}

/// The changes of a commit that were found so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SingleChange {
    /// At most one tree entry differs at each level.
    #[default]
    Folders,
    /// In addition, one file differs in the innermost tree.
    File(Replaced),
    /// Anything else.
    More,
}

impl SingleChange {
    /// Records a file that differs from its `versions` in the parents.
    pub fn file(&mut self, new: ObjectId, versions: &[ObjectId]) {
        *self = match (*self, versions) {
            (Self::Folders, [old]) => Self::File(Replaced { old: *old, new }),
            _ => Self::More,
        };
    }

    /// Records a change of another kind, or one that is not examined.
    pub fn is_more(&mut self) {
        *self = Self::More;
    }

    /// Returns the file that was replaced, if that is the only change.
    pub fn replaced(self) -> Option<Replaced> {
        match self {
            Self::File(replaced) => Some(replaced),
            Self::Folders | Self::More => None,
        }
    }
}
