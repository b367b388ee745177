//! The three-way merge of two notes trees, as `git notes merge` does it.
//!
//! Only what the remote changed is looked at, so its cost and memory go by the changes. A note that one side alone
//! changed is taken, a removal too; one that both changed alike is taken once; the rest is for the strategy.

mod crew;
mod fanned;
mod folder;
mod note;
mod notes;

use anyhow::Result;
use gix::{ObjectId, Repository};
use remote::Recent;

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
    /// What both sides started from; none where they have no common history.
    pub base: Option<ObjectId>,
    /// The notes here.
    pub local: ObjectId,
    /// The notes there.
    pub remote: ObjectId,
}

/// A merge that was made in the object database; no ref knows of it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The merged tree.
    pub tree: ObjectId,
    /// What became of the local notes.
    pub counts: Counts,
    /// Notes that were no bags of lines, and whose lines were sorted all the same.
    pub shredded: Vec<Annotated>,
}

/// How many notes a merge touched, seen from the local notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Notes that came in.
    pub added: u64,
    /// Notes that were replaced by the remote's.
    pub changed: u64,
    /// Notes that the remote had removed.
    pub removed: u64,
    /// Notes changed differently on both sides.
    pub combined: u64,
}

impl Counts {
    /// Both together.
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
/// Where an object is missing or damaged, or cannot be written.
pub fn merge(repo: &Repository, trees: Trees, strategy: Strategy) -> Result<Merged> {
    merge_knowing(repo, &Recent::default(), trees, strategy)
}

/// The same, where some of the `latest` trees and notes of this side are in memory.
///
/// # Errors
/// As for [`merge`].
pub fn merge_knowing(repo: &Repository, latest: &Recent, trees: Trees, strategy: Strategy) -> Result<Merged> {
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

/// Counts what came in where the local notes are simply replaced by the remote's.
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
