//! What changed between two notes trees, note by note.
//!
//! A diff by path is not enough: the same note stands at another path once the fan-out changes, and may stand at two
//! paths in one tree. So the trees are walked side by side, folder by folder; where both hold the same folder nothing
//! is read, and where their layouts differ only that part is compared by id.

use std::collections::BTreeMap;

use anyhow::Result;
use gix::{ObjectId, Repository, objs::Find};

use crate::combine;

use super::{
    alike,
    layout::{self, Annotated, Other, Prefix, Slot},
};

/// A note that differs; absent where it does not exist on that side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The note before.
    pub old: Option<ObjectId>,
    /// The note now.
    pub new: Option<ObjectId>,
}

/// An entry that is no note and differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherChange {
    /// The entry before.
    pub old: Option<Other>,
    /// The entry now.
    pub new: Option<Other>,
}

/// All differences between two notes trees.
#[derive(Debug, Default)]
pub struct Changes {
    /// Notes, in the order of the objects that they are about.
    pub notes: BTreeMap<Annotated, Change>,
    /// Other entries, by the folder that they are in and their name.
    pub others: BTreeMap<(Prefix, gix::bstr::BString), OtherChange>,
}

/// Compares two notes trees of `repo`, read from its `objects`; no tree is an empty one.
///
/// # Errors
/// Where a folder that differs cannot be read.
pub fn changes(
    repo: &Repository,
    objects: &dyn Find,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
) -> Result<Changes> {
    changes_below(repo, objects, &Prefix::default(), old, new)
}

/// Compares two notes trees until `most` notes are found that differ: who asks whether it is a single one needs no more
/// than two. There may be a few more.
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

/// Compares two versions of the folder at `prefix`.
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
    /// How many notes are enough.
    most: usize,
    changes: Changes,
}

/// The part of a folder whose ids go on with the same byte: usually a folder or some notes, rarely both.
#[derive(Default, Clone, PartialEq, Eq)]
struct Part {
    folder: Option<ObjectId>,
    /// Folders of the same byte in other spellings (`aB` beside `ab`), which git never writes.
    more_folders: Vec<ObjectId>,
    notes: Vec<(Annotated, ObjectId)>,
}

#[derive(Default)]
struct Folder {
    /// By byte, in ascending order.
    parts: Vec<(u8, Part)>,
    others: Vec<Other>,
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

    /// All notes of a part whatever their path; several about one object become the one that git would show.
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

    fn compare_others(&mut self, prefix: &Prefix, old: Vec<Other>, new: Vec<Other>) {
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

/// What these entries of `tree` are, which is the folder at `prefix`.
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
            Slot::Other(other) => folder.others.push(other),
        }
        Ok(())
    })?;
    Ok(folder)
}

impl Folder {
    /// The part for a byte. Entries come in the order of their names, so it is the last one or a new one behind it,
    /// unless a tree has digits in upper case.
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
    /// The folder, where the part is one and nothing else; `Some(None)` where it is empty.
    fn only_folder(&self) -> Option<Option<ObjectId>> {
        (self.notes.is_empty() && self.more_folders.is_empty()).then_some(self.folder)
    }
}
