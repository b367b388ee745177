//! Decides what an update does at each path, as a pure function of the facts.
//!
//! The rules are those of `git read-tree -m -u` with two trees, with two exceptions: an ignored file that is in the
//! way is not overwritten, and a file that already has exactly the incoming content is accepted as it is.

use std::collections::BTreeSet;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stat};

use super::look::{EntryFacts, Facts, OnDisk, PathFacts, has_parent_in};
use super::{Refused, Side, Why};

/// Everything that an update does, in order of the paths.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdatePlan {
    /// The tree that the working tree and the index are at.
    pub from: ObjectId,
    /// The tree that they are to become.
    pub to: ObjectId,
    /// What to do; each path occurs once.
    pub ops: Vec<Op>,
    /// Edited files marked assume-unchanged: they stay, and only their index entry is updated.
    pub kept: Vec<BString>,
}

impl UpdatePlan {
    /// The directories that become submodules. They stay even if everything in them is removed, since a submodule
    /// without its directory is one that the user has removed.
    pub fn staying_folders(&self) -> impl Iterator<Item = BString> {
        let is_submodule = |op: &&Op| op.new.is_some_and(|new| new.mode == Mode::COMMIT);
        self.ops.iter().filter(is_submodule).map(|op| op.path.clone())
    }
}

/// What is done at one path.
#[derive(Debug, Clone, PartialEq)]
pub struct Op {
    /// The path.
    pub path: BString,
    /// What the old tree has there.
    pub old: Option<Side>,
    /// What the new tree has there.
    pub new: Option<Side>,
    /// What is done on disk.
    pub step: Step,
    /// The flags of its index entry afterwards.
    pub flags: Flags,
}

impl Op {
    /// Whether a file is written.
    pub fn writes(&self) -> bool {
        matches!(self.step, Step::Create | Step::Replace(_))
            && self.new.is_some_and(|new| new.mode != Mode::COMMIT)
    }
}

/// What is done on disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Write a file where there is none.
    Create,
    /// Replace a file that has these stat data.
    Replace(Stat),
    /// Remove a file that has these stat data.
    Remove(Stat),
    /// Nothing: the new content is already there, with these stat data.
    Adopt(Stat),
    /// Nothing: only the index entry changes.
    IndexOnly,
    /// Create the directory of a submodule.
    MakeFolder,
    /// Remove the directory of a submodule, if it is empty.
    RemoveFolder,
}

/// Decides what to do, without side effects.
///
/// # Errors
/// All paths that must not be changed.
pub fn plan(facts: &Facts) -> Result<UpdatePlan, Vec<Refused>> {
    let mut refused = facts.hostile.clone();
    let mut plan = UpdatePlan { from: facts.from, to: facts.to, ops: Vec::new(), kept: Vec::new() };
    for path in &facts.paths {
        if let Some(staged) = &path.staged_around {
            refused.push(Refused { path: staged.clone(), why: Why::Staged });
            continue;
        }
        match decide(path) {
            Ok(Some((step, flags))) => {
                let PathFacts { path, old, new, entry, disk, .. } = path.clone();
                if step == Step::IndexOnly && disk == OnDisk::Other && entry.is_some() && new.is_some() {
                    plan.kept.push(path.clone());
                }
                plan.ops.push(Op { path, old, new, step, flags });
            }
            Ok(None) => {}
            Err(why) => refused.push(Refused { path: path.path.clone(), why }),
        }
    }
    refused.extend(blocked(facts, &plan));
    if refused.is_empty() {
        return Ok(plan);
    }
    refused.sort_by(|a, b| a.path.cmp(&b.path));
    refused.dedup();
    Err(refused)
}

fn decide(facts: &PathFacts) -> Result<Option<(Step, Flags)>, Why> {
    if let OnDisk::Unreadable(why) = &facts.disk {
        return Err(Why::Unusable(why.clone()));
    }
    match (facts.entry, facts.old, facts.new) {
        (Some(entry), ..) if entry.flags.contains(Flags::INTENT_TO_ADD) => Err(Why::Staged),
        // Exactly the incoming entry is staged: the index needs no change, and the file belongs to the user.
        (Some(entry), _, Some(new)) if entry.side == new => Ok(None),
        (Some(entry), Some(old), new) if entry.side == old => tracked(facts, entry, new),
        (Some(_), ..) => Err(Why::Staged),
        // Removed both in the index and in the new tree.
        (None, _, None) => Ok(None),
        (None, Some(_), Some(_)) => Err(Why::Staged),
        (None, None, Some(new)) => untracked(facts, new),
    }
}

/// Decides for a path whose index entry is that of the old tree.
fn tracked(facts: &PathFacts, entry: EntryFacts, new: Option<Side>) -> Result<Option<(Step, Flags)>, Why> {
    let step = |step| Ok(Some((step, entry.stay)));
    if entry.left_out {
        return Ok(Some((Step::IndexOnly, entry.flags)));
    }
    if entry.side.mode == Mode::COMMIT {
        return match (new, &facts.disk) {
            (Some(Side { mode: Mode::COMMIT, .. }), _) => step(Step::IndexOnly),
            (None, _) => step(Step::RemoveFolder),
            (Some(_), OnDisk::Folder(None)) => step(Step::Create),
            (Some(_), OnDisk::Folder(Some(inside))) => Err(Why::InTheWay(inside.clone())),
            (Some(_), OnDisk::UnderFoot) => Err(Why::UnderFoot),
            (Some(_), _) => Err(Why::Edited),
        };
    }
    let hidden = entry.flags.intersects(Flags::ASSUME_VALID | Flags::SKIP_WORKTREE);
    match (&facts.disk, new) {
        (OnDisk::AsInIndex(stat), None) => step(Step::Remove(*stat)),
        (OnDisk::AsInIndex(stat), Some(_)) => step(Step::Replace(*stat)),
        (OnDisk::AsInNew(stat), Some(_)) => step(Step::Adopt(*stat)),
        // Deleted both on disk and in the new tree.
        (OnDisk::Nothing, None) => step(Step::IndexOnly),
        (OnDisk::Nothing, Some(_)) if hidden => step(Step::IndexOnly),
        // The user has deleted it, or put something else in the place of its directory.
        (OnDisk::Nothing, Some(_)) => Err(facts.blocked.clone().map_or(Why::Edited, Why::InTheWay)),
        (OnDisk::Other, Some(_)) if hidden => Ok(Some((Step::IndexOnly, entry.flags))),
        (OnDisk::Other, None) if hidden => Err(Why::EditedOutOfSight),
        (OnDisk::Folder(Some(inside)), _) => Err(Why::InTheWay(inside.clone())),
        _ => Err(Why::Edited),
    }
}

/// Decides for a path that is neither in the index nor in the old tree.
fn untracked(facts: &PathFacts, new: Side) -> Result<Option<(Step, Flags)>, Why> {
    if !facts.wanted {
        return match &facts.disk {
            OnDisk::Nothing => Ok(Some((Step::IndexOnly, Flags::SKIP_WORKTREE))),
            OnDisk::AsInNew(stat) => Ok(Some((Step::Adopt(*stat), Flags::empty()))),
            _ => Err(Why::InTheWay(facts.path.clone())),
        };
    }
    let step = |step| Ok(Some((step, Flags::empty())));
    match &facts.disk {
        OnDisk::Folder(_) | OnDisk::UnderFoot if new.mode == Mode::COMMIT => step(Step::IndexOnly),
        OnDisk::Nothing if new.mode == Mode::COMMIT => step(Step::MakeFolder),
        OnDisk::Nothing | OnDisk::Folder(None) => step(Step::Create),
        OnDisk::AsInNew(stat) => step(Step::Adopt(*stat)),
        OnDisk::Folder(Some(inside)) => Err(Why::InTheWay(inside.clone())),
        OnDisk::UnderFoot => Err(Why::UnderFoot),
        _ => Err(Why::InTheWay(facts.path.clone())),
    }
}

/// Files to be written below something that is not a directory and that this update does not remove.
fn blocked(facts: &Facts, plan: &UpdatePlan) -> Vec<Refused> {
    let leaving: BTreeSet<&BStr> = plan
        .ops
        .iter()
        .filter(|op| op.new.is_none() && matches!(op.step, Step::Remove(_)))
        .map(|op| op.path.as_bstr())
        .collect();
    let written: BTreeSet<&BStr> = plan
        .ops
        .iter()
        .filter(|op| matches!(op.step, Step::Create | Step::MakeFolder))
        .map(|op| op.path.as_bstr())
        .collect();
    facts
        .paths
        .iter()
        .filter(|path| written.contains(path.path.as_bstr()))
        .filter_map(|path| path.blocked.as_ref().map(|parent| (path, parent)))
        .filter(|(_, parent)| {
            !leaving.contains(parent.as_bstr()) && !has_parent_in(parent.as_bstr(), &leaving)
        })
        .map(|(path, parent)| Refused { path: path.path.clone(), why: Why::InTheWay(parent.clone()) })
        .collect()
}
