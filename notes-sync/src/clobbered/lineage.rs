//! Caches the commits of notes that were examined, and their ancestry.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use anyhow::{Context, Result, ensure};
use gix::{ObjectId, bstr::ByteSlice, object::Kind, objs::FindExt};
use store::Commit;

use super::{RESTORED, command::Command};
use crate::commits::Commits;

/// The kind of a commit, by its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// It was made by a command of git that changes notes in one way.
    Command(Command),
    /// It restores what commits in its history undid.
    Restores,
    /// Any other commit.
    Other,
}

/// Commits and their kinds.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    commits: HashMap<ObjectId, (Commit, What)>,
}

impl Lineage {
    /// Adds the commits that are reachable from `tips` but not from `hidden`, and returns their ids, roughly the
    /// newest first.
    pub(super) fn grow(
        &mut self,
        commits: Commits<'_>,
        tips: Vec<ObjectId>,
        hidden: Vec<ObjectId>,
    ) -> Result<Vec<ObjectId>> {
        let found = commits.history.between(commits.repo, tips, hidden);
        let found = found.context("cannot read the history of notes")?;
        let ids = found.iter().map(|commit| commit.id).collect();
        for commit in found {
            if let Entry::Vacant(place) = self.commits.entry(commit.id) {
                let what = what(commits, commit.id)?;
                place.insert((commit, what));
            }
        }
        Ok(ids)
    }

    /// Returns a commit and its kind, if it was added.
    pub(super) fn get(&self, id: ObjectId) -> Option<(&Commit, What)> {
        self.commits.get(&id).map(|(commit, what)| (commit, *what))
    }

    /// Returns `tips` and everything reachable from them, among the commits that were added.
    pub(super) fn behind(&self, tips: &[ObjectId]) -> HashSet<ObjectId> {
        let mut behind = HashSet::new();
        let mut waiting = tips.to_vec();
        while let Some(id) = waiting.pop() {
            if let Some((commit, _)) = self.commits.get(&id)
                && behind.insert(id)
            {
                waiting.extend(commit.parents.iter().copied());
            }
        }
        behind
    }

    /// Returns what is reachable from the parents of a restoring commit, and so was examined when that was made.
    pub(super) fn settled(&self, tips: &[ObjectId]) -> HashSet<ObjectId> {
        let restoring = self.behind(tips).into_iter().filter_map(|id| match self.commits.get(&id) {
            Some((commit, What::Restores)) => Some(commit.parents.iter().copied()),
            _ => None,
        });
        self.behind(&restoring.flatten().collect::<Vec<_>>())
    }
}

/// Returns the kind of a commit.
pub(super) fn what(commits: Commits<'_>, id: ObjectId) -> Result<What> {
    let mut buffer = Vec::new();
    let commit = commits.objects().find(&id, &mut buffer)?;
    ensure!(commit.kind == Kind::Commit, "the commit {id} is damaged");
    // Only the message matters here. The first empty line ends the headers: those within a signature begin with a
    // space. A commit that ends after its headers has an empty message.
    let message = commit.data.split_once_str("\n\n").map_or(&b""[..], |(_, message)| message);
    Ok(match Command::of(message.as_bstr()) {
        _ if message.starts_with(RESTORED.as_bytes()) => What::Restores,
        Some(command) => What::Command(command),
        None => What::Other,
    })
}
