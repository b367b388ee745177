//! The three-way merge of two notes trees, as `git notes merge` does it.
//!
//! Only what the remote changed is looked at, so its cost and memory go by the changes. A note that one side alone
//! changed is taken, a removal too; one that both changed alike is taken once; the rest is for the strategy.

use anyhow::{Context, Result};
use gix::{ObjectId, Repository};

use crate::{
    combine::{self, Combined, Versions},
    others_merge, records,
    strategy::Strategy,
    tree::NotesTree,
    tree::diff::{self, Change, Changes},
    tree::layout::Annotated,
};

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

/// Merges the notes of two trees; new objects are written to `repo`.
///
/// # Errors
/// Where an object is missing or damaged, or cannot be written.
pub fn merge(repo: &Repository, trees: Trees, strategy: Strategy) -> Result<Merged> {
    let theirs = diff::changes(repo, trees.base, Some(trees.remote))?;
    if theirs.notes.is_empty() && theirs.others.is_empty() {
        return Ok(Merged { tree: trees.local, counts: Counts::default(), shredded: Vec::new() });
    }
    let ours = diff::changes(repo, trees.base, Some(trees.local))?;
    let mut merge = Merge {
        repo,
        strategy,
        notes: NotesTree::open(repo, trees.local)?,
        counts: Counts::default(),
        shredded: Vec::new(),
    };
    merge.notes(&ours, &theirs)?;
    others_merge::merge(&mut merge.notes, &ours.others, &theirs.others, strategy)?;
    Ok(Merged { tree: merge.notes.write()?, counts: merge.counts, shredded: merge.shredded })
}

/// Counts what came in where the local notes are simply replaced by the remote's.
///
/// # Errors
/// As for [`merge`].
pub fn count(repo: &Repository, local: Option<ObjectId>, remote: ObjectId) -> Result<Counts> {
    let mut counts = Counts::default();
    for change in diff::changes(repo, local, Some(remote))?.notes.values() {
        counts.take(change.old, change.new);
    }
    Ok(counts)
}

struct Merge<'repo> {
    repo: &'repo Repository,
    strategy: Strategy,
    notes: NotesTree<'repo>,
    counts: Counts,
    shredded: Vec<Annotated>,
}

impl Merge<'_> {
    fn notes(&mut self, ours: &Changes, theirs: &Changes) -> Result<()> {
        for (object, their) in &theirs.notes {
            match ours.notes.get(object) {
                None => {
                    self.counts.take(their.old, their.new);
                    self.notes.set(*object, their.new)?;
                }
                Some(our) if our.new == their.new => {}
                Some(our) => {
                    self.counts.combined += 1;
                    self.combine(*object, *our, *their)
                        .with_context(|| format!("cannot merge the notes about {}", object.0))?;
                }
            }
        }
        Ok(())
    }

    fn combine(&mut self, object: Annotated, our: Change, their: Change) -> Result<()> {
        let read = |blob: Option<ObjectId>| blob.map(|blob| combine::read(self.repo, blob)).transpose();
        let (base, local, remote) = (read(their.old)?, read(our.new)?, read(their.new)?);
        let versions = Versions { base: base.as_deref(), local: local.as_deref(), remote: remote.as_deref() };
        let result = match combine::combine(self.strategy, versions) {
            // Git does not look at a note that it leaves alone, and what it looks at decides on the fan-out.
            Combined::Local if self.strategy == Strategy::Ours => return Ok(()),
            Combined::Local => our.new,
            Combined::Remote => their.new,
            Combined::Removed => None,
            Combined::New(note) => Some(self.repo.write_blob(note).context("cannot write a note")?.detach()),
        };
        if self.strategy == Strategy::CatSortUniq
            && [local, remote].iter().flatten().any(|note| records::has_structure(note))
        {
            self.shredded.push(object);
        }
        self.notes.set(object, result)
    }
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
