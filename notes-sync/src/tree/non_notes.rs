//! Carries the entries of a notes tree that are not notes from the tree that is read to the one that is written.
//!
//! Git keeps them, and people store things there (a README, another tool's index). Writing the notes alone would
//! silently drop them.

use std::collections::BTreeMap;

use anyhow::Result;
use gix::{
    Repository,
    bstr::BString,
    objs::tree::{Entry, EntryKind},
};

use super::{
    layout::{NonNote, Prefix},
    write::write_tree,
};

/// Entries that are not notes, by the fan-out subtree that they are in.
#[derive(Default)]
pub(crate) struct NonNotes {
    by_folder: BTreeMap<Prefix, Vec<NonNote>>,
}

impl NonNotes {
    pub(crate) fn add(&mut self, folder: Prefix, other: NonNote) {
        self.by_folder.entry(folder).or_default().push(other);
    }

    pub(crate) fn set(&mut self, folder: &Prefix, name: &BString, other: Option<NonNote>) {
        let others = self.by_folder.entry(*folder).or_default();
        others.retain(|present| present.name != *name);
        others.extend(other);
    }

    /// Whether there are no such entries.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_folder.values().all(Vec::is_empty)
    }

    /// Whether the notes in `folder` cannot get a further fan-out level because an entry that is not a tree has the
    /// name of a fan-out subtree. Git would write a tree with two entries of the same name there.
    pub(crate) fn block_fanout(&self, folder: &Prefix) -> bool {
        self.by_folder.get(folder).is_some_and(|others| others.iter().any(NonNote::blocks_fanout))
    }

    /// Adds the entries that belong into the tree `folder`, and those subtrees of it that contain no notes any more.
    pub(crate) fn weave(
        &mut self,
        folder: &Prefix,
        entries: &mut Vec<Entry>,
        repo: &Repository,
    ) -> Result<()> {
        // Deepest first, so that each subtree is complete before its parent is written.
        while let Some(below) = self.deepest_below(folder) {
            let others = self.by_folder.remove(&below).unwrap_or_default();
            if others.is_empty() {
                continue;
            }
            let tree = write_tree(repo, others.into_iter().map(entry).collect())?;
            if let Some((around, name)) = below.split() {
                self.add(around, NonNote { name, mode: EntryKind::Tree.into(), id: tree });
            }
        }
        for other in self.by_folder.remove(folder).unwrap_or_default() {
            // As in git, a note takes precedence over another entry of its name.
            if !entries.iter().any(|entry| entry.filename == other.name) {
                entries.push(entry(other));
            }
        }
        Ok(())
    }

    fn deepest_below(&self, folder: &Prefix) -> Option<Prefix> {
        self.by_folder
            .range(*folder..)
            .map(|(below, _)| below)
            .take_while(|below| below.is_within(folder))
            .filter(|below| *below != folder)
            .max_by_key(|below| below.depth())
            .copied()
    }
}

fn entry(other: NonNote) -> Entry {
    Entry { mode: other.mode, filename: other.name, oid: other.id }
}
