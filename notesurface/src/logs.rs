//! The session logs in two trees, and the notes in them.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use anyhow::Context as _;
use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice as _},
    diff::tree::{Recorder, State, recorder::Change},
    objs::{TreeRefIter, tree::EntryMode},
};
use phase::SessionLogs;

use crate::{incoming::ChangedLog, note::Note};

/// A session log that differs between two trees, by the ids of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Differing {
    /// Its path.
    pub(crate) path: BString,
    /// What it was.
    pub(crate) before: Option<ObjectId>,
    /// What it is.
    pub(crate) after: Option<ObjectId>,
}

/// Reads session logs of a repository for one user.
pub(crate) struct Logs<'a> {
    repo: &'a gix::Repository,
    user: Option<&'a str>,
    which: SessionLogs,
    /// The notes of each content that was read: a log is looked at once for each of the commits that surround it.
    read: RefCell<HashMap<ObjectId, Rc<Vec<Note>>>>,
}

impl<'a> Logs<'a> {
    /// The session logs of `repo`, read for `user`.
    ///
    /// # Errors
    /// A fault with exit 78 where the repository's patterns for session logs are broken.
    pub(crate) fn new(repo: &'a gix::Repository, user: Option<&'a str>) -> anyhow::Result<Self> {
        Ok(Self { repo, user, which: SessionLogs::of(repo)?, read: RefCell::default() })
    }

    /// The logs that differ between two trees, by path; the first may be missing, which is as if it were empty.
    pub(crate) fn differing(
        &self,
        before: Option<ObjectId>,
        after: ObjectId,
    ) -> anyhow::Result<Vec<Differing>> {
        let old = before.map(|id| self.repo.find_tree(id)).transpose()?;
        let new = self.repo.find_tree(after)?;
        let kind = self.repo.object_hash();
        let mut recorder = Recorder::default();
        gix::diff::tree(
            TreeRefIter::from_bytes(old.as_ref().map_or(&[], |tree| &tree.data), kind),
            TreeRefIter::from_bytes(&new.data, kind),
            &mut State::default(),
            &self.repo.objects,
            &mut recorder,
        )
        .with_context(|| format!("the trees {before:?} and {after} could not be compared"))?;
        Ok(recorder.records.into_iter().filter_map(|change| self.log(change)).collect())
    }

    fn log(&self, change: Change) -> Option<Differing> {
        // A link is not a log, whatever its name; the log is where it points to.
        let content = |mode: EntryMode, id| mode.is_blob().then_some(id);
        let (path, before, after) = match change {
            Change::Addition { entry_mode, oid, path, .. } => (path, None, content(entry_mode, oid)),
            Change::Deletion { entry_mode, oid, path, .. } => (path, content(entry_mode, oid), None),
            Change::Modification { previous_entry_mode, previous_oid, entry_mode, oid, path } => {
                (path, content(previous_entry_mode, previous_oid), content(entry_mode, oid))
            }
        };
        // The folder rules out nearly all files, for less than it takes to hold their paths against a pattern.
        let folder = path.rfind_byte(b'/').map_or(BStr::new(""), |at| path[..at].as_bstr());
        let is_log = (before.is_some() || after.is_some())
            && self.which.may_lie_in(folder)
            && self.which.contain(path.as_ref());
        is_log.then_some(Differing { path, before, after })
    }

    /// The notes for the user before and after.
    pub(crate) fn changed(&self, log: Differing) -> anyhow::Result<ChangedLog> {
        let notes = |id: Option<ObjectId>| -> anyhow::Result<Vec<Note>> {
            Ok(id.map(|id| self.notes(id)).transpose()?.map(|notes| notes.to_vec()).unwrap_or_default())
        };
        Ok(ChangedLog { before: notes(log.before)?, after: notes(log.after)?, path: log.path })
    }

    /// Whether a log's content has a note that says the same.
    pub(crate) fn has(&self, content: Option<ObjectId>, note: &Note) -> anyhow::Result<bool> {
        let Some(content) = content else { return Ok(false) };
        Ok(self.notes(content)?.iter().any(|other| other.says_the_same_as(note)))
    }

    fn notes(&self, content: ObjectId) -> anyhow::Result<Rc<Vec<Note>>> {
        if let Some(notes) = self.read.borrow().get(&content) {
            return Ok(notes.clone());
        }
        let blob = self.repo.find_blob(content)?;
        // What is not UTF-8 is still worth reading: the note is for a person.
        let notes = Rc::new(Note::all_for(self.user, &String::from_utf8_lossy(&blob.data)));
        self.read.borrow_mut().insert(content, notes.clone());
        Ok(notes)
    }
}
