//! What a run that was killed during an update left behind, put right before anything is looked at.

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
    /// The update was taken back; these are the paths that it was about.
    RolledBack {
        /// The paths.
        paths: Vec<BString>,
    },
    /// It cannot be taken back, since somebody else holds the index.
    Held(HeldBy),
}

/// Put right what a killed run left. To be called while holding the run's lock, before anything is looked at. `head` is
/// the tree of the branch.
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
