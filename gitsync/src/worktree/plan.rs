//! Deciding what an update does at each path, from facts alone.
//!
//! The rules are git's for `read-tree -m -u` with two trees, but for two: something ignored that is in the way is not
//! overwritten, and a file that is there already with the very content that comes in is taken as it is.

use std::collections::BTreeSet;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stat};

use super::look::{EntryFacts, Facts, OnDisk, PathFacts, has_parent_in};
use super::{Refused, Side, Why};

/// All that an update does, in order of the paths.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdatePlan {
    /// The tree that work tree and index are to leave.
    pub from: ObjectId,
    /// The tree that they are to become.
    pub to: ObjectId,
    /// What is to be done; each path once.
    pub ops: Vec<Op>,
    /// Files that are marked assume-unchanged and were edited: they stay, only their index entry moves on.
    pub kept: Vec<BString>,
}

impl UpdatePlan {
    /// The folders that become those of submodules, and stay also where all that was in them goes away: a submodule
    /// without its folder is one that the user has removed.
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
    /// Write a file where there is one that looks like this.
    Replace(Stat),
    /// Remove a file that looks like this.
    Remove(Stat),
    /// Nothing: it is there already, and looks like this.
    Adopt(Stat),
    /// Nothing: only the index entry changes.
    IndexOnly,
    /// Make the folder of a submodule.
    MakeFolder,
    /// Remove the folder of a submodule, if it is empty.
    RemoveFolder,
}

/// Decide what to do. Pure.
///
/// # Errors
/// All paths that must not be changed.
pub fn plan(facts: &Facts) -> Result<UpdatePlan, Vec<Refused>> {
    let mut refused = facts.hostile.clone();
    let mut plan = UpdatePlan { from: facts.from, to: facts.to, ops: Vec::new(), kept: Vec::new() };
    for path in &facts.paths {
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
    Err(refused)
}

fn decide(facts: &PathFacts) -> Result<Option<(Step, Flags)>, Why> {
    if let OnDisk::Unreadable(why) = &facts.disk {
        return Err(Why::Unusable(why.clone()));
    }
    match (facts.entry, facts.old, facts.new) {
        (Some(entry), ..) if entry.flags.contains(Flags::INTENT_TO_ADD) => Err(Why::Staged),
        // Staged is just what comes in: the index needs nothing, and the file is the user's.
        (Some(entry), _, Some(new)) if entry.side == new => Ok(None),
        (Some(entry), Some(old), new) if entry.side == old => tracked(facts, entry, new),
        (Some(_), ..) => Err(Why::Staged),
        // Removed in the index, and so in the new tree: agreed.
        (None, _, None) => Ok(None),
        (None, Some(_), Some(_)) => Err(Why::Staged),
        (None, None, Some(new)) => untracked(facts, new),
    }
}

/// The index has what the old tree has.
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
        // It was deleted, and so it is in the new tree: agreed.
        (OnDisk::Nothing, None) => step(Step::IndexOnly),
        (OnDisk::Nothing, Some(_)) if hidden => step(Step::IndexOnly),
        // The user has deleted it, or put something else in the place of its folder.
        (OnDisk::Nothing, Some(_)) => Err(facts.blocked.clone().map_or(Why::Edited, Why::InTheWay)),
        (OnDisk::Other, Some(_)) if hidden => Ok(Some((Step::IndexOnly, entry.flags))),
        (OnDisk::Other, None) if hidden => Err(Why::EditedOutOfSight),
        (OnDisk::Folder(Some(inside)), _) => Err(Why::InTheWay(inside.clone())),
        _ => Err(Why::Edited),
    }
}

/// Neither the index nor the old tree has it.
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

/// Files that are to be written below something that is no folder, and that does not go away by this update.
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
