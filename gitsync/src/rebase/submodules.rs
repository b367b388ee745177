//! Merges submodules that both sides moved on to another commit.
//!
//! If one of the commits contains the other, there is nothing to decide, and the newer one is taken; see
//! `merge_submodule` in git's `merge-ort.c`. As there, the submodule must be checked out.

use gix::ObjectId;
use gix::bstr::BStr;
use store::History;

use crate::history::is_ancestor;

/// Returns the one of both sides' commits that contains the other, or `None` if neither does or that cannot be
/// determined.
pub fn newest(
    repo: &gix::Repository,
    path: &BStr,
    base: Option<ObjectId>,
    ours: ObjectId,
    theirs: ObjectId,
) -> Option<ObjectId> {
    let base = base?;
    let submodule = open(repo, path)?;
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
