//! Brings the versions of a file that was renamed together at its new path.
//!
//! What the other side did to the file at its old path belongs to the new one; what each side did elsewhere with
//! these two paths may be a conflict. See `process_renames` in git's `merge-ort.c`.

use gix::bstr::{BString, ByteSlice as _};
use gix::objs::tree::EntryKind;

use super::detect::Renames;
use super::paths::{BASE, Each, Item, Paths, Same, Side};
use crate::rebase::content::Blobs;

/// A file that a side renamed.
struct Rename {
    from: BString,
    to: BString,
    by: Side,
}

/// Follows the renames of both sides.
///
/// # Errors
/// An object cannot be read, or a merge driver fails.
pub fn follow(paths: &mut Paths, renames: Each<Renames>, blobs: &mut Blobs<'_>) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for by in Side::BOTH {
        all.extend(renames.of(by).files.iter().map(|(from, to)| Rename {
            from: from.clone(),
            to: to.clone(),
            by,
        }));
    }
    all.sort_by(|one, other| one.from.cmp(&other.from));
    for both in all.chunk_by(|one, other| one.from == other.from) {
        let is_open = |rename: &Rename| paths.get(&rename.from).is_some_and(|path| path.settled.is_none());
        match both {
            [ours, theirs] if is_open(ours) => follow_both(paths, ours, theirs),
            [rename] if is_open(rename) => follow_one(paths, rename, blobs)?,
            _ => {}
        }
    }
    Ok(())
}

/// Follows a file that both sides renamed.
fn follow_both(paths: &mut Paths, ours: &Rename, theirs: &Rename) {
    if ours.to == theirs.to {
        let before = paths.get_mut(&ours.from).and_then(|old| {
            old.settled = Some(None);
            old.files[BASE]
        });
        if let Some(new) = paths.get_mut(&ours.to) {
            new.files[BASE] = before;
        }
        return;
    }
    for path in [&ours.from, &ours.to, &theirs.to] {
        if let Some(path) = paths.get_mut(path) {
            path.is_disputed = true;
        }
    }
}

/// Follows a file that one side renamed.
fn follow_one(
    paths: &mut Paths,
    Rename { from, to, by }: &Rename,
    blobs: &mut Blobs<'_>,
) -> anyhow::Result<()> {
    let (by, other) = (*by, by.other());
    let (Some(old), Some(new)) = (paths.get(from), paths.get(to)) else { return Ok(()) };
    let (versions, there, is_settled) = (old.files, new.files, new.settled.is_some());
    let (before, edited) = (versions[BASE], versions[other.index()]);
    let (Some(moved), false) = (there[by.index()], is_settled) else {
        // Its new path became the old one of another file meanwhile.
        dispute(paths, to);
        return Ok(());
    };
    let changed_type = edited.is_some_and(|edited| is_file(edited) != is_file(moved));
    let collides = there[other.index()].is_some() && !changed_type;
    let mut result = there;
    let mut is_disputed = false;
    match edited {
        None => {
            // The other side removed it.
            is_disputed = true;
            if !collides {
                result[BASE] = before;
            }
        }
        Some(edited) if collides => {
            // The other side has another file at the new path, with which the result has to be merged in turn.
            let mut sides = [before, Some(edited), Some(edited)];
            sides[by.index()] = Some(moved);
            match blobs.merge(from.as_bstr(), sides)? {
                Some(merged) => result[by.index()] = Some(merged),
                None => is_disputed = true,
            }
            // Git takes the other one then, which does not have what was changed at the old path.
            is_disputed |= new.same == Same::Sides && by == Side::Theirs && result != there;
        }
        Some(edited) => {
            result[BASE] = before;
            if !changed_type {
                result[other.index()] = Some(edited);
            }
        }
    }
    if let Some(new) = paths.get_mut(to) {
        new.files = result;
        new.is_disputed |= is_disputed;
    }
    if let Some(old) = paths.get_mut(from) {
        if changed_type {
            old.files[BASE] = None;
        } else {
            old.settled = Some(None);
        }
    }
    Ok(())
}

fn dispute(paths: &mut Paths, path: &BString) {
    if let Some(path) = paths.get_mut(path) {
        path.is_disputed = true;
    }
}

fn is_file((kind, _): Item) -> bool {
    matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable)
}
