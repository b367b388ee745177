//! Empty files, which are nobody's new name for another one.
//!
//! An empty file says nothing of where it came from, and git's merges do not look for its old name. The diff that the
//! merge here relies on does so in new folders: two `.gitkeep` that have nothing to do with each other would be a
//! rename, about which both sides may even disagree. So each empty file that a side removed is given to the merge with a
//! mark in it, which no other file has.

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};

use super::entries::at;
use super::merge::Sides;
use crate::changes;

/// The sides of a merge, in which no removed file is empty.
#[derive(Debug)]
pub struct Marked {
    /// What is to be merged.
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
    /// The merged tree, with the files as empty as they were.
    ///
    /// # Errors
    /// A tree cannot be read or written.
    pub fn unmark(&self, repo: &gix::Repository, merged: ObjectId) -> anyhow::Result<ObjectId> {
        let empty = ObjectId::empty_blob(repo.object_hash());
        replaced(repo, merged, self.marks.iter().map(|mark| (mark, mark.id, empty)))
    }
}

/// The tree with other content where a mark is or belongs: what there was, and what there is to be.
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
