//! Decides about each path, and writes the merged trees.
//!
//! What is in a directory is decided before the directory itself: only then is it known whether it is still in the
//! way of a file. See `process_entry` in git's `merge-ort.c`.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::objs::tree::{Entry, EntryKind};
use gix::objs::{Kind, Tree, Write as _, WriteTo as _};

use super::paths::{Item, Path, Paths, Same, folder, name};
use crate::rebase::content::Blobs;

/// The result for one path.
enum Decided {
    /// This, or nothing.
    Clean(Option<Item>),
    Conflict,
}

/// Returns the merged tree of the trees `known`; the paths that are in conflict are added to `disputed`, and then it
/// is of no use.
///
/// # Errors
/// An object cannot be read or written, or a merge driver fails.
pub fn settle(
    repo: &gix::Repository,
    known: [Option<ObjectId>; 3],
    paths: Paths,
    blobs: &mut Blobs<'_>,
    disputed: &mut Vec<BString>,
) -> anyhow::Result<ObjectId> {
    let mut paths: Vec<(BString, Path)> = paths.into_iter().collect();
    paths.sort_by(|(one, _), (other, _)| other.cmp(one));
    let mut inside: HashMap<BString, Vec<Entry>> = HashMap::new();
    for (path, found) in paths {
        let entries = inside.remove(&path).unwrap_or_default();
        let below = match entries.is_empty() {
            true => None,
            false => Some((EntryKind::Tree, write(repo, entries, found.folders)?)),
        };
        let decided = decide(path.as_bstr(), &found, below, blobs)?;
        let result = match decided {
            Decided::Clean(result) => result,
            Decided::Conflict => {
                disputed.push(path.clone());
                // It would be in the tree with conflict markers, and its directory in the way of a file.
                let [_, ours, theirs] = found.files;
                below.or(ours).or(theirs)
            }
        };
        if let Some((kind, oid)) = result {
            let entry = Entry { mode: kind.into(), filename: name(path.as_bstr()).to_owned(), oid };
            inside.entry(folder(path.as_bstr()).to_owned()).or_default().push(entry);
        }
    }
    write(repo, inside.remove(BStr::new("")).unwrap_or_default(), known)
}

/// Writes a tree, unless it is one that is `known` to be there.
fn write(
    repo: &gix::Repository,
    mut entries: Vec<Entry>,
    known: [Option<ObjectId>; 3],
) -> anyhow::Result<ObjectId> {
    entries.sort();
    let mut tree = Vec::new();
    Tree { entries }.write_to(&mut tree)?;
    let id = gix::objs::compute_hash(repo.object_hash(), Kind::Tree, &tree)?;
    if known.contains(&Some(id)) {
        return Ok(id);
    }
    Ok(repo.objects.write_buf(Kind::Tree, &tree)?)
}

/// Decides about one path, given the tree of what is `below` it.
fn decide(path: &BStr, found: &Path, below: Option<Item>, blobs: &mut Blobs<'_>) -> anyhow::Result<Decided> {
    let file = match found.settled {
        Some(settled) => Decided::Clean(settled),
        None if below.is_some() => without_place(path, found, blobs)?,
        None => merged(path, found, blobs)?,
    };
    Ok(match (below, file) {
        (None, file) => file,
        (below, Decided::Clean(None)) => Decided::Clean(below),
        // Git loses what else is in a directory that it took as a whole, if a file then moves along into it.
        (Some(_), _) => Decided::Conflict,
    })
}

/// Decides about a file in whose place there is a directory. Its content does not matter, only whether it goes away.
fn without_place(path: &BStr, found: &Path, blobs: &mut Blobs<'_>) -> anyhow::Result<Decided> {
    match found.files {
        [_, None, None] => Ok(Decided::Clean(None)),
        [_, Some(_), Some(_)] => Ok(Decided::Conflict),
        _ => merged(path, found, blobs),
    }
}

/// Merges the versions of a file.
fn merged(path: &BStr, found: &Path, blobs: &mut Blobs<'_>) -> anyhow::Result<Decided> {
    let unless_disputed = |result: Option<Item>| {
        if found.is_disputed { Decided::Conflict } else { Decided::Clean(result) }
    };
    let [base, ours, theirs] = found.files;
    Ok(match found.same {
        Same::All | Same::Sides => unless_disputed(ours),
        Same::ChangedBy(side) => match found.files[side.index()] {
            None => Decided::Clean(None),
            changed => unless_disputed(changed),
        },
        Same::Nothing => match (base, ours, theirs) {
            (_, Some(_), Some(_)) => match blobs.merge(path, found.files)? {
                None => Decided::Conflict,
                result => unless_disputed(result),
            },
            (Some(before), Some(after), None) | (Some(before), None, Some(after)) => {
                let is_unchanged = !found.is_disputed && blobs.is_unchanged(path, before, after)?;
                if is_unchanged { Decided::Clean(None) } else { Decided::Conflict }
            }
            (None, one, other) => unless_disputed(one.or(other)),
            (Some(_), None, None) => unless_disputed(None),
        },
    })
}
