//! Leaves files out of a tree merge that one side renamed or removed and the other one did not change.
//!
//! Such a file is deleted in the result, and at its new path is what its own side put there, whatever was renamed to
//! what. But rename detection compares every deleted file with every added one, line by line, so in a large directory
//! that was renamed and edited it would take minutes to find the one file that the other side changed too. Git
//! ignores such files as well: see `relevant_sources` in git's `merge-ort.c`.

use std::collections::HashSet;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};

use super::directory_renames::folders;
use super::entries;
use super::merge::Sides;
use crate::changes::{self, Change};

/// Returns the sides without such files. New files in renamed directories must have been settled before, since it
/// takes all renames to detect that of a directory.
///
/// # Errors
/// A tree cannot be read or written.
pub fn leave_out(repo: &gix::Repository, sides: Sides) -> anyhow::Result<Sides> {
    let Sides { base, ours, theirs } = sides;
    let of_ours = changes::between(repo, base, ours)?;
    let of_theirs = changes::between(repo, base, theirs)?;
    let gone_from_ours = kept_folders(repo, theirs, &of_ours, gone_alone(&of_ours, &of_theirs))?;
    let gone_from_theirs = kept_folders(repo, ours, &of_theirs, gone_alone(&of_theirs, &of_ours))?;
    Ok(Sides {
        base: without(repo, base, gone_from_ours.iter().chain(&gone_from_theirs).copied())?,
        ours: without(repo, ours, gone_from_theirs.iter().copied())?,
        theirs: without(repo, theirs, gone_from_ours.iter().copied())?,
    })
}

/// Returns the files that are deleted by the changes `own` of one side, and that the changes of the `other` side do
/// not touch.
///
/// Files that exist unchanged elsewhere are not among them: they are detected by id, and then their new path is no
/// candidate for other files.
fn gone_alone<'a>(own: &'a [Change], other: &[Change]) -> Vec<&'a BString> {
    let new: HashSet<ObjectId> = own
        .iter()
        .filter(|change| change.before.is_none())
        .filter_map(|change| Some(change.after?.1))
        .collect();
    if new.is_empty() {
        return Vec::new();
    }
    let touched: HashSet<&BString> = other.iter().map(|change| &change.path).collect();
    let gone = own.iter().filter(|change| change.after.is_none());
    let gone =
        gone.filter(|change| change.before.is_some_and(|(mode, id)| mode.is_blob() && !new.contains(&id)));
    gone.map(|change| &change.path).filter(|path| !touched.contains(path)).collect()
}

/// Returns the paths of `gone`, except for one in each directory that the `other` side would otherwise lose and in
/// which the changes `own` add something: the directory would appear to be renamed, and the new files would move
/// along.
fn kept_folders<'a>(
    repo: &gix::Repository,
    other: ObjectId,
    own: &[Change],
    mut gone: Vec<&'a BString>,
) -> anyhow::Result<Vec<&'a BString>> {
    let new = own.iter().filter(|change| change.before.is_none() && change.after.is_some());
    let with_new: HashSet<&BStr> = new.flat_map(|change| folders(change.path.as_bstr())).collect();
    let mut seen_in: HashSet<&BStr> = gone.iter().flat_map(|path| folders(path.as_bstr())).collect();
    seen_in.retain(|folder| with_new.contains(folder));
    if seen_in.is_empty() {
        return Ok(gone);
    }
    let left = without(repo, other, gone.iter().copied())?;
    let mut vanished = HashSet::new();
    for folder in seen_in {
        if !entries::at(repo, left, folder)?.is_some_and(|(mode, _)| mode.is_tree()) {
            vanished.insert(folder);
        }
    }
    gone.retain(|path| {
        let stays = folders(path.as_bstr()).any(|folder| vanished.contains(folder));
        if stays {
            let around: HashSet<&BStr> = folders(path.as_bstr()).collect();
            vanished.retain(|folder| !around.contains(folder));
        }
        !stays
    });
    Ok(gone)
}

/// Returns the tree without the files at these paths.
///
/// # Errors
/// A tree cannot be read or written.
pub fn without<'a>(
    repo: &gix::Repository,
    tree: ObjectId,
    paths: impl Iterator<Item = &'a BString>,
) -> anyhow::Result<ObjectId> {
    let mut paths = paths.peekable();
    if paths.peek().is_none() {
        return Ok(tree);
    }
    let mut editor = repo.edit_tree(tree)?;
    for path in paths {
        editor.remove(path.as_bstr())?;
    }
    Ok(editor.write()?.detach())
}
