//! Describes the result of merging one tree of a notes tree, as far as its parent needs to know.

use gix::ObjectId;

/// The result of merging a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The local tree stays as it is.
    Untouched,
    /// It is empty now.
    Gone,
    /// No notes are left, but other entries are.
    Leftover(ObjectId),
    /// One note, in this tree.
    One(ObjectId),
    /// Several notes, in this tree.
    Many(ObjectId),
}
