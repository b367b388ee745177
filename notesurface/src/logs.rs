//! Compares the session logs of two trees, and reads the notes in them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use anyhow::Context as _;
use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice as _},
    diff::tree::{
        Recorder, State, Visit,
        visit::{Action, Change},
    },
    objs::{
        TreeRefIter,
        tree::{EntryMode, EntryRef},
    },
};
use phase::SessionLogs;

use crate::{
    incoming::{ChangedLog, Located, incoming},
    note::Note,
    text,
};

/// A session log that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Differing {
    /// Its path.
    pub(crate) path: BString,
    /// The blob before, if any.
    pub(crate) before: Option<ObjectId>,
    /// The blob after, if any.
    pub(crate) after: Option<ObjectId>,
}

/// A subtree of the root that differs between two trees.
struct Folder {
    name: BString,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
}

impl Folder {
    /// Returns the logs that differ in it.
    fn differing(&self, repo: &gix::Repository, which: &SessionLogs) -> anyhow::Result<Vec<Differing>> {
        let read = |id: ObjectId| repo.find_tree(id).map(|tree| tree.data.clone());
        let [old, new] = [self.before, self.after].map(|id| id.map(read).transpose());
        let (old, new) = (old?.unwrap_or_default(), new?.unwrap_or_default());
        let entries = |tree| TreeRefIter::from_bytes(tree, repo.object_hash());
        let mut listener =
            Listener { top: self.name.as_ref(), which, place: Recorder::default(), found: Vec::new() };
        gix::diff::tree(entries(&old), entries(&new), &mut State::default(), &repo.objects, &mut listener)
            .with_context(|| format!("the trees of {} could not be compared", self.name))?;
        Ok(listener.found)
    }
}

/// Collects the logs among the differences of two trees. Most differences are not logs, so recording all of them
/// would cost a path for each of perhaps a thousand files.
struct Listener<'a> {
    /// The name of the subtree that is compared.
    top: &'a BStr,
    which: &'a SessionLogs,
    /// Tracks the path of the current difference within that subtree.
    place: Recorder,
    found: Vec<Differing>,
}

impl Visit for Listener<'_> {
    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.place.pop_front_tracked_path_and_set_current();
    }

    fn push_back_tracked_path_component(&mut self, component: &BStr) {
        self.place.push_back_tracked_path_component(component);
    }

    fn push_path_component(&mut self, component: &BStr) {
        self.place.push_path_component(component);
    }

    fn pop_path_component(&mut self) {
        self.place.pop_path_component();
    }

    fn visit(&mut self, change: Change) -> Action {
        // A symbolic link is not a log, whatever its name; the log is the file that it points to.
        let content = |mode: EntryMode, id| mode.is_blob().then_some(id);
        let (before, after) = match change {
            Change::Addition { entry_mode, oid, .. } => (None, content(entry_mode, oid)),
            Change::Deletion { entry_mode, oid, .. } => (content(entry_mode, oid), None),
            Change::Modification { previous_entry_mode, previous_oid, entry_mode, oid } => {
                (content(previous_entry_mode, previous_oid), content(entry_mode, oid))
            }
        };
        if before.is_some() || after.is_some() {
            let path = [self.top, self.place.path()].map(|part| part.as_bytes()).join(&b'/');
            self.found.extend(log(self.which, path.into(), before, after));
        }
        Action::Continue(())
    }
}

/// Returns the difference at `path` if that is a log.
fn log(
    which: &SessionLogs,
    path: BString,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
) -> Option<Differing> {
    let is_log = (before.is_some() || after.is_some()) && which.contain(path.as_ref());
    is_log.then_some(Differing { path, before, after })
}

/// Reads session logs of a repository for one user.
pub(crate) struct Logs<'a> {
    repo: &'a gix::Repository,
    user: Option<&'a str>,
    which: SessionLogs,
    /// The notes of each blob that was read: a log is needed once for each adjacent pair of commits.
    read: RefCell<HashMap<ObjectId, Rc<Vec<Note>>>>,
}

impl<'a> Logs<'a> {
    /// Creates a reader of the session logs of `repo`, for `user`.
    ///
    /// # Errors
    /// A fault with exit 78 if the repository's patterns for session logs are invalid.
    pub(crate) fn new(repo: &'a gix::Repository, user: Option<&'a str>) -> anyhow::Result<Self> {
        Ok(Self { repo, user, which: SessionLogs::of(repo)?, read: RefCell::default() })
    }

    /// Returns the logs that differ between two trees, by path; if the first is `None`, it counts as empty.
    pub(crate) fn differing(
        &self,
        before: Option<ObjectId>,
        after: ObjectId,
    ) -> anyhow::Result<Vec<Differing>> {
        let read = |id: ObjectId| self.repo.find_tree(id).map(|tree| tree.data.clone());
        let (old, new) = (before.map(read).transpose()?.unwrap_or_default(), read(after)?);
        let (mut found, folders) = self.at_the_top(&old, &new)?;
        for folder in &folders {
            found.extend(folder.differing(self.repo, &self.which)?);
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    /// Returns what differs between the entries of two trees: logs, and subtrees to compare.
    fn at_the_top(&self, old: &[u8], new: &[u8]) -> anyhow::Result<(Vec<Differing>, Vec<Folder>)> {
        let kind = self.repo.object_hash();
        let entries = |tree| TreeRefIter::from_bytes(tree, kind).collect::<gix::Result<Vec<_>>>();
        let mut sides: BTreeMap<&BStr, [Option<EntryRef<'_>>; 2]> = BTreeMap::new();
        for (side, tree) in [old, new].into_iter().enumerate() {
            for entry in entries(tree).context("a tree is damaged")? {
                sides.entry(entry.filename).or_default()[side] = Some(entry);
            }
        }
        let (mut logs, mut folders) = (Vec::new(), Vec::new());
        for (name, [before, after]) in sides.into_iter().filter(|(_, [before, after])| before != after) {
            let of = |entry: Option<EntryRef<'_>>, is: fn(EntryMode) -> bool| {
                entry.filter(|entry| is(entry.mode)).map(|entry| entry.oid.to_owned())
            };
            let blob = |mode: EntryMode| mode.is_blob();
            logs.extend(log(&self.which, name.to_owned(), of(before, blob), of(after, blob)));
            let [before, after] = [before, after].map(|entry| of(entry, |mode| mode.is_tree()));
            if before != after {
                folders.push(Folder { name: name.to_owned(), before, after });
            }
        }
        Ok((logs, folders))
    }

    /// Returns the notes that are new in these logs.
    pub(crate) fn incoming(&self, logs: Vec<Differing>) -> anyhow::Result<Vec<Located>> {
        let changed = logs.into_iter().map(|log| self.changed(log));
        Ok(incoming(changed.collect::<anyhow::Result<_>>()?))
    }

    /// Reads the notes for the user before and after.
    fn changed(&self, log: Differing) -> anyhow::Result<ChangedLog> {
        let notes = |id: Option<ObjectId>| -> anyhow::Result<Vec<Note>> {
            Ok(id.map(|id| self.notes(id)).transpose()?.map(|notes| notes.to_vec()).unwrap_or_default())
        };
        Ok(ChangedLog { before: notes(log.before)?, after: notes(log.after)?, path: log.path })
    }

    /// Returns how many notes of a blob have the same text.
    pub(crate) fn count(&self, content: Option<ObjectId>, note: &Note) -> anyhow::Result<usize> {
        let Some(content) = content else { return Ok(0) };
        Ok(self.notes(content)?.iter().filter(|other| other.says_the_same_as(note)).count())
    }

    fn notes(&self, content: ObjectId) -> anyhow::Result<Rc<Vec<Note>>> {
        if let Some(notes) = self.read.borrow().get(&content) {
            return Ok(notes.clone());
        }
        let blob = self.repo.find_blob(content)?;
        let notes = Rc::new(Note::all_for(self.user, &text::of(&blob.data)));
        self.read.borrow_mut().insert(content, notes.clone());
        Ok(notes)
    }
}
