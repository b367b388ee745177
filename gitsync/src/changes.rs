//! Lists the differences between two trees, file by file, without rename detection.
//!
//! gix's own comparison prepares for rename detection each time it is called, by reading the attributes of the whole
//! index: for a hundred commits, that would mean going through all files a hundred times.

use gix::ObjectId;
use gix::bstr::BString;
use gix::diff::tree::{Recorder, recorder};
use gix::objs::tree::EntryMode;

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
    if from == to {
        return Ok(Vec::new());
    }
    let (from, to) = (repo.find_tree(from)?, repo.find_tree(to)?);
    let mut recorder = Recorder::default();
    gix::diff::tree(
        gix::objs::TreeRefIter::from_bytes(&from.data, from.id.kind()),
        gix::objs::TreeRefIter::from_bytes(&to.data, to.id.kind()),
        gix::diff::tree::State::default(),
        &repo.objects,
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
