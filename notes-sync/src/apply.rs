//! Carries out the plan for one notes ref: all merges in memory, then the objects, then the ref in one move.

use std::collections::HashMap;

use anyhow::Result;
use gix::ObjectId;
use phase::Guard;
use remote::Recent;

use crate::{
    commits::{self, Commits, Relation},
    merge::{self, Counts, Trees},
    objects::Drafts,
    plan::{Plan, Step},
    refs::{self, Moved, Tip},
    strategy::Strategy,
    tree::layout::Annotated,
    undone::{RESTORED, Repair, Undone},
};

/// What a merge is to be called, and how to make it.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// How notes are combined that both sides changed.
    pub strategy: Strategy,
    /// What the commit's message calls the remote's notes.
    pub from: &'a str,
    /// What it calls the local ones.
    pub into: &'a str,
}

/// What was done to the local ref.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// Where it is now.
    pub tip: Option<ObjectId>,
    /// How it got there.
    pub how: How,
    /// What became of the local notes.
    pub counts: Counts,
    /// Tips that were merged back in.
    pub rescued: Vec<ObjectId>,
    /// Commits whose damage was repaired.
    pub restored: Vec<ObjectId>,
    /// Notes with a structure of their own, whose lines were sorted.
    pub shredded: Vec<Annotated>,
    /// The objects that it took.
    pub made: Recent,
}

/// How a ref got where it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was there.
    #[default]
    Stayed,
    /// It became what the remote has.
    Forwarded,
    /// It became a merge.
    Merged,
}

/// Carries out `plan` on the ref at `tip`; `None` where somebody else moved it meanwhile, so that all is to be looked
/// at again.
///
/// # Errors
/// Where the lock is lost, or the repository cannot be read or written.
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
    /// What the reflog is going to say.
    message: String,
    applied: Applied,
    /// What commits should have been that undid something.
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

    /// Puts back what a commit undid: what it should have been, had it known its parent, less what it is.
    fn restore(&mut self, undone: &Undone) -> Result<()> {
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

    /// The notes of the parent together with those that the command had read: these may be of a tip that was thrown
    /// out, and their absence in the parent's is no removal.
    fn joined(&self, undone: &Undone, strategy: Strategy) -> Result<ObjectId> {
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

    /// The notes of `commit` with what those before it undid: that they are not there is no removal either.
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

/// The strategy, or one that keeps both sides where it would drop one: what was lost is to be found again.
fn keeping_both(strategy: Strategy) -> Strategy {
    match strategy {
        Strategy::Ours | Strategy::Theirs => Strategy::Union,
        Strategy::Union | Strategy::CatSortUniq | Strategy::Records => strategy,
    }
}
