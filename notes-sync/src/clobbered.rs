//! Finds commits of `git notes` that silently undid another writer's notes.
//!
//! `git notes add` reads the notes, and later reads the ref again to use its value as the parent of its commit. If
//! another writer moved the ref in between, the commit has the other's commit as its parent but none of its notes: by
//! the history they look removed, and a merge would remove them everywhere. Such a commit can be recognised: a
//! command changes one note, or several in one way, but the diff to the parent shows more than that, or cuts off text
//! to which the command should have appended.

mod command;
mod lineage;
mod search;
mod trail;
mod trees;

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use gix::ObjectId;
use store::{Replaced, VisitedCommit};

use crate::{
    commits::Commits,
    reflog::Entry,
    tree::diff::{self, Change},
};
use lineage::{Lineage, What};
use search::{Search, Suspect};

/// The beginning of the messages of commits that restore such notes. Whatever is reachable from their parents was
/// examined when they were made.
pub const RESTORED: &str = "Notes restored that were undone by";

/// A commit that undid what its parent had brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clobbered {
    /// The commit.
    pub commit: ObjectId,
    /// Its parent, of which its command knew nothing but the id.
    pub parent: ObjectId,
    /// The commit whose notes the command had read; `None` if there were no notes yet.
    pub read: Option<ObjectId>,
    /// Other such commits in the history of the parent but not in that of `read`: that the parent lacks what they
    /// undid is not a removal.
    pub parent_lacks: Vec<ObjectId>,
    /// The same for the history of `read` but not of the parent.
    pub read_lacks: Vec<ObjectId>,
    /// Whether something has to be restored.
    pub repair: Repair,
}

/// Whether what a commit undid is still missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// It is missing.
    Due,
    /// It was restored by a later commit, and is missing only from the histories of others.
    Done,
}

/// The part of the history to examine.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The ref's tip, and those that are going to be merged into it.
    pub tips: &'a [ObjectId],
    /// Commits that were examined with everything reachable from them.
    pub known: &'a [ObjectId],
    /// The ref's reflog, the newest entry first.
    pub reflog: &'a [Entry],
}

/// What was found out about commits, which never changes, so it is kept when a merge has to be repeated.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The verdicts on the commits that were examined.
    verdicts: HashMap<ObjectId, Verdict>,
    /// How many comparisons of notes that took.
    comparisons: usize,
}

impl Memory {
    /// Records that nothing is wrong with some commits.
    pub fn learn(&mut self, fine: &[ObjectId]) {
        self.verdicts.extend(fine.iter().map(|commit| (*commit, Verdict::Fine)));
    }

    /// Returns how often the notes of a commit were compared with others than its parent's.
    pub fn comparisons(&self) -> usize {
        self.comparisons
    }
}

/// The verdict on a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Nothing is wrong with it, or nothing can be proved.
    Fine,
    /// It undid what its parent had brought.
    Blind(Blind),
}

/// A commit whose command had not read its parent's notes, but those of `read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Blind {
    commit: ObjectId,
    parent: ObjectId,
    read: Option<ObjectId>,
}

/// Whether nothing is wrong with a commit: its diff to its parent is one that its command can have made, or it was
/// not made by such a command. If this returns false, only [`look`] can tell.
///
/// # Errors
/// If an object cannot be read.
pub fn is_explained(commits: Commits<'_>, passed: &VisitedCommit<'_>) -> Result<bool> {
    let VisitedCommit { commit, replaced, objects, .. } = *passed;
    let What::Command(command) = lineage::what(commits, commit.id)? else { return Ok(true) };
    let [parent] = commit.parents.as_slice() else { return Ok(true) };
    if let Some(Replaced { old, new }) = replaced
        && command.explains(objects, &[Change { old: Some(old), new: Some(new) }])?
    {
        return Ok(true);
    }
    let older = commits.tree_of(*parent)?;
    let most = command.telling();
    let changes = diff::first_changes(commits.repo, objects, Some(older), Some(commit.tree), most)?;
    command.explains(objects, &changes.notes.into_values().collect::<Vec<_>>())
}

/// Finds such commits, ordered such that each comes after those in its `parent_lacks` and `read_lacks`.
///
/// # Errors
/// If a commit or tree cannot be read.
pub fn look(commits: Commits<'_>, place: Place<'_>, memory: &mut Memory) -> Result<Vec<Clobbered>> {
    let known = here(commits, place.known);
    let tips: Vec<_> = place.tips.iter().copied().filter(|tip| !known.contains(tip)).collect();
    if tips.is_empty() {
        return Ok(Vec::new());
    }
    let mut lineage = Lineage::default();
    let ours = lineage.grow(commits, tips.clone(), known.clone())?;
    let settled = lineage.settled(&tips);
    let due: HashSet<ObjectId> = ours.iter().copied().filter(|id| !settled.contains(id)).collect();
    let mut new: Vec<ObjectId> = ours.into_iter().filter(|id| due.contains(id)).collect();
    let mut seen = HashSet::new();
    let mut blind: Vec<Blind> = Vec::new();
    while !new.is_empty() {
        new.retain(|commit| seen.insert(*commit));
        let found = judge(commits, &lineage, &new, place.reflog, memory)?;
        new.clear();
        for one in &found {
            new.extend(meanwhile(commits, &mut lineage, *one, &known)?);
        }
        blind.extend(found);
    }
    // Oldest first: a descendant reaches all that its ancestors reach, and more.
    blind.sort_by_cached_key(|one| lineage.behind(&[one.commit]).len());
    let undone = blind.iter().map(|one| {
        let repair = if due.contains(&one.commit) { Repair::Due } else { Repair::Done };
        undone(&lineage, &blind, *one, repair)
    });
    Ok(in_order(undone.collect()))
}

/// Returns the commits between what a command had read and its parent, which may be blind too, even if they were
/// repaired since.
fn meanwhile(
    commits: Commits<'_>,
    lineage: &mut Lineage,
    blind: Blind,
    known: &[ObjectId],
) -> Result<Vec<ObjectId>> {
    let mut meanwhile = Vec::new();
    for (tip, behind) in [(Some(blind.parent), blind.read), (blind.read, Some(blind.parent))] {
        let (tip, behind) = (here(commits, tip.as_slice()), here(commits, behind.as_slice()));
        let hidden = if behind.is_empty() { known.to_vec() } else { behind };
        let between = lineage.grow(commits, tip.clone(), hidden)?;
        let settled = lineage.settled(&tip);
        meanwhile.extend(between.into_iter().filter(|commit| !settled.contains(commit)));
    }
    Ok(meanwhile)
}

/// Describes one of the `blind` commits.
fn undone(lineage: &Lineage, blind: &[Blind], one: Blind, repair: Repair) -> Clobbered {
    let behind_parent = unrepaired(lineage, Some(one.parent), blind);
    let behind_read = unrepaired(lineage, one.read, blind);
    // What both lack makes no difference between them.
    let only = |these: &HashSet<ObjectId>, those: &HashSet<ObjectId>| {
        let ids = blind.iter().map(|other| other.commit);
        ids.filter(|id| *id != one.commit && these.contains(id) && !those.contains(id)).collect()
    };
    Clobbered {
        commit: one.commit,
        parent: one.parent,
        read: one.read,
        parent_lacks: only(&behind_parent, &behind_read),
        read_lacks: only(&behind_read, &behind_parent),
        repair,
    }
}

/// Returns those of `ids` that exist here: unreachable commits may have been pruned.
fn here(commits: Commits<'_>, ids: &[ObjectId]) -> Vec<ObjectId> {
    ids.iter().copied().filter(|id| commits.repo.has_object(id)).collect()
}

/// Returns those of the `new` commits that are blind.
fn judge(
    commits: Commits<'_>,
    lineage: &Lineage,
    new: &[ObjectId],
    reflog: &[Entry],
    memory: &mut Memory,
) -> Result<Vec<Blind>> {
    let search = Search::new(commits, reflog);
    let mut suspects = Vec::new();
    for id in new {
        if memory.verdicts.contains_key(id) {
            continue;
        }
        memory.verdicts.insert(*id, Verdict::Fine);
        if let Some((commit, What::Command(command))) = lineage.get(*id)
            && let [parent] = commit.parents.as_slice()
        {
            let suspect = Suspect { commit: *id, tree: commit.tree, parent: *parent, command };
            if !search.explains(suspect, Some(*parent))? {
                suspects.push(suspect);
            }
        }
    }
    for (suspect, read) in search.run(suspects, &mut memory.comparisons)? {
        let blind = Blind { commit: suspect.commit, parent: suspect.parent, read };
        memory.verdicts.insert(suspect.commit, Verdict::Blind(blind));
    }
    let verdicts = new.iter().filter_map(|id| memory.verdicts.get(id));
    Ok(verdicts
        .filter_map(|verdict| match verdict {
            Verdict::Blind(blind) => Some(*blind),
            Verdict::Fine => None,
        })
        .collect())
}

/// Returns those of the `blind` commits that are in the history of `tip` without being repaired there.
fn unrepaired(lineage: &Lineage, tip: Option<ObjectId>, blind: &[Blind]) -> HashSet<ObjectId> {
    if blind.len() < 2 {
        return HashSet::new();
    }
    let behind = lineage.behind(tip.as_slice());
    let settled = lineage.settled(tip.as_slice());
    let ids = blind.iter().map(|one| one.commit);
    ids.filter(|id| behind.contains(id) && !settled.contains(id)).collect()
}

/// Sorts the commits such that each comes after those that it lists.
fn in_order(mut waiting: Vec<Clobbered>) -> Vec<Clobbered> {
    let mut placed = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let names: HashSet<ObjectId> = waiting.iter().map(|undone| undone.commit).collect();
        let is_next = |undone: &Clobbered| {
            !undone.parent_lacks.iter().chain(&undone.read_lacks).any(|named| names.contains(named))
        };
        let (next, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_next);
        if next.is_empty() {
            // Commits can list each other only if the reflog was tampered with.
            placed.extend(rest);
            break;
        }
        placed.extend(next);
        waiting = rest;
    }
    placed
}
