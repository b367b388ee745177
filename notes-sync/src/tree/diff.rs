//! What changed between two notes trees, note by note.
//!
//! A diff by path is not enough: the same note stands at another path once the fan-out changes, and may stand at two
//! paths in one tree. So the trees are walked side by side, folder by folder; where both hold the same folder nothing
//! is read, and where their layouts differ only that part is compared by id.

use std::collections::BTreeMap;

use anyhow::Result;
use gix::{ObjectId, Repository};

use crate::combine;

use super::layout::{self, Annotated, Other, Prefix, Slot};

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

/// Compares two notes trees; no tree is an empty one.
///
/// # Errors
/// Where a folder that differs cannot be read.
pub fn changes(repo: &Repository, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<Changes> {
    let mut walk = Walk { repo, changes: Changes::default() };
    walk.compare(&Prefix::default(), old, new)?;
    Ok(walk.changes)
}

struct Walk<'repo> {
    repo: &'repo Repository,
    changes: Changes,
}

/// The part of a folder whose ids go on with the same byte: usually a folder or some notes, rarely both.
#[derive(Default, Clone, PartialEq, Eq)]
struct Part {
    folders: Vec<ObjectId>,
    notes: Vec<(Annotated, ObjectId)>,
}

#[derive(Default)]
struct Folder {
    parts: BTreeMap<u8, Part>,
    others: Vec<Other>,
}

impl Walk<'_> {
    fn compare(&mut self, prefix: &Prefix, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<()> {
        if old == new {
            return Ok(());
        }
        let (mut old, mut new) = (self.read(prefix, old)?, self.read(prefix, new)?);
        self.compare_others(prefix, std::mem::take(&mut old.others), std::mem::take(&mut new.others));
        for (byte, before) in &old.parts {
            let after = new.parts.remove(byte).unwrap_or_default();
            self.compare_part(&prefix.join(*byte), before, &after)?;
        }
        for (byte, after) in &new.parts {
            self.compare_part(&prefix.join(*byte), &Part::default(), after)?;
        }
        Ok(())
    }

    fn compare_part(&mut self, prefix: &Prefix, old: &Part, new: &Part) -> Result<()> {
        if old == new {
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
        for tree in &part.folders {
            let folder = self.read(prefix, Some(*tree))?;
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
                self.changes.others.insert((prefix.clone(), name), change);
            }
        }
    }

    fn read(&self, prefix: &Prefix, tree: Option<ObjectId>) -> Result<Folder> {
        let mut folder = Folder::default();
        let Some(tree) = tree else {
            return Ok(folder);
        };
        for slot in layout::read(self.repo, tree, prefix)? {
            match slot {
                Slot::Note { object, blob } => {
                    folder.parts.entry(object.byte(prefix.depth())).or_default().notes.push((object, blob));
                }
                Slot::Folder { byte, tree } => folder.parts.entry(byte).or_default().folders.push(tree),
                Slot::Other(other) => folder.others.push(other),
            }
        }
        Ok(folder)
    }
}

impl Part {
    /// The folder, where the part is one and nothing else; `Some(None)` where it is empty.
    fn only_folder(&self) -> Option<Option<ObjectId>> {
        match (self.folders.as_slice(), self.notes.as_slice()) {
            ([], []) => Some(None),
            ([folder], []) => Some(Some(*folder)),
            _ => None,
        }
    }
}
