//! Carries out the plan for one notes ref.
//!
//! All merges are made in memory first, then the objects are written, and then the ref is updated once.

use std::collections::HashMap;

use anyhow::Result;
use gix::ObjectId;
use phase::Guard;
use store::RecentObjects;

use crate::{
    clobbered::{Clobbered, RESTORED, Repair},
    commits::{self, Commits, Relation},
    merge::{self, Counts, Trees},
    objects::Drafts,
    plan::{Plan, Step},
    refs::{self, Moved, Tip},
    strategy::Strategy,
    tree::layout::Annotated,
};

/// How to make a merge, and the names for its commit message.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// How to combine notes that both sides changed.
    pub strategy: Strategy,
    /// The name of the remote's notes in the commit message.
    pub from: &'a str,
    /// The name of the local notes in the commit message.
    pub into: &'a str,
}

/// What was done to the local ref.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// The commit that it is at now.
    pub tip: Option<ObjectId>,
    /// How it got there.
    pub how: How,
    /// What the merges did to the local notes.
    pub counts: Counts,
    /// Lost tips that were merged back in.
    pub rescued: Vec<ObjectId>,
    /// Commits that had undone other writers' notes, which were restored.
    pub restored: Vec<ObjectId>,
    /// Notes with a structure whose lines were sorted.
    pub shredded: Vec<Annotated>,
    /// The objects that were written.
    pub made: RecentObjects,
}

/// How a ref got where it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It did not move.
    #[default]
    Stayed,
    /// It was created at another commit or fast-forwarded to it.
    Forwarded,
    /// A new commit was made: a merge, or one that restores notes.
    Merged,
}

/// Carries out `plan` on the ref at `tip`. `None` if another process has moved the ref meanwhile, so that the plan is
/// void.
///
/// # Errors
/// If the lock is lost, or the repository cannot be read or written.
pub fn apply(
    commits: Commits<'_>,
    tip: &Tip,
    plan: &Plan,
    manner: Manner<'_>,
    guard: &dyn Guard,
) -> Result<Option<Applied>> {
    if plan.steps.is_empty() {
        return Ok(Some(Applied { tip: tip.commit, ..Applied::default() }));
    }
    let drafts = Drafts::of(commits.repo);
    let mut work = Work {
        commits: Commits { repo: drafts.repo(), ..commits },
        manner,
        message: format!("Merged notes from {} into {}", manner.from, manner.into),
        applied: Applied { tip: tip.commit, ..Applied::default() },
        whole: HashMap::new(),
    };
    for step in &plan.steps {
        match step {
            Step::Rescue(commit) => work.rescue(*commit)?,
            Step::Restore(undone) => work.restore(undone)?,
            Step::Join(commit) => work.join(*commit)?,
        }
        guard.alive();
    }
    let Work { message, mut applied, .. } = work;
    let Some(new) = applied.tip.filter(|new| Some(*new) != tip.commit) else {
        return Ok(Some(applied));
    };
    guard.check()?;
    let (made, held) = drafts.keep()?;
    applied.made = made;
    guard.check()?;
    let moved = refs::advance(commits.repo, tip, new, &format!("notes: {message}"))?;
    drop(held);
    Ok(match moved {
        Moved::Done => Some(applied),
        Moved::Raced => None,
    })
}

struct Work<'a> {
    commits: Commits<'a>,
    manner: Manner<'a>,
    /// The reflog message.
    message: String,
    applied: Applied,
    /// The trees that commits which undid something should have had, by commit.
    whole: HashMap<ObjectId, ObjectId>,
}

impl Work<'_> {
    /// Merges `theirs` into the tip as `git notes merge` does.
    fn join(&mut self, theirs: ObjectId) -> Result<()> {
        let message = format!("Merged notes from {} into {}", self.manner.from, self.manner.into);
        self.bring_in(theirs, self.manner.strategy, message)
    }

    fn rescue(&mut self, lost: ObjectId) -> Result<()> {
        let message = format!("Merged notes from {} into {}", commits::short(lost), self.manner.into);
        self.bring_in(lost, keeping_both(self.manner.strategy), message)?;
        self.applied.rescued.push(lost);
        Ok(())
    }

    fn bring_in(&mut self, other: ObjectId, strategy: Strategy, message: String) -> Result<()> {
        let Some(local) = self.applied.tip else {
            let tree = self.commits.tree_of(other)?;
            self.applied.counts = self.applied.counts.plus(merge::count(self.commits, None, tree)?);
            self.settle(other, How::Forwarded, message);
            return Ok(());
        };
        let tree = |commit| self.commits.tree_of(commit);
        match self.commits.relate(local, other)? {
            Relation::Contained => Ok(()),
            Relation::Ahead => {
                let counts = merge::count(self.commits, Some(tree(local)?), tree(other)?)?;
                self.applied.counts = self.applied.counts.plus(counts);
                self.settle(other, How::Forwarded, message);
                Ok(())
            }
            Relation::Diverged { base } => {
                let trees =
                    Trees { base: base.map(tree).transpose()?, local: tree(local)?, remote: tree(other)? };
                let merged = self.merge(trees, strategy)?;
                let commit = commits::write(self.commits.repo, merged, &[local, other], &message)?;
                self.settle(commit, How::Merged, message);
                Ok(())
            }
        }
    }

    /// Restores what a commit undid: computes the tree that it would have had, had its command read the parent's
    /// notes, and merges the difference between that tree and its actual one into the tip.
    fn restore(&mut self, undone: &Clobbered) -> Result<()> {
        let Some(local) = self.applied.tip else { return Ok(()) };
        let strategy = keeping_both(self.manner.strategy);
        let tree = |commit| self.commits.tree_of(commit);
        let had_it_known = Trees {
            base: undone.read.map(tree).transpose()?,
            local: self.joined(undone, strategy)?,
            remote: tree(undone.commit)?,
        };
        let whole =
            merge::merge_knowing(self.commits.repo, self.commits.latest, had_it_known, strategy)?.tree;
        self.whole.insert(undone.commit, whole);
        if undone.repair == Repair::Done {
            return Ok(());
        }
        let current = tree(local)?;
        let trees = Trees { base: Some(tree(undone.commit)?), local: current, remote: whole };
        let restored = self.merge(trees, strategy)?;
        if restored != current {
            let message = format!("{RESTORED} {}", commits::short(undone.commit));
            let commit = commits::write(self.commits.repo, restored, &[local], &message)?;
            self.applied.restored.push(undone.commit);
            self.settle(commit, How::Merged, message);
        }
        Ok(())
    }

    /// Returns the notes of the parent merged with those that the command had read. The latter may come from a tip
    /// that was dropped, so their absence from the parent's notes is not a removal.
    fn joined(&self, undone: &Clobbered, strategy: Strategy) -> Result<ObjectId> {
        let parent = self.whole(undone.parent, &undone.parent_lacks, strategy)?;
        let Some(read) = undone.read else { return Ok(parent) };
        match self.commits.relate(undone.parent, read)? {
            Relation::Contained => Ok(parent),
            Relation::Ahead => self.whole(read, &undone.read_lacks, strategy),
            Relation::Diverged { base } => {
                let base = base.map(|base| self.commits.tree_of(base)).transpose()?;
                let remote = self.whole(read, &undone.read_lacks, strategy)?;
                Ok(merge::merge_knowing(
                    self.commits.repo,
                    self.commits.latest,
                    Trees { base, local: parent, remote },
                    strategy,
                )?
                .tree)
            }
        }
    }

    /// Returns the notes of `commit` with what earlier commits undid put back: their absence is not a removal either.
    fn whole(&self, commit: ObjectId, lacks: &[ObjectId], strategy: Strategy) -> Result<ObjectId> {
        let mut tree = self.commits.tree_of(commit)?;
        for blind in lacks {
            if let Some(whole) = self.whole.get(blind) {
                let base = Some(self.commits.tree_of(*blind)?);
                let trees = Trees { base, local: tree, remote: *whole };
                tree = merge::merge_knowing(self.commits.repo, self.commits.latest, trees, strategy)?.tree;
            }
        }
        Ok(tree)
    }

    fn merge(&mut self, trees: Trees, strategy: Strategy) -> Result<ObjectId> {
        let merged = merge::merge_knowing(self.commits.repo, self.commits.latest, trees, strategy)?;
        self.applied.counts = self.applied.counts.plus(merged.counts);
        self.applied.shredded.extend(merged.shredded);
        Ok(merged.tree)
    }

    fn settle(&mut self, tip: ObjectId, how: How, message: String) {
        self.applied.tip = Some(tip);
        self.applied.how = self.applied.how.max(how);
        self.message = message;
    }
}

/// Returns the strategy, or `Union` instead of one that drops a side: lost notes must not get lost again.
fn keeping_both(strategy: Strategy) -> Strategy {
    match strategy {
        Strategy::Ours | Strategy::Theirs => Strategy::Union,
        Strategy::Union | Strategy::CatSortUniq | Strategy::Records => strategy,
    }
}
