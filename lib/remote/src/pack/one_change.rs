//! Whether a commit did no more than to replace one file.
//!
//! That is what most commits of `git notes` do. A walk compares their trees anyway, so that whoever needs to know does
//! not have to compare them once more.

use gix::ObjectId;

/// A file that took the place of another version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// What it was.
    pub old: ObjectId,
    /// What it is.
    pub new: ObjectId,
}

/// What was seen so far of what a commit changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum OneChange {
    /// Folders that are the same but for one entry, at most.
    #[default]
    Folders,
    /// A file in the last of these.
    File(Replaced),
    /// Something else.
    More,
}

impl OneChange {
    /// There is a file that differs from those in its place.
    pub fn file(&mut self, new: ObjectId, versions: &[ObjectId]) {
        *self = match (*self, versions) {
            (Self::Folders, [old]) => Self::File(Replaced { old: *old, new }),
            _ => Self::More,
        };
    }

    /// There is something that is not known, or not looked at.
    pub fn is_more(&mut self) {
        *self = Self::More;
    }

    /// The file that was replaced, if that is all.
    pub fn replaced(self) -> Option<Replaced> {
        match self {
            Self::File(replaced) => Some(replaced),
            Self::Folders | Self::More => None,
        }
    }
}
