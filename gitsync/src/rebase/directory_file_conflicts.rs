//! Settles conflicts between a directory and what replaced it, if the other side only removed files from it.
//!
//! The removed files would be gone anyway. But a merge that goes file by file sees a directory on one side and a file
//! on the other, and reports a conflict. Therefore the removals are reverted before the merge, which handles a
//! directory that only one side changed.

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::diff::Rewrites;
use gix::objs::tree::{EntryKind, EntryRef};

use super::alive::Alive;
use super::directory_renames::renames;
use super::entries::{has_otherwise, order};
use super::merge::Sides;
use crate::changes;

/// Returns the sides with such directories as they were in the base, or `None` if there are none.
///
/// A removed file that either side has under another name was renamed, not removed, and its directory is left alone.
///
/// # Errors
/// A tree cannot be read or written.
pub fn settle(
    objects: &Alive<'_>,
    sides: Sides,
    rewrites: Option<Rewrites>,
) -> anyhow::Result<Option<Sides>> {
    let repo = objects.repo;
    let mut found = Vec::new();
    find(repo, sides, BStr::new(""), &mut found)?;
    if found.is_empty() {
        return Ok(None);
    }
    let mut moved = Vec::new();
    if let Some(rewrites) = rewrites {
        for side in [sides.ours, sides.theirs] {
            moved.extend(renames(objects, sides.base, side, rewrites)?.into_iter().map(|(from, _)| from));
        }
    }
    found.retain(|folder| !folder.removed.iter().any(|path| moved.contains(path)));
    let restored = |by: RemovedBy, tree: ObjectId| -> anyhow::Result<ObjectId> {
        let mut editor = repo.edit_tree(tree)?;
        for folder in found.iter().filter(|folder| folder.by == by) {
            editor.upsert(folder.path.as_bstr(), EntryKind::Tree, folder.before)?;
        }
        Ok(editor.write()?.detach())
    };
    let settled = Sides {
        ours: restored(RemovedBy::Ours, sides.ours)?,
        theirs: restored(RemovedBy::Theirs, sides.theirs)?,
        ..sides
    };
    Ok((settled != sides).then_some(settled))
}

/// A directory that one side replaced.
struct Replaced {
    path: BString,
    /// Its tree in the base.
    before: ObjectId,
    /// The side that only removed files from it.
    by: RemovedBy,
    /// The files that were removed.
    removed: Vec<BString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RemovedBy {
    Ours,
    Theirs,
}

/// What a side has in the place of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Folder(ObjectId),
    Other,
    Nothing,
}

fn find(repo: &gix::Repository, sides: Sides, at: &BStr, found: &mut Vec<Replaced>) -> anyhow::Result<()> {
    let trees = (repo.find_tree(sides.base)?, repo.find_tree(sides.ours)?, repo.find_tree(sides.theirs)?);
    let (base, ours, theirs) = (trees.0.decode()?, trees.1.decode()?, trees.2.decode()?);
    for folder in base.entries.iter().filter(|entry| entry.mode.is_tree()) {
        let before = folder.oid.to_owned();
        let (ours, theirs) = (there(&ours.entries, folder), there(&theirs.entries, folder));
        let path = || -> BString {
            let slash: &[u8] = if at.is_empty() { b"" } else { b"/" };
            [at.as_bytes(), slash, folder.filename.as_bytes()].concat().into()
        };
        let (by, after) = match (ours, theirs) {
            (There::Folder(ours), There::Folder(theirs)) => {
                if ours != before && theirs != before && ours != theirs {
                    find(repo, Sides { base: before, ours, theirs }, path().as_bstr(), found)?;
                }
                continue;
            }
            (There::Other, There::Folder(after)) if after != before => (RemovedBy::Theirs, after),
            (There::Folder(after), There::Other) if after != before => (RemovedBy::Ours, after),
            (There::Other, There::Nothing) => (RemovedBy::Theirs, repo.object_hash().empty_tree()),
            (There::Nothing, There::Other) => (RemovedBy::Ours, repo.object_hash().empty_tree()),
            _ => continue,
        };
        let path = path();
        let changes = changes::between(repo, before, after)?;
        if changes.iter().all(|change| change.after.is_none()) {
            let removed = changes.iter().map(|change| [&path, change.path.as_slice()].join(&b'/').into());
            let removed = removed.collect();
            found.push(Replaced { path, before, by, removed });
        }
    }
    Ok(())
}

fn there(entries: &[EntryRef<'_>], folder: &EntryRef<'_>) -> There {
    match entries.binary_search_by(|entry| order(entry, folder)) {
        Ok(at) => There::Folder(entries[at].oid.to_owned()),
        Err(_) if has_otherwise(entries, folder) => There::Other,
        Err(_) => There::Nothing,
    }
}
