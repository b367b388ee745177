//! Reads, compares, edits and writes notes trees.

mod alike;
pub mod diff;
mod edit;
pub mod layout;
mod non_notes;
mod outcome;
pub(crate) mod raw;
mod write;

pub use edit::NotesTree;
pub(crate) use outcome::Outcome;
pub(crate) use write::write_tree;
