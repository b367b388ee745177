//! Writes an edited notes tree with the fan-out that git would choose.
//!
//! Git adds a fan-out level where each of the 16 next hex digits leads to more than one note. It decides that for
//! each part of the tree by itself, and counts a subtree that it has not unpacked as more than one note (`notes.c`,
//! `determine_fanout()` and `for_each_note_helper()`). Only unpacked subtrees are rewritten.

use anyhow::{Context, Result};
use gix::{
    ObjectId, Repository,
    objs::{
        Kind, WriteTo,
        tree::{Entry, EntryKind},
    },
};

use crate::objects;

use super::{
    edit::{Branch, Leaf, Node, NotesTree, Opener},
    layout::{self, Annotated, Prefix},
    non_notes::NonNotes,
    outcome::Outcome,
};

impl NotesTree<'_> {
    /// Writes the tree with all changes, and returns its id.
    ///
    /// # Errors
    /// If a subtree must be unpacked and cannot be read, or an object cannot be written.
    pub fn write(mut self) -> Result<ObjectId> {
        let mut folders = Folders { repo: self.repo, open: vec![(self.prefix, Vec::new())] };
        self.root.emit(self.depth(), self.prefix.depth(), &mut self.others, &mut folders)?;
        folders.finish(&mut self.others)
    }

    /// Like [`NotesTree::write`], with what the parent tree needs to know.
    pub(crate) fn write_below(self) -> Result<Outcome> {
        let place = self.root.children.iter().flatten().next().map(|child| match **child {
            Node::Leaf(Leaf::Note { .. }) => Outcome::One,
            Node::Leaf(Leaf::Folder { .. }) | Node::Branch(_) => Outcome::Many,
        });
        match place {
            None if self.others.is_empty() => Ok(Outcome::Gone),
            place => Ok(place.unwrap_or(Outcome::Leftover)(self.write()?)),
        }
    }
}

impl Branch {
    /// Passes the notes below this node, which is `depth` hex digits deep, to `folders` in the order of their ids.
    fn emit(
        &mut self,
        depth: usize,
        fanout: usize,
        others: &mut NonNotes,
        folders: &mut Folders<'_>,
    ) -> Result<()> {
        let fanout = self.fanout(depth, fanout, others);
        for index in 0..self.children.len() {
            while let Some(child) = self.children[index].take() {
                match *child {
                    Node::Branch(mut below) => below.emit(depth + 1, fanout, others, folders)?,
                    Node::Leaf(Leaf::Note { object, blob }) => {
                        folders.put_note(object, blob, fanout, others)?;
                    }
                    Node::Leaf(Leaf::Folder { prefix, tree }) if depth < 2 * fanout => {
                        folders.put_folder(&prefix, tree, others)?;
                    }
                    // The fan-out level of this subtree is given up: its notes move up.
                    Node::Leaf(Leaf::Folder { prefix, tree }) => {
                        self.load(&prefix, tree, depth, &mut Opener { repo: folders.repo, others })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the number of fan-out levels above the notes below this node, given that it is `fanout` for the parent
    /// node.
    fn fanout(&self, depth: usize, fanout: usize, others: &NonNotes) -> usize {
        let crowded = |child: &Option<Box<Node>>| {
            matches!(child.as_deref(), Some(Node::Branch(_) | Node::Leaf(Leaf::Folder { .. })))
        };
        if depth != 2 * fanout || !self.children.iter().all(crowded) {
            return fanout;
        }
        match self.any_prefix(fanout) {
            Some(prefix) if others.block_fanout(&prefix) => fanout,
            _ => fanout + 1,
        }
    }

    /// Returns the first `len` bytes that all ids below this node have in common.
    fn any_prefix(&self, len: usize) -> Option<Prefix> {
        self.children.iter().flatten().find_map(|child| match &**child {
            Node::Branch(below) => below.any_prefix(len),
            Node::Leaf(Leaf::Note { object, .. }) => Some(Prefix::of(*object, len)),
            Node::Leaf(Leaf::Folder { prefix, tree }) => Some(Prefix::of(prefix.lowest(tree.kind()), len)),
        })
    }
}

/// The trees that are being written, from the root to the innermost.
struct Folders<'repo> {
    repo: &'repo Repository,
    open: Vec<(Prefix, Vec<Entry>)>,
}

impl Folders<'_> {
    fn put_note(
        &mut self,
        object: Annotated,
        blob: ObjectId,
        fanout: usize,
        others: &mut NonNotes,
    ) -> Result<()> {
        let entry =
            Entry { mode: EntryKind::Blob.into(), filename: layout::note_name(object, fanout), oid: blob };
        self.put(&Prefix::of(object, fanout), entry, others)
    }

    fn put_folder(&mut self, prefix: &Prefix, tree: ObjectId, others: &mut NonNotes) -> Result<()> {
        let Some((above, name)) = prefix.split() else {
            return Ok(());
        };
        self.put(&above, Entry { mode: EntryKind::Tree.into(), filename: name, oid: tree }, others)
    }

    fn put(&mut self, folder: &Prefix, entry: Entry, others: &mut NonNotes) -> Result<()> {
        while self.open.last().is_some_and(|(open, _)| !folder.is_within(open)) {
            self.close(others)?;
        }
        while let Some((innermost, _)) = self.open.last()
            && let Some(byte) = folder.bytes().get(innermost.depth())
        {
            let next = innermost.join(*byte);
            self.open.push((next, Vec::new()));
        }
        if let Some((_, entries)) = self.open.last_mut() {
            entries.push(entry);
        }
        Ok(())
    }

    /// Writes the innermost tree and adds it to its parent; returns its id, which at last is the root's.
    fn close(&mut self, others: &mut NonNotes) -> Result<Option<ObjectId>> {
        let Some((prefix, mut entries)) = self.open.pop() else {
            return Ok(None);
        };
        others.weave(&prefix, &mut entries, self.repo)?;
        let tree = write_tree(self.repo, entries)?;
        if let (Some((_, name)), Some((_, around))) = (prefix.split(), self.open.last_mut()) {
            around.push(Entry { mode: EntryKind::Tree.into(), filename: name, oid: tree });
        }
        Ok(Some(tree))
    }

    fn finish(mut self, others: &mut NonNotes) -> Result<ObjectId> {
        let mut root = None;
        while let Some(tree) = self.close(others)? {
            root = Some(tree);
        }
        root.context("a notes tree always has a root")
    }
}

/// Writes a tree, with its entries sorted as in git.
pub(crate) fn write_tree(repo: &Repository, mut entries: Vec<Entry>) -> Result<ObjectId> {
    entries.sort();
    let mut bytes = Vec::new();
    gix::objs::Tree { entries }.write_to(&mut bytes).context("cannot write a notes tree")?;
    objects::draft(repo, Kind::Tree, &bytes)
}
