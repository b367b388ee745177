//! Verifies a tree merge that claims to be clean: finds changes that it has lost.
//!
//! Renames, and directories that replace files or the other way round, have so many combinations that the tree merge
//! does not detect all of its conflicts: in a combination that it does not provide for, it silently drops one side's
//! change. Its result is therefore verified. Whatever a side added or changed must be in the result: at the side's
//! path or at the one that the merge reports, and either as it was, merged with the other side's content, or moved.
//! And whatever is missing must have been removed by one of the sides.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::merge::plumbing::tree::Conflict;
use gix::merge::tree::Resolution;

use super::merge::Sides;
use super::{content, entries};
use crate::changes::{self, Change};

/// Returns the paths of `sides` that are not in the `merged` tree as they have to be, given what the merge reported
/// in `conflicts`.
///
/// # Errors
/// A tree cannot be read.
pub fn find(
    repo: &gix::Repository,
    sides: Sides,
    merged: ObjectId,
    conflicts: &[Conflict],
) -> anyhow::Result<Vec<BString>> {
    let mut here = HashMap::new();
    let mut gone = Vec::new();
    for Change { path, after, .. } in changes::between(repo, sides.base, merged)? {
        match after {
            Some((_, id)) => drop(here.insert(path, id)),
            None => gone.push(path),
        }
    }
    let found = Found { repo, merged, here, told: told(conflicts) };
    let mut lost = Vec::new();
    let mut removed = HashSet::new();
    for side in [sides.ours, sides.theirs] {
        for Change { path, after, .. } in changes::between(repo, sides.base, side)? {
            match after {
                Some((mode, id)) if !found.holds(&path, mode.is_commit(), id)? => lost.push(path),
                Some(_) => {}
                None => drop(removed.insert(path)),
            }
        }
    }
    lost.extend(gone.into_iter().filter(|path| !removed.contains(path)));
    lost.into_iter().map(|path| found.in_its_way(path)).collect()
}

/// Returns what the merge reports to have merged or moved, by path and id on a side.
fn told(conflicts: &[Conflict]) -> HashMap<(&BStr, ObjectId), Vec<&Conflict>> {
    let mut told: HashMap<_, Vec<_>> = HashMap::new();
    for conflict in conflicts.iter().filter(|conflict| conflict.resolution.is_ok()) {
        for change in [&conflict.ours, &conflict.theirs] {
            let id = change.entry_mode_and_id().1.to_owned();
            told.entry((change.location(), id)).or_default().push(conflict);
        }
    }
    told
}

struct Found<'a> {
    repo: &'a gix::Repository,
    merged: ObjectId,
    /// What differs from the base: looking up each path in a tree is slow if there are many.
    here: HashMap<BString, ObjectId>,
    told: HashMap<(&'a BStr, ObjectId), Vec<&'a Conflict>>,
}

impl Found<'_> {
    /// Whether the merged tree holds what one side has at `path`.
    fn holds(&self, path: &BString, is_submodule: bool, id: ObjectId) -> anyhow::Result<bool> {
        if self.here.get(path) == Some(&id) {
            return Ok(true);
        }
        match self.at(path.as_bstr())? {
            // One of two commits of a submodule was chosen.
            Some((found, is_commit)) if found == id || (is_submodule && is_commit) => return Ok(true),
            _ => {}
        }
        for conflict in self.told.get(&(path.as_bstr(), id)).into_iter().flatten() {
            let is_there = match &conflict.resolution {
                Ok(Resolution::SourceLocationAffectedByRename { final_location }) => {
                    self.at(final_location.as_bstr())?.is_some_and(|(found, _)| found == id)
                }
                _ => self.any(content::places(conflict))?,
            };
            if is_there {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn any(&self, mut places: impl Iterator<Item = BString>) -> anyhow::Result<bool> {
        places.try_fold(false, |any, place| Ok(any || self.at(place.as_bstr())?.is_some()))
    }

    /// Returns what is at a path unless it is a tree, and whether it is a submodule.
    fn at(&self, path: &BStr) -> anyhow::Result<Option<(ObjectId, bool)>> {
        let entry = entries::at(self.repo, self.merged, path)?;
        Ok(entry.filter(|(mode, _)| !mode.is_tree()).map(|(mode, id)| (id, mode.is_commit())))
    }

    /// Returns the file in the place of one of the path's directories, since git reports the conflict for that file;
    /// else the path.
    fn in_its_way(&self, path: BString) -> anyhow::Result<BString> {
        for at in path.find_iter(b"/") {
            if self.at(path[..at].as_bstr())?.is_some() {
                return Ok(path[..at].into());
            }
        }
        Ok(path)
    }
}
