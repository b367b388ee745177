//! Settles submodules that both sides moved on to another commit.
//!
//! A tree merge does not know the history of submodules, and reports a conflict. But if one of the commits contains
//! the other, there is nothing to decide, and git takes the newer one; see `merge_submodule` in git's `merge-ort.c`.
//! As there, the submodule must be checked out.

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};
use gix::merge::plumbing::tree::{Conflict, Outcome, ResolutionFailure};
use gix::objs::tree::EntryKind;
use store::History;

use crate::history::is_ancestor;

/// Resolves the conflicts that the histories of the submodules decide.
///
/// # Errors
/// The merged tree cannot be changed.
pub fn settle(repo: &gix::Repository, outcome: &mut Outcome<'_>) -> anyhow::Result<()> {
    let mut left = Vec::with_capacity(outcome.conflicts.len());
    for conflict in std::mem::take(&mut outcome.conflicts) {
        match newest(repo, &conflict) {
            Some(commit) => {
                let path = conflict.ours.location().split_str("/");
                outcome.tree.upsert(path, EntryKind::Commit, commit)?;
            }
            None => left.push(conflict),
        }
    }
    outcome.conflicts = left;
    Ok(())
}

/// Returns the one of both sides' commits that contains the other, or `None` if neither does or that cannot be
/// determined.
fn newest(repo: &gix::Repository, conflict: &Conflict) -> Option<ObjectId> {
    if !matches!(conflict.resolution, Err(ResolutionFailure::SubmoduleMerge)) {
        return None;
    }
    let [base, ours, theirs] = conflict.entries().map(|entry| entry.map(|entry| entry.id));
    let (base, ours, theirs) = (base?, ours?, theirs?);
    let submodule = open(repo, conflict.ours.location())?;
    let history = History::of(&submodule);
    let contains = |newer: ObjectId, older: ObjectId| {
        is_ancestor(&submodule, &history, older, newer).is_ok_and(|contained| contained)
    };
    // A side that went back to an older commit did so on purpose.
    if !contains(ours, base) || !contains(theirs, base) {
        return None;
    }
    if contains(theirs, ours) {
        return Some(theirs);
    }
    contains(ours, theirs).then_some(ours)
}

fn open(repo: &gix::Repository, path: &BStr) -> Option<gix::Repository> {
    let folder = repo.workdir()?.join(gix::path::from_bstr(path).ok()?);
    // Only commits are read: neither the configuration nor the owner matters.
    gix::open_opts(folder, gix::open::Options::isolated().strict_config(false)).ok()
}
