//! Compares two notes trees note by note.
//!
//! A diff by path is not enough: a note moves to another path when the fan-out changes, and may be at two paths in
//! one tree. So the trees are walked in parallel, subtree by subtree; equal subtrees are not read, and where the
//! layouts differ, only that part is compared by the annotated objects' ids.

use std::collections::BTreeMap;

use anyhow::Result;
use gix::{ObjectId, Repository, objs::Find};

use crate::combine;

use super::{
    alike,
    layout::{self, Annotated, NonNote, Prefix, Slot},
};

/// A note that differs; `None` if it does not exist on that side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The old note.
    pub old: Option<ObjectId>,
    /// The new note.
    pub new: Option<ObjectId>,
}

/// An entry that is not a note and differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherChange {
    /// The old entry.
    pub old: Option<NonNote>,
    /// The new entry.
    pub new: Option<NonNote>,
}

/// All differences between two notes trees.
#[derive(Debug, Default)]
pub struct Changes {
    /// The notes, in the order of the annotated objects.
    pub notes: BTreeMap<Annotated, Change>,
    /// The other entries, by the subtree that they are in and their name.
    pub others: BTreeMap<(Prefix, gix::bstr::BString), OtherChange>,
}

/// Compares two notes trees of `repo`, read from `objects`; a missing tree counts as empty.
///
/// # Errors
/// If a subtree that differs cannot be read.
pub fn changes(
    repo: &Repository,
    objects: &dyn Find,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
) -> Result<Changes> {
    changes_below(repo, objects, &Prefix::default(), old, new)
}

/// Compares two notes trees until at least `most` notes are found that differ: to know whether there is just one, two
/// are enough. There may be a few more.
///
/// # Errors
/// As for [`changes`].
pub fn first_changes(
    repo: &Repository,
    objects: &dyn Find,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    most: usize,
) -> Result<Changes> {
    let mut walk = Walk { repo, objects, most, changes: Changes::default() };
    walk.compare(&Prefix::default(), old, new)?;
    Ok(walk.changes)
}

/// Compares two versions of the subtree at `prefix`.
pub(crate) fn changes_below(
    repo: &Repository,
    objects: &dyn Find,
    prefix: &Prefix,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
) -> Result<Changes> {
    let mut walk = Walk { repo, objects, most: usize::MAX, changes: Changes::default() };
    walk.compare(prefix, old, new)?;
    Ok(walk.changes)
}

struct Walk<'repo> {
    repo: &'repo Repository,
    objects: &'repo dyn Find,
    /// The number of changes to stop at.
    most: usize,
    changes: Changes,
}

/// The entries of a tree for ids that continue with the same byte: usually a subtree or some notes, rarely both.
#[derive(Default, Clone, PartialEq, Eq)]
struct Part {
    folder: Option<ObjectId>,
    /// Subtrees for the same byte in other spellings (`aB` besides `ab`), which git never writes.
    more_folders: Vec<ObjectId>,
    notes: Vec<(Annotated, ObjectId)>,
}

#[derive(Default)]
struct Folder {
    /// The parts by byte, in ascending order.
    parts: Vec<(u8, Part)>,
    others: Vec<NonNote>,
}

impl Walk<'_> {
    fn compare(&mut self, prefix: &Prefix, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<()> {
        if old == new {
            return Ok(());
        }
        let (before, after) = (self.bytes(old)?, self.bytes(new)?);
        let (before, after) = alike::trimmed(&before, &after, self.repo.object_hash());
        let (old, new) = (folder(prefix, old, before)?, folder(prefix, new, after)?);
        self.compare_others(prefix, old.others, new.others);
        let nothing = Part::default();
        let (mut before, mut after) = (old.parts.iter().peekable(), new.parts.iter().peekable());
        loop {
            let byte = match (before.peek(), after.peek()) {
                (None, None) => return Ok(()),
                (Some((byte, _)), None) | (None, Some((byte, _))) => *byte,
                (Some((old, _)), Some((new, _))) => *old.min(new),
            };
            let old = before.next_if(|(at, _)| *at == byte).map_or(&nothing, |(_, part)| part);
            let new = after.next_if(|(at, _)| *at == byte).map_or(&nothing, |(_, part)| part);
            self.compare_part(&prefix.join(byte), old, new)?;
        }
    }

    fn compare_part(&mut self, prefix: &Prefix, old: &Part, new: &Part) -> Result<()> {
        if old == new || self.changes.notes.len() >= self.most {
            return Ok(());
        }
        if let (Some(old), Some(new)) = (old.only_folder(), new.only_folder()) {
            return self.compare(prefix, old, new);
        }
        let (old, mut new) = (self.all_notes(prefix, old)?, self.all_notes(prefix, new)?);
        for (object, before) in old {
            self.note(object, Some(before), new.remove(&object));
        }
        for (object, after) in new {
            self.note(object, None, Some(after));
        }
        Ok(())
    }

    fn note(&mut self, object: Annotated, old: Option<ObjectId>, new: Option<ObjectId>) {
        if old != new {
            self.changes.notes.insert(object, Change { old, new });
        }
    }

    /// Returns all notes of a part, whatever their path; several notes about one object become the one that git would
    /// show.
    fn all_notes(&mut self, prefix: &Prefix, part: &Part) -> Result<BTreeMap<Annotated, ObjectId>> {
        let mut notes = BTreeMap::new();
        self.collect(prefix, part, &mut notes)?;
        Ok(notes)
    }

    fn collect(
        &mut self,
        prefix: &Prefix,
        part: &Part,
        notes: &mut BTreeMap<Annotated, ObjectId>,
    ) -> Result<()> {
        for tree in part.folder.iter().chain(&part.more_folders) {
            let folder = folder(prefix, Some(*tree), &self.bytes(Some(*tree))?)?;
            for (byte, part) in &folder.parts {
                self.collect(&prefix.join(*byte), part, notes)?;
            }
        }
        for (object, blob) in &part.notes {
            let whole = match notes.get(object) {
                Some(first) => combine::concatenate_blobs(self.repo, *first, *blob)?,
                None => *blob,
            };
            notes.insert(*object, whole);
        }
        Ok(())
    }

    fn compare_others(&mut self, prefix: &Prefix, old: Vec<NonNote>, new: Vec<NonNote>) {
        let mut entries: BTreeMap<_, OtherChange> = BTreeMap::new();
        for other in old {
            entries.insert(other.name.clone(), OtherChange { old: Some(other), new: None });
        }
        for other in new {
            let change = entries.entry(other.name.clone()).or_insert(OtherChange { old: None, new: None });
            change.new = Some(other);
        }
        for (name, change) in entries {
            if change.old != change.new {
                self.changes.others.insert((*prefix, name), change);
            }
        }
    }

    fn bytes(&self, tree: Option<ObjectId>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(tree) = tree {
            layout::bytes(self.objects, tree, &mut bytes)?;
        }
        Ok(bytes)
    }
}

/// Sorts entries of `tree`, which is the subtree at `prefix`, into parts.
fn folder(prefix: &Prefix, tree: Option<ObjectId>, entries: &[u8]) -> Result<Folder> {
    let mut folder = Folder::default();
    let Some(tree) = tree else { return Ok(folder) };
    layout::slots(entries, tree, prefix, |slot| {
        match slot {
            Slot::Note { object, blob } => {
                folder.part(object.byte(prefix.depth())).notes.push((object, blob));
            }
            Slot::Folder { byte, tree } => {
                let part = folder.part(byte);
                match part.folder {
                    None => part.folder = Some(tree),
                    Some(_) => part.more_folders.push(tree),
                }
            }
            Slot::NonNote(other) => folder.others.push(other),
        }
        Ok(())
    })?;
    Ok(folder)
}

impl Folder {
    /// Returns the part for a byte. Entries are sorted by name, so it is the last part or a new one after it, unless
    /// a tree has upper-case digits.
    fn part(&mut self, byte: u8) -> &mut Part {
        let at = match self.parts.last() {
            Some((last, _)) if *last == byte => self.parts.len() - 1,
            Some((last, _)) if *last > byte => {
                let found = self.parts.binary_search_by_key(&byte, |(byte, _)| *byte);
                found.unwrap_or_else(|at| {
                    self.parts.insert(at, (byte, Part::default()));
                    at
                })
            }
            _ => {
                self.parts.push((byte, Part::default()));
                self.parts.len() - 1
            }
        };
        &mut self.parts[at].1
    }
}

impl Part {
    /// Returns the subtree if the part has no notes and no further subtrees; `Some(None)` if the part is empty.
    fn only_folder(&self) -> Option<Option<ObjectId>> {
        (self.notes.is_empty() && self.more_folders.is_empty()).then_some(self.folder)
    }
}
