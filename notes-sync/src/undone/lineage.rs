//! Which commits of notes stand on which, as far as they were looked at.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use anyhow::{Context, Result, ensure};
use gix::{ObjectId, bstr::ByteSlice, object::Kind, objs::FindExt};
use remote::Commit;

use super::{RESTORED, command::Command};
use crate::commits::Commits;

/// What a commit is, by its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A command of git made it that changes notes in one way.
    Command(Command),
    /// It put back what those behind it undid.
    Restores,
    /// Anything else.
    Other,
}

/// Commits and what they stand on.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    commits: HashMap<ObjectId, (Commit, What)>,
}

impl Lineage {
    /// Takes in the commits behind `tips` that are not behind `hidden`, and says which those are, the newer ones
    /// roughly first.
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

    /// A commit and what it is, if it was taken in.
    pub(super) fn get(&self, id: ObjectId) -> Option<(&Commit, What)> {
        self.commits.get(&id).map(|(commit, what)| (commit, *what))
    }

    /// `tips` and what they stand on.
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

    /// What lies behind one that put things back, and so was looked at when that was made.
    pub(super) fn settled(&self, tips: &[ObjectId]) -> HashSet<ObjectId> {
        let restoring = self.behind(tips).into_iter().filter_map(|id| match self.commits.get(&id) {
            Some((commit, What::Restores)) => Some(commit.parents.iter().copied()),
            _ => None,
        });
        self.behind(&restoring.flatten().collect::<Vec<_>>())
    }
}

/// What a commit is.
pub(super) fn what(commits: Commits<'_>, id: ObjectId) -> Result<What> {
    let mut buffer = Vec::new();
    let commit = commits.objects().find(&id, &mut buffer)?;
    ensure!(commit.kind == Kind::Commit, "the commit {id} is damaged");
    // Nothing else of it matters here. Lines of a signature that are empty begin with a space. A commit that ends after
    // its headers has no message.
    let message = commit.data.split_once_str("\n\n").map_or(&b""[..], |(_, message)| message);
    Ok(match Command::of(message.as_bstr()) {
        _ if message.starts_with(RESTORED.as_bytes()) => What::Restores,
        Some(command) => What::Command(command),
        None => What::Other,
    })
}
