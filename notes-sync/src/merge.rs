//! Merges two notes trees three-way, as `git notes merge` does.
//!
//! Only subtrees that the remote changed are read, so time and memory grow with the number of changes. A note that
//! only one side changed or removed is taken from that side; one that both changed alike is taken once; all others
//! are combined by the strategy.

mod fanout;
mod folder;
mod note;
mod notes;
mod parallel;

use anyhow::Result;
use gix::{ObjectId, Repository};
use store::RecentObjects;

use crate::{
    commits::Commits,
    strategy::Strategy,
    tree::Outcome,
    tree::diff,
    tree::layout::{Annotated, Prefix},
    tree::raw::Sides,
};

use folder::Worker;

/// The trees of a merge.
#[derive(Debug, Clone, Copy)]
pub struct Trees {
    /// The tree of the merge base; `None` if there is no common history.
    pub base: Option<ObjectId>,
    /// The local notes.
    pub local: ObjectId,
    /// The remote's notes.
    pub remote: ObjectId,
}

/// The result of a merge, in the object database; no ref points to it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The merged tree.
    pub tree: ObjectId,
    /// What the merge did to the local notes.
    pub counts: Counts,
    /// Notes with a structure (see [`crate::records::has_structure`]) whose lines were sorted nevertheless.
    pub shredded: Vec<Annotated>,
}

/// How many notes a merge changed, relative to the local notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Notes added by the remote.
    pub added: u64,
    /// Notes replaced by the remote's version.
    pub changed: u64,
    /// Notes removed by the remote.
    pub removed: u64,
    /// Notes changed differently on both sides.
    pub combined: u64,
}

impl Counts {
    /// Returns the sum of both.
    pub fn plus(self, other: Self) -> Self {
        Self {
            added: self.added + other.added,
            changed: self.changed + other.changed,
            removed: self.removed + other.removed,
            combined: self.combined + other.combined,
        }
    }
}

/// What a merge counts on its way.
#[derive(Debug, Clone, Default)]
struct Tally {
    counts: Counts,
    shredded: Vec<Annotated>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.counts = self.counts.plus(other.counts);
        self.shredded.extend(other.shredded);
    }
}

/// Merges the notes of two trees; new objects are written to `repo`.
///
/// # Errors
/// If an object is missing or damaged, or cannot be written.
pub fn merge(repo: &Repository, trees: Trees, strategy: Strategy) -> Result<Merged> {
    merge_knowing(repo, &RecentObjects::default(), trees, strategy)
}

/// Like [`merge`], with some of the `latest` trees and notes of this side in memory.
///
/// # Errors
/// As for [`merge`].
pub fn merge_knowing(
    repo: &Repository,
    latest: &RecentObjects,
    trees: Trees,
    strategy: Strategy,
) -> Result<Merged> {
    let mut worker = Worker::new(repo, latest, strategy);
    let sides = Sides { base: trees.base, local: Some(trees.local), remote: Some(trees.remote) };
    let tree = match worker.folder(&Prefix::default(), sides)? {
        Outcome::Untouched => trees.local,
        Outcome::Gone => repo.write_object(gix::objs::Tree::empty())?.detach(),
        Outcome::Leftover(tree) | Outcome::One(tree) | Outcome::Many(tree) => tree,
    };
    let Tally { counts, mut shredded } = worker.tally;
    shredded.sort_unstable();
    Ok(Merged { tree, counts, shredded })
}

/// Counts the changes of a fast-forward, where the remote's notes replace the local ones.
///
/// # Errors
/// As for [`merge`].
pub fn count(commits: Commits<'_>, local: Option<ObjectId>, remote: ObjectId) -> Result<Counts> {
    let mut counts = Counts::default();
    for change in diff::changes(commits.repo, &commits.objects(), local, Some(remote))?.notes.values() {
        counts.take(change.old, change.new);
    }
    Ok(counts)
}

impl Counts {
    fn take(&mut self, old: Option<ObjectId>, new: Option<ObjectId>) {
        match (old, new) {
            (None, Some(_)) => self.added += 1,
            (Some(_), Some(_)) => self.changed += 1,
            (_, None) => self.removed += 1,
        }
    }
}
