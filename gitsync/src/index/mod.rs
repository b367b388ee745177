//! Reads the index, holds its lock, edits it in memory, and writes it so that it survives a power failure.
//!
//! Without this module the run would work on gix's cached copy of an index that another process has since changed,
//! write the parts that gix cannot write (a split or a sparse index) in a wrong form, and write entries that hide an
//! edit made in the second in which the file was examined.

mod edit;
mod lock;
mod patch;
mod revised;
mod write;
mod writing;

use gix::bstr::BString;
use gix::index::entry::Flags;

pub use edit::{Edit, Edits, Put};
pub use lock::{Acquire, HeldBy, Lock, clear, lock};
pub use revised::Revised;
pub use scan::{Sparse, read_index as read_at};
pub use write::Looked;
pub use writing::{Writing, Written};

/// Reads the index from disk for examining the working tree, without decoding it; see [`scan::Index::read`].
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn open(repo: &gix::Repository) -> anyhow::Result<scan::Index> {
    scan::Index::read(repo, &repo.index_path())
}

/// Reads the index from disk; an empty one if there is none yet.
///
/// A split index is returned whole, a sparse one with every file of the directories that it had collapsed.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn read(repo: &gix::Repository) -> anyhow::Result<gix::index::File> {
    read_at(repo, &repo.index_path())
}

/// The paths with several stages in the index, since a merge has not been finished.
pub fn unmerged(index: &gix::index::State) -> Vec<BString> {
    let mut paths: Vec<BString> = index
        .entries()
        .iter()
        .filter(|entry| entry.stage_raw() != 0)
        .map(|entry| entry.path(index).to_owned())
        .collect();
    paths.dedup();
    paths
}

/// Like [`unmerged`], for an index that is decoded only if necessary.
///
/// # Errors
/// It is damaged.
pub fn unmerged_in(index: &scan::Index) -> anyhow::Result<Vec<BString>> {
    Ok(if index.is_unmerged() { unmerged(index.decoded()?) } else { Vec::new() })
}

/// Whether git examines the working tree for this entry at all.
///
/// `present` tells whether something is on disk at its path: in a sparse checkout, an entry whose file exists anyway
/// counts like any other.
pub fn is_checked_by_status(flags: Flags, sparse: &Sparse, present: bool) -> bool {
    !flags.contains(Flags::ASSUME_VALID) && !is_skip_worktree(flags, sparse, present)
}

/// Whether the entry's file is left out of the working tree on purpose.
pub fn is_skip_worktree(flags: Flags, sparse: &Sparse, present: bool) -> bool {
    flags.contains(Flags::SKIP_WORKTREE) && !(sparse.is_on() && present)
}
