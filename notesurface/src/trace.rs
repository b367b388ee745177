//! Finds the commit that added each note.
//!
//! From the newest commit on, each note is followed to a parent that has it too, under the same path or the one that
//! it moved from, until no parent has it. All notes are followed together, so that each commit is compared with its
//! parents only once.

use std::collections::{BinaryHeap, HashMap, HashSet};

use gix::{
    ObjectId,
    bstr::{BStr, ByteSlice as _},
};

use crate::{
    incoming::Located,
    logs::{Differing, Logs},
    note::Note,
};

/// A note, and the commit that added it.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    /// The note, where it is now.
    pub(crate) located: Located,
    /// The commit.
    pub(crate) commit: ObjectId,
}

/// Finds the commits that added `notes`, which `tip` has. Notes that were added by a commit not in `new` are left
/// out; if `new` is `None`, none are.
///
/// # Errors
/// If history cannot be read.
pub(crate) fn trace(
    repo: &gix::Repository,
    logs: &Logs<'_>,
    notes: Vec<Located>,
    tip: ObjectId,
    new: Option<&HashSet<ObjectId>>,
) -> anyhow::Result<Vec<Brought>> {
    let mut brought = Vec::new();
    let mut waiting = HashMap::new();
    let mut newest_first = BinaryHeap::new();
    let followed = notes.into_iter().map(|located| Followed { at: located.clone(), located }).collect();
    hand_over(&mut waiting, &mut newest_first, repo, tip, followed)?;
    while let Some((_, id)) = newest_first.pop() {
        let Some(mut here) = waiting.remove(&id) else { continue };
        if new.is_some_and(|new| !new.contains(&id)) {
            continue;
        }
        let commit = repo.find_commit(id)?;
        let tree = commit.tree_id()?.detach();
        let all_here: Vec<Located> = here.iter().map(|followed| followed.at.clone()).collect();
        for parent in commit.parent_ids() {
            // In a shallow clone, the parents of the oldest commits are missing.
            let Some(object) = repo.try_find_object(parent)? else { continue };
            let parent_tree = object.try_into_commit()?.tree_id()?.detach();
            let paths = here.iter().map(|followed| followed.at.path.as_bstr());
            if are_the_same(repo, parent_tree, tree, paths)? {
                // Most commits change other files, of which there may be many, so check the paths before diffing the
                // trees.
                hand_over(&mut waiting, &mut newest_first, repo, parent.detach(), std::mem::take(&mut here))?;
                break;
            }
            let differing = logs.differing(Some(parent_tree), tree)?;
            let there = Parent { logs, differing: &differing, all_here: &all_here }.has(&mut here)?;
            hand_over(&mut waiting, &mut newest_first, repo, parent.detach(), there)?;
            if here.is_empty() {
                break;
            }
        }
        brought.extend(here.into_iter().map(|followed| Brought { located: followed.located, commit: id }));
    }
    Ok(brought)
}

/// Whether two trees have the same entry at each of `paths`.
fn are_the_same<'p>(
    repo: &gix::Repository,
    one: ObjectId,
    other: ObjectId,
    mut paths: impl Iterator<Item = &'p BStr>,
) -> anyhow::Result<bool> {
    let (one, other) = (repo.find_tree(one)?, repo.find_tree(other)?);
    let at = |tree: &gix::Tree<'_>, path: &BStr| {
        let found = tree.lookup_entry(path.split(|byte| *byte == b'/'))?;
        gix::Result::Ok(found.map(|entry| (entry.mode(), entry.object_id())))
    };
    paths.try_fold(true, |same, path| Ok(same && at(&one, path)? == at(&other, path)?))
}

/// A note that is being followed.
struct Followed {
    /// Where it is in the newest commit.
    located: Located,
    /// Where it is in the commit to which it was followed.
    at: Located,
}

/// A parent of the commit to which notes were followed, and the logs that differ between the two.
struct Parent<'a> {
    logs: &'a Logs<'a>,
    differing: &'a [Differing],
    /// All notes that were followed to the commit.
    all_here: &'a [Located],
}

impl Parent<'_> {
    /// Moves the notes that the parent has too out of `here`, and returns them with their path there. If a log
    /// contains the same note several times, only as many are moved as the parent has.
    fn has(&self, here: &mut Vec<Followed>) -> anyhow::Result<Vec<Followed>> {
        let mut there = Vec::new();
        self.take(here, &mut there, |log, followed| log.path == followed.at.path)?;
        // A note that was not in the same log may have come from any other.
        self.take(here, &mut there, |_, _| true)?;
        Ok(there)
    }

    /// Moves the notes that are in an unchanged log, or that the parent has in one of the logs which `may_be` theirs.
    fn take(
        &self,
        here: &mut Vec<Followed>,
        there: &mut Vec<Followed>,
        may_be: impl Fn(&Differing, &Followed) -> bool,
    ) -> anyhow::Result<()> {
        let mut remaining = Vec::new();
        for followed in here.drain(..) {
            if self.differing.iter().all(|log| log.path != followed.at.path) {
                there.push(followed);
                continue;
            }
            let mut path = None;
            for log in self.differing.iter().filter(|log| may_be(log, &followed)) {
                if self.has_one_more(log, &followed.at.note, there)? {
                    path = Some(log.path.clone());
                    break;
                }
            }
            match path {
                Some(path) => {
                    there.push(Followed { at: Located { path, ..followed.at }, ..followed });
                }
                None => remaining.push(followed),
            }
        }
        *here = remaining;
        Ok(())
    }

    /// Whether the parent has `note` in a log once more than is accounted for: by the notes that are already `there`,
    /// and by those that are not followed, which it is assumed to have.
    fn has_one_more(&self, log: &Differing, note: &Note, there: &[Followed]) -> anyhow::Result<bool> {
        let is_one = |at: &Located| at.path == log.path && at.note.says_the_same_as(note);
        let followed = self.all_here.iter().filter(|at| is_one(at)).count();
        let others = self.logs.count(log.after, note)?.saturating_sub(followed);
        let taken = there.iter().filter(|followed| is_one(&followed.at)).count();
        Ok(self.logs.count(log.before, note)? > others + taken)
    }
}

fn hand_over(
    waiting: &mut HashMap<ObjectId, Vec<Followed>>,
    newest_first: &mut BinaryHeap<(i64, ObjectId)>,
    repo: &gix::Repository,
    commit: ObjectId,
    followed: Vec<Followed>,
) -> anyhow::Result<()> {
    if !followed.is_empty() {
        newest_first.push((repo.find_commit(commit)?.time()?.seconds, commit));
        waiting.entry(commit).or_default().extend(followed);
    }
    Ok(())
}
