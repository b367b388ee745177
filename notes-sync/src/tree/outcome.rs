//! What became of one folder of a notes tree, as far as the folder around it needs to know.

use gix::ObjectId;

/// What became of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing came in: it is as it was here.
    Untouched,
    /// Nothing is left of it.
    Gone,
    /// No note is left, but something that is no note.
    Leftover(ObjectId),
    /// A single note, in this tree.
    One(ObjectId),
    /// Several notes, in this tree.
    Many(ObjectId),
}
