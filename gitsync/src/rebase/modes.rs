//! Settles differences in file modes that are a conflict for the tree merge of gix, but not for git's.

use gix::ObjectId;
use gix::bstr::ByteSlice as _;

use super::entries::at;
use super::merge::Sides;
use crate::changes;
use crate::tree::canonical;

/// Returns the sides with modes in git's canonical spelling wherever they differ, since a mode in another spelling
/// looks like another mode; and with one mode for each file that is the same on both sides except for its executable
/// bit.
///
/// # Errors
/// A tree cannot be read or written.
pub fn settle(repo: &gix::Repository, sides: Sides) -> anyhow::Result<Sides> {
    let Sides { base, ours, theirs } = sides;
    let sides = Sides {
        base: canonical::unless_in(repo, base, [Some(ours), Some(theirs)])?,
        ours: canonical::unless_in(repo, ours, [Some(base), Some(theirs)])?,
        theirs: canonical::unless_in(repo, theirs, [Some(base), Some(ours)])?,
    };
    with_one_mode_for_the_same(repo, sides)
}

/// The mode is taken from the side that changed it. See `handle_content_merge` in git's `merge-ort.c`.
fn with_one_mode_for_the_same(repo: &gix::Repository, sides: Sides) -> anyhow::Result<Sides> {
    let mut ours = repo.edit_tree(sides.ours)?;
    let mut theirs = repo.edit_tree(sides.theirs)?;
    for change in changes::between(repo, sides.base, sides.ours)? {
        let (Some((before, _)), Some((here, id))) = (change.before, change.after) else { continue };
        let path = change.path.as_bstr();
        let Some((there, _)) = at(repo, sides.theirs, path)?.filter(|(_, theirs)| *theirs == id) else {
            continue;
        };
        if here != there && [before, here, there].iter().all(|mode| mode.is_blob()) {
            let mode = if here == before { there } else { here };
            ours.upsert(path, mode.kind(), id)?;
            theirs.upsert(path, mode.kind(), id)?;
        }
    }
    let written = |mut editor: gix::object::tree::Editor<'_>| -> anyhow::Result<ObjectId> {
        Ok(editor.write()?.detach())
    };
    Ok(Sides { base: sides.base, ours: written(ours)?, theirs: written(theirs)? })
}
