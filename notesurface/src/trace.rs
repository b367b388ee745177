//! Which commit brought a note.
//!
//! From the newest commit on, each note is followed to a parent that has it too, under the same path or under the one
//! that it moved from, until there is none. All notes are followed at once, so that each commit is compared with its
//! parents once.

use std::collections::{BinaryHeap, HashMap, HashSet};

use gix::{
    ObjectId,
    bstr::{BStr, ByteSlice as _},
};

use crate::{
    incoming::Located,
    logs::{Differing, Logs},
};

/// A note, and the commit that brought it.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    /// The note, where it is now.
    pub(crate) located: Located,
    /// The commit.
    pub(crate) commit: ObjectId,
}

/// Finds the commits that brought `notes`, which `tip` has. Notes that were brought by a commit which is not `new` are
/// left out; where `new` is `None`, every commit is.
///
/// # Errors
/// Where history cannot be read.
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
        for parent in commit.parent_ids() {
            // A shallow clone lacks the parents of its oldest commits.
            let Some(object) = repo.try_find_object(parent)? else { continue };
            let parent_tree = object.try_into_commit()?.tree_id()?.detach();
            let paths = here.iter().map(|followed| followed.at.path.as_bstr());
            if are_the_same(repo, parent_tree, tree, paths)? {
                // Most commits change other things, of which there may be many.
                hand_over(&mut waiting, &mut newest_first, repo, parent.detach(), std::mem::take(&mut here))?;
                break;
            }
            let differing = logs.differing(Some(parent_tree), tree)?;
            let mut there = Vec::new();
            let mut remaining = Vec::new();
            for followed in here {
                match before(logs, &differing, &followed)? {
                    Some(at) => there.push(Followed { at, ..followed }),
                    None => remaining.push(followed),
                }
            }
            here = remaining;
            hand_over(&mut waiting, &mut newest_first, repo, parent.detach(), there)?;
            if here.is_empty() {
                break;
            }
        }
        brought.extend(here.into_iter().map(|followed| Brought { located: followed.located, commit: id }));
    }
    Ok(brought)
}

/// Whether two trees have the same at each of `paths`.
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
    /// Where it is now.
    located: Located,
    /// Where it was at the commit that it was followed to.
    at: Located,
}

/// Where a note was in the parent whose logs differ so; `None` where the parent did not have it.
fn before(logs: &Logs<'_>, differing: &[Differing], followed: &Followed) -> anyhow::Result<Option<Located>> {
    let Located { path, note } = &followed.at;
    match differing.iter().find(|log| log.path == *path) {
        None => return Ok(Some(followed.at.clone())),
        Some(log) if logs.has(log.before, note)? => return Ok(Some(followed.at.clone())),
        Some(_) => {}
    }
    for log in differing {
        if logs.has(log.before, note)? && !logs.has(log.after, note)? {
            return Ok(Some(Located { path: log.path.clone(), note: note.clone() }));
        }
    }
    Ok(None)
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
