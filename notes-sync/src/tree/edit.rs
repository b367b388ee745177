//! Edits a notes tree, reading only the subtrees that are touched, and keeps the fan-out that git would choose.
//!
//! The id of a notes tree depends on its fan-out, and the fan-out on which subtrees were unpacked. A tree built in
//! any other way would differ from git's for the same notes, and every machine would rewrite what the others wrote.
//! So this follows git's `notes.c` step by step: a trie of nodes with 16 children each, whose leaves are notes and
//! subtrees that were not unpacked yet. Where git would fail or write a broken tree (one note at two paths, a file
//! where a fan-out subtree must be), this goes on and keeps everything.

use anyhow::Result;
use gix::{ObjectId, Repository, bstr::BString};

use crate::combine;

use super::{
    layout::{self, Annotated, NonNote, Prefix, Slot},
    non_notes::NonNotes,
};

/// An editable notes tree. Its memory is bounded by what is touched, not by the number of notes.
pub struct NotesTree<'repo> {
    pub(crate) repo: &'repo Repository,
    /// The tree that is edited: the root, or one subtree alone.
    pub(crate) prefix: Prefix,
    /// The topmost node, at [`Self::depth`].
    pub(crate) root: Branch,
    pub(crate) others: NonNotes,
}

/// An inner node: its children, by the next hex digit of the id.
#[derive(Default)]
pub(crate) struct Branch {
    pub(crate) children: [Option<Box<Node>>; 16],
}

pub(crate) enum Node {
    Branch(Branch),
    Leaf(Leaf),
}

#[derive(Clone, Copy)]
pub(crate) enum Leaf {
    Note { object: Annotated, blob: ObjectId },
    Folder { prefix: Prefix, tree: ObjectId },
}

/// What to do with two notes about the same object.
#[derive(Clone, Copy)]
enum Clash {
    /// The second is a new version of the first.
    Replace,
    /// They are at different paths of the same tree: git shows them one after the other.
    Concatenate,
}

/// What is needed to unpack a subtree.
pub(crate) struct Opener<'a> {
    pub(crate) repo: &'a Repository,
    pub(crate) others: &'a mut NonNotes,
}

impl<'repo> NotesTree<'repo> {
    /// Opens the root of a notes tree. New objects are written to `repo`.
    ///
    /// # Errors
    /// If `tree` cannot be read.
    pub fn open(repo: &'repo Repository, tree: ObjectId) -> Result<Self> {
        Self::open_below(repo, &Prefix::default(), Some(tree))
    }

    /// Opens the subtree at `prefix`, to edit it by itself.
    pub(crate) fn open_below(
        repo: &'repo Repository,
        prefix: &Prefix,
        tree: Option<ObjectId>,
    ) -> Result<Self> {
        let mut notes = Self { repo, prefix: *prefix, root: Branch::default(), others: NonNotes::default() };
        let Some(tree) = tree else { return Ok(notes) };
        let depth = notes.depth();
        let mut opener = Opener { repo, others: &mut notes.others };
        if prefix.depth() == 0 {
            notes.root.load(prefix, tree, depth, &mut opener)?;
        } else {
            let folder = Leaf::Folder { prefix: *prefix, tree };
            notes.root.insert(folder, depth, Clash::Concatenate, &mut opener)?;
        }
        Ok(notes)
    }

    /// Returns the depth of the topmost node, in hex digits below the root. A subtree is a child of the node for all
    /// digits of its prefix but the last: if it is alone there or nearly empty, its contents take its place.
    pub(crate) fn depth(&self) -> usize {
        (2 * self.prefix.depth()).saturating_sub(1)
    }

    /// Returns the note about `object`, if there is one.
    ///
    /// # Errors
    /// If a subtree on the way cannot be read.
    pub fn get(&mut self, object: Annotated) -> Result<Option<ObjectId>> {
        let depth = self.depth();
        let mut opener = Opener { repo: self.repo, others: &mut self.others };
        self.root.get(object, depth, &mut opener)
    }

    /// Sets or removes the note about `object`.
    ///
    /// # Errors
    /// If a subtree on the way cannot be read.
    pub fn set(&mut self, object: Annotated, blob: Option<ObjectId>) -> Result<()> {
        let depth = self.depth();
        let mut opener = Opener { repo: self.repo, others: &mut self.others };
        match blob {
            Some(blob) => self.root.insert(Leaf::Note { object, blob }, depth, Clash::Replace, &mut opener),
            None => self.root.remove(object, depth, &mut opener).map(drop),
        }
    }

    /// Sets or removes an entry that is not a note.
    pub(crate) fn set_other(
        &mut self,
        folder: &Prefix,
        name: &BString,
        other: Option<NonNote>,
    ) -> Result<()> {
        // This unpacks the tree, so that its other entries are loaded before one of them is changed.
        self.get(folder.lowest(self.repo.object_hash()))?;
        self.others.set(folder, name, other);
        Ok(())
    }
}

impl Leaf {
    /// Returns the id that determines the leaf's position.
    fn key(&self) -> Annotated {
        match self {
            Self::Note { object, .. } => *object,
            Self::Folder { prefix, tree } => prefix.lowest(tree.kind()),
        }
    }
}

impl Branch {
    /// Adds the entries of a subtree to this node, which is `depth` hex digits below the root.
    pub(crate) fn load(
        &mut self,
        prefix: &Prefix,
        tree: ObjectId,
        depth: usize,
        opener: &mut Opener<'_>,
    ) -> Result<()> {
        let repo = opener.repo;
        layout::read(&repo.objects, tree, prefix, |slot| {
            let leaf = match slot {
                Slot::Note { object, blob } => Leaf::Note { object, blob },
                Slot::Folder { byte, tree } => Leaf::Folder { prefix: prefix.join(byte), tree },
                Slot::NonNote(other) => {
                    opener.others.add(*prefix, other);
                    return Ok(());
                }
            };
            self.insert(leaf, depth, Clash::Concatenate, opener)
        })
    }

    fn get(&mut self, object: Annotated, depth: usize, opener: &mut Opener<'_>) -> Result<Option<ObjectId>> {
        self.open_towards(object, depth, opener)?;
        match self.children[object.nibble(depth)].as_deref_mut() {
            Some(Node::Branch(below)) => below.get(object, depth + 1, opener),
            Some(Node::Leaf(Leaf::Note { object: found, blob })) if *found == object => Ok(Some(*blob)),
            _ => Ok(None),
        }
    }

    fn insert(&mut self, leaf: Leaf, depth: usize, clash: Clash, opener: &mut Opener<'_>) -> Result<()> {
        let key = leaf.key();
        self.open_towards(key, depth, opener)?;
        let child = &mut self.children[key.nibble(depth)];
        match child.as_deref_mut() {
            None => *child = Some(Box::new(Node::Leaf(leaf))),
            Some(Node::Branch(below)) => return below.insert(leaf, depth + 1, clash, opener),
            Some(Node::Leaf(present)) => match (&mut *present, leaf) {
                (Leaf::Note { object, blob }, Leaf::Note { object: same, blob: new }) if *object == same => {
                    *blob = match clash {
                        Clash::Replace => new,
                        Clash::Concatenate => combine::concatenate_blobs(opener.repo, *blob, new)?,
                    };
                }
                (Leaf::Note { object, .. }, Leaf::Folder { prefix, tree }) if prefix.holds(*object) => {
                    return self.load(&prefix, tree, depth, opener);
                }
                (present, leaf) => {
                    let mut below = Branch::default();
                    below.insert(*present, depth + 1, clash, opener)?;
                    below.insert(leaf, depth + 1, clash, opener)?;
                    *child = Some(Box::new(Node::Branch(below)));
                }
            },
        }
        Ok(())
    }

    /// Removes the note about `object`; returns whether there was one.
    fn remove(&mut self, object: Annotated, depth: usize, opener: &mut Opener<'_>) -> Result<bool> {
        self.open_towards(object, depth, opener)?;
        let child = &mut self.children[object.nibble(depth)];
        match child.as_deref_mut() {
            Some(Node::Leaf(Leaf::Note { object: found, .. })) if *found == object => {
                *child = None;
                Ok(true)
            }
            Some(Node::Branch(below)) => {
                let removed = below.remove(object, depth + 1, opener)?;
                if removed && let Some(replacement) = below.collapse() {
                    *child = replacement;
                }
                Ok(removed)
            }
            _ => Ok(false),
        }
    }

    /// Returns what replaces this node after a removal below it: a single note moves up, an empty node vanishes, any
    /// other node stays (`None`).
    fn collapse(&mut self) -> Option<Option<Box<Node>>> {
        let mut occupied = self.children.iter_mut().filter(|child| child.is_some());
        let Some(only) = occupied.next() else {
            return Some(None);
        };
        let is_note = matches!(only.as_deref(), Some(Node::Leaf(Leaf::Note { .. })));
        (is_note && occupied.next().is_none()).then(|| only.take())
    }

    /// Unpacks the subtrees of this node that `object` may be in.
    fn open_towards(&mut self, object: Annotated, depth: usize, opener: &mut Opener<'_>) -> Result<()> {
        // Git looks at the first child too, whatever the id's digit is: a subtree whose prefix ends above this node
        // is there, since the rest of its key is zeros.
        while let Some((prefix, tree)) =
            self.take_folder(0, object).or_else(|| self.take_folder(object.nibble(depth), object))
        {
            self.load(&prefix, tree, depth, opener)?;
        }
        Ok(())
    }

    fn take_folder(&mut self, index: usize, object: Annotated) -> Option<(Prefix, ObjectId)> {
        match self.children[index].as_deref() {
            Some(Node::Leaf(Leaf::Folder { prefix, tree })) if prefix.holds(object) => {
                let folder = (*prefix, *tree);
                self.children[index] = None;
                Some(folder)
            }
            _ => None,
        }
    }
}
