//! Finds commits of `git notes` that silently undid another writer's notes.
//!
//! `git notes add` reads the notes, and later asks once more what the ref is to name that as the parent of its commit.
//! If another writer came between the two, the commit stands on the other's and yet has none of its notes: in the
//! history they look removed, and a merge would remove them everywhere. What gives it away is that such a command
//! changes one note, or several in one way, and the commit seems to do more, or to cut off what it was to append to.

mod command;
mod lineage;
mod search;
mod trail;
mod trees;

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use gix::ObjectId;
use remote::{Passed, Replaced};

use crate::{
    commits::Commits,
    reflog::Entry,
    tree::diff::{self, Change},
};
use lineage::{Lineage, What};
use search::{Search, Suspect};

/// The message of the commits that put such notes back. What is older than one of them was looked at when it was made.
pub const RESTORED: &str = "Notes restored that were undone by";

/// A commit that undid what its parent brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The commit.
    pub commit: ObjectId,
    /// Its parent, of which it knew nothing but the id.
    pub parent: ObjectId,
    /// The commit whose notes it had read; `None` where there were no notes yet.
    pub read: Option<ObjectId>,
    /// Other such commits that its parent stands on: that it lacks what they undid is no removal.
    pub parent_lacks: Vec<ObjectId>,
    /// The same of what it had read.
    pub read_lacks: Vec<ObjectId>,
    /// Whether there is something to be put back.
    pub repair: Repair,
}

/// Whether what a commit undid is still missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// It is missing.
    Due,
    /// It was put back elsewhere, and is only missing from what other commits stand on.
    Done,
}

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The ref's tip, and those that are going to be merged into it.
    pub tips: &'a [ObjectId],
    /// Commits that were looked at, with all that they stand on.
    pub known: &'a [ObjectId],
    /// Where the ref was, the newest movement first.
    pub reflog: &'a [Entry],
}

/// What was found out about commits, which never changes. It outlives a look that has to be repeated.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Commits that were looked at, with what their command had read where that was not their parent.
    verdicts: HashMap<ObjectId, Verdict>,
    /// How many times notes were compared to find that out.
    comparisons: usize,
}

impl Memory {
    /// Takes in that nothing is wrong with some commits.
    pub fn learn(&mut self, fine: &[ObjectId]) {
        self.verdicts.extend(fine.iter().map(|commit| (*commit, Verdict::Fine)));
    }

    /// How many times the notes of a commit were compared with others than its parent's.
    pub fn comparisons(&self) -> usize {
        self.comparisons
    }
}

/// What is known about a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Nothing is wrong with it, or nobody can tell what.
    Fine,
    /// It undid what its parent brought.
    Blind(Blind),
}

/// A commit whose command had not read what its parent has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Blind {
    commit: ObjectId,
    parent: ObjectId,
    read: Option<ObjectId>,
}

/// Whether nothing is wrong with a commit, as what it names for its parent is what its command has read, or since it is
/// of no command. Where it is not, it takes a [`look`] to know.
///
/// # Errors
/// Where an object cannot be read.
pub fn is_explained(commits: Commits<'_>, passed: &Passed<'_>) -> Result<bool> {
    let Passed { commit, replaced, objects, .. } = *passed;
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

/// Looks for such commits, in an order in which each comes after those that it names.
///
/// # Errors
/// Where a commit or tree cannot be read.
pub fn look(commits: Commits<'_>, place: Place<'_>, memory: &mut Memory) -> Result<Vec<Undone>> {
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
    // The older ones first: each has all behind it that they have, and more.
    blind.sort_by_cached_key(|one| lineage.behind(&[one.commit]).len());
    let undone = blind.iter().map(|one| {
        let repair = if due.contains(&one.commit) { Repair::Due } else { Repair::Done };
        undone(&lineage, &blind, *one, repair)
    });
    Ok(in_order(undone.collect()))
}

/// What was made between what a command had read and its parent: those commits may be blind as well, though it was put
/// right since.
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

/// What there is to say about one of `blind`.
fn undone(lineage: &Lineage, blind: &[Blind], one: Blind, repair: Repair) -> Undone {
    let behind_parent = unrepaired(lineage, Some(one.parent), blind);
    let behind_read = unrepaired(lineage, one.read, blind);
    // What both lack makes no difference between them.
    let only = |these: &HashSet<ObjectId>, those: &HashSet<ObjectId>| {
        let ids = blind.iter().map(|other| other.commit);
        ids.filter(|id| *id != one.commit && these.contains(id) && !those.contains(id)).collect()
    };
    Undone {
        commit: one.commit,
        parent: one.parent,
        read: one.read,
        parent_lacks: only(&behind_parent, &behind_read),
        read_lacks: only(&behind_read, &behind_parent),
        repair,
    }
}

/// Those of `ids` that are here: what nothing names any more may have been pruned.
fn here(commits: Commits<'_>, ids: &[ObjectId]) -> Vec<ObjectId> {
    ids.iter().copied().filter(|id| commits.repo.has_object(id)).collect()
}

/// Which of `new` are blind.
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

/// Those of `blind` that `tip` stands on without what they undid.
fn unrepaired(lineage: &Lineage, tip: Option<ObjectId>, blind: &[Blind]) -> HashSet<ObjectId> {
    if blind.len() < 2 {
        return HashSet::new();
    }
    let behind = lineage.behind(tip.as_slice());
    let settled = lineage.settled(tip.as_slice());
    let ids = blind.iter().map(|one| one.commit);
    ids.filter(|id| behind.contains(id) && !settled.contains(id)).collect()
}

/// Each after those that it names.
fn in_order(mut waiting: Vec<Undone>) -> Vec<Undone> {
    let mut placed = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let names: HashSet<ObjectId> = waiting.iter().map(|undone| undone.commit).collect();
        let is_next = |undone: &Undone| {
            !undone.parent_lacks.iter().chain(&undone.read_lacks).any(|named| names.contains(named))
        };
        let (next, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_next);
        if next.is_empty() {
            // A reflog that was tampered with has one come before itself.
            placed.extend(rest);
            break;
        }
        placed.extend(next);
        waiting = rest;
    }
    placed
}
