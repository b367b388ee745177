//! Finds files that were moved to another directory and edited, but kept their file name.
//!
//! If a large directory was renamed, these are most of its files. Comparing each file with each other one would take
//! minutes, comparing those with the same name takes moments. Git's merges begin with these too: see
//! `find_basename_matches` in git's `diffcore-rename.c`.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};

use super::alive::Alive;
use super::similarity;
use crate::changes;

/// How much of a file must be in the other one, in percent; git demands more here than if names differ.
const ALIKE: usize = 75;

/// Returns such files, as far as their old paths are `wanted`: the path of each in the tree `from`, and its path in
/// the tree `to`. Only file names that occur once among the deleted and once among the added files are considered.
///
/// # Errors
/// An object cannot be read.
pub fn find(
    objects: &Alive<'_>,
    from: ObjectId,
    to: ObjectId,
    wanted: impl Fn(&BString) -> bool,
) -> anyhow::Result<Vec<(BString, BString)>> {
    let changes = changes::between(objects.repo, from, to)?;
    let gone = changes.iter().filter(|change| change.after.is_none());
    let gone: Vec<_> = gone.filter_map(|change| Some((&change.path, change.before?))).collect();
    let new = changes.iter().filter(|change| change.before.is_none());
    let new: Vec<_> = new.filter_map(|change| Some((&change.path, change.after?))).collect();
    // A file that exists unchanged elsewhere is detected by its id, and its new path is no candidate for others.
    let gone_ids: HashSet<ObjectId> = gone.iter().map(|(_, (_, id))| *id).collect();
    let new_ids: HashSet<ObjectId> = new.iter().map(|(_, (_, id))| *id).collect();
    let is_file = |mode: gix::objs::tree::EntryMode| mode.is_blob();
    let gone = gone.into_iter().filter(|(_, (mode, id))| is_file(*mode) && !new_ids.contains(id));
    let new = new.into_iter().filter(|(_, (mode, id))| is_file(*mode) && !gone_ids.contains(id));
    let gone = by_name(gone.map(|(path, (_, id))| (path, id)));
    let new = by_name(new.map(|(path, (_, id))| (path, id)));
    let mut found = Vec::new();
    for (name, from) in gone {
        if let (Some((from, old)), Some(Some((to, new)))) = (from, new.get(name))
            && wanted(from)
            && are_alike(objects, old, *new)?
        {
            found.push((from.clone(), (*to).clone()));
        }
    }
    Ok(found)
}

/// Returns the files by name, and `None` for a name that several files have.
fn by_name<'a>(
    files: impl Iterator<Item = (&'a BString, ObjectId)>,
) -> HashMap<&'a BStr, Option<(&'a BString, ObjectId)>> {
    let mut named = HashMap::new();
    for (path, id) in files {
        let name = path.rfind_byte(b'/').map_or(path.as_bstr(), |at| path[at + 1..].as_bstr());
        named.entry(name).and_modify(|file| *file = None).or_insert(Some((path, id)));
    }
    named
}

/// Whether most of one is in the other.
fn are_alike(objects: &Alive<'_>, old: ObjectId, new: ObjectId) -> anyhow::Result<bool> {
    objects.watch.alive();
    let (old, new) = (objects.repo.find_object(old)?, objects.repo.find_object(new)?);
    Ok(similarity::score(&old.data, &new.data) * 100 >= ALIKE * similarity::MOST)
}
