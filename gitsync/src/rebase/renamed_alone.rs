//! Files that one side renamed or removed, and that the other left as they were.
//!
//! They are gone, whatever their new name, and that name has what its own side put there: no answer depends on who was
//! whose. But a search for renames compares each file that is gone with each that is new, in all their lines, so that of
//! a large folder that was renamed and changed the one file that the other side touched too would be found after
//! minutes. So the merge is given trees without them. Git's merges do not search for them either: see `relevant_sources`
//! in git's `merge-ort.c`.

use std::collections::HashSet;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};

use super::merge::Sides;
use crate::changes::{self, Change};

/// The sides without such files. What became of new files in folders that were renamed must be settled before, as it
/// takes all renames to know where a folder went.
///
/// # Errors
/// A tree cannot be read or written.
pub fn leave_out(repo: &gix::Repository, sides: Sides) -> anyhow::Result<Sides> {
    let Sides { base, ours, theirs } = sides;
    let of_ours = changes::between(repo, base, ours)?;
    let of_theirs = changes::between(repo, base, theirs)?;
    let gone_from_ours = gone_alone(&of_ours, &of_theirs);
    let gone_from_theirs = gone_alone(&of_theirs, &of_ours);
    Ok(Sides {
        base: without(repo, base, gone_from_ours.iter().chain(&gone_from_theirs))?,
        ours: without(repo, ours, gone_from_theirs.iter())?,
        theirs: without(repo, theirs, gone_from_ours.iter())?,
    })
}

/// The files that are gone by the changes `own` of one side, and that no change of the `other` side has to do with.
///
/// Not those that are somewhere else as they were: these are found at once, and then nobody else is taken to have become
/// what they have become.
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

fn without<'a>(
    repo: &gix::Repository,
    tree: ObjectId,
    paths: impl Iterator<Item = &'a &'a BString>,
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
