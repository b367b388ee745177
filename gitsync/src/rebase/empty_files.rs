//! Keeps empty files out of rename detection during a merge, as git does.
//!
//! An empty file gives no hint of where it came from, and git's merges do not look for its old name. The diff that
//! the merge here relies on does so in new directories: two unrelated `.gitkeep` files would be a rename, about which
//! the two sides might even conflict. Therefore each empty file that a side removed is given unique content, a mark,
//! for the merge.

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};

use super::entries::at;
use super::merge::Sides;
use crate::changes;

/// The sides of a merge, in which no removed file is empty.
#[derive(Debug)]
pub struct Marked {
    /// The sides that are to be merged.
    pub sides: Sides,
    marks: Vec<Mark>,
}

#[derive(Debug)]
struct Mark {
    path: BString,
    id: ObjectId,
}

/// Marks the empty files that one side has removed.
///
/// # Errors
/// A tree cannot be read or written.
pub fn mark(repo: &gix::Repository, sides: Sides) -> anyhow::Result<Marked> {
    let Sides { base, ours, theirs } = sides;
    let empty = ObjectId::empty_blob(repo.object_hash());
    let mut marks: Vec<Mark> = Vec::new();
    for side in [ours, theirs] {
        for change in changes::between(repo, base, side)? {
            let Some((mode, id)) = change.before.filter(|_| change.after.is_none()) else { continue };
            if id == empty && mode.is_blob() && !marks.iter().any(|mark| mark.path == change.path) {
                let mark = format!("the empty file {:?} of a merge\n", change.path);
                marks.push(Mark { id: repo.write_blob(mark)?.detach(), path: change.path });
            }
        }
    }
    if marks.is_empty() {
        return Ok(Marked { sides, marks });
    }
    let marked = |tree: ObjectId| -> anyhow::Result<ObjectId> {
        replaced(repo, tree, marks.iter().map(|mark| (mark, empty, mark.id)))
    };
    let sides = Sides { base: marked(base)?, ours: marked(ours)?, theirs: marked(theirs)? };
    Ok(Marked { sides, marks })
}

impl Marked {
    /// Returns the merged tree with the marked files empty again.
    ///
    /// # Errors
    /// A tree cannot be read or written.
    pub fn unmark(&self, repo: &gix::Repository, merged: ObjectId) -> anyhow::Result<ObjectId> {
        let empty = ObjectId::empty_blob(repo.object_hash());
        replaced(repo, merged, self.marks.iter().map(|mark| (mark, mark.id, empty)))
    }
}

/// Returns the tree in which each marked file with the first content has the second one instead.
fn replaced<'m>(
    repo: &gix::Repository,
    tree: ObjectId,
    marks: impl Iterator<Item = (&'m Mark, ObjectId, ObjectId)>,
) -> anyhow::Result<ObjectId> {
    let mut editor = repo.edit_tree(tree)?;
    for (mark, before, after) in marks {
        let path = mark.path.as_bstr();
        if let Some((mode, id)) = at(repo, tree, path)?
            && id == before
        {
            editor.upsert(path, mode.kind(), after)?;
        }
    }
    Ok(editor.write()?.detach())
}
