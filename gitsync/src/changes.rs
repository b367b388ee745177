//! Lists the differences between two trees, file by file, without rename detection.
//!
//! gix's own comparison prepares for rename detection each time it is called, by reading the attributes of the whole
//! index: for a hundred commits, that would mean going through all files a hundred times.

use gix::ObjectId;
use gix::bstr::BString;
use gix::diff::tree::{Recorder, recorder};
use gix::objs::tree::EntryMode;
use gix::objs::{Find, FindExt as _, TreeRefIter};

use crate::tree::canonical;

/// A path at which two trees differ. Subtrees are listed only by the files in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: BString,
    /// The file, link or submodule in the old tree.
    pub before: Option<(EntryMode, ObjectId)>,
    /// The file, link or submodule in the new tree.
    pub after: Option<(EntryMode, ObjectId)>,
}

/// Returns the differences between the trees `from` and `to`, in no particular order. A path may occur twice if a
/// file became a tree.
///
/// # Errors
/// A tree cannot be read.
pub fn between(repo: &gix::Repository, from: ObjectId, to: ObjectId) -> anyhow::Result<Vec<Change>> {
    among(&repo.objects, from, to)
}

/// The same of trees that are found in `objects`.
///
/// # Errors
/// A tree cannot be read.
pub fn among(objects: &impl Find, from: ObjectId, to: ObjectId) -> anyhow::Result<Vec<Change>> {
    if from == to {
        return Ok(Vec::new());
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut recorder = Recorder::default();
    gix::diff::tree(
        entries(objects, &from, &mut before)?,
        entries(objects, &to, &mut after)?,
        gix::diff::tree::State::default(),
        objects,
        &mut recorder,
    )?;
    let changes = recorder.records.into_iter().map(|change| match change {
        recorder::Change::Addition { entry_mode, oid, path, .. } => {
            Change { path, before: None, after: Some((entry_mode, oid)) }
        }
        recorder::Change::Deletion { entry_mode, oid, path, .. } => {
            Change { path, before: Some((entry_mode, oid)), after: None }
        }
        recorder::Change::Modification { previous_entry_mode, previous_oid, entry_mode, oid, path } => {
            Change { path, before: Some((previous_entry_mode, previous_oid)), after: Some((entry_mode, oid)) }
        }
    });
    let file = |side: Option<(EntryMode, ObjectId)>| {
        side.filter(|(mode, _)| !mode.is_tree()).map(|(mode, id)| (canonical::mode(mode), id))
    };
    let files =
        changes.map(|change| Change { before: file(change.before), after: file(change.after), ..change });
    // The same mode in a non-canonical spelling is no difference.
    Ok(files.filter(|change| change.before != change.after).collect())
}

/// The entries of a tree; the empty one need not be there.
fn entries<'a>(
    objects: &impl Find,
    id: &ObjectId,
    buffer: &'a mut Vec<u8>,
) -> anyhow::Result<TreeRefIter<'a>> {
    if id.is_empty_tree() {
        return Ok(TreeRefIter::from_bytes(&[], id.kind()));
    }
    Ok(objects.find_tree_iter(id, buffer)?)
}
