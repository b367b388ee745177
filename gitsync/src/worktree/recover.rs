//! Repairs what a run killed during an update left behind, before anything else is examined.

use gix::ObjectId;
use gix::bstr::BString;

use super::journal::Pending;
use super::undo::undo;
use crate::index::HeldBy;
use crate::watch::Watch;

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// No update was left unfinished.
    Nothing,
    /// The update had been made and the branch had moved; only its record was left.
    Finished,
    /// The update was undone.
    RolledBack {
        /// The paths that the update was about.
        paths: Vec<BString>,
    },
    /// It cannot be undone, since another process holds the index lock.
    Held(HeldBy),
}

/// Repairs what a killed run left. Must be called while holding the run's lock, before anything is examined. `head`
/// is the tree of the branch.
///
/// # Errors
/// The record is damaged or a file cannot be moved back; the error names it.
pub fn recover(repo: &gix::Repository, head: ObjectId, watch: &dyn Watch) -> anyhow::Result<Recovered> {
    match Pending::load(repo)? {
        None => Ok(Recovered::Nothing),
        Some(pending) if pending.to == head => pending.finish().map(|()| Recovered::Finished),
        Some(pending) => undo(repo, pending, head, watch),
    }
}
