//! A notes tree that is being edited: opened only where it is touched, and written as git would write it.
//!
//! The id of the tree depends on the fan-out, and the fan-out on which folders were opened, so that a tree of any other
//! making would differ from git's with the same notes in it: every machine would rewrite what the others wrote.
//! Therefore this follows git's `notes.c` step by step: a trie of 16 children a node, whose leaves are notes and
//! folders that nobody has looked into yet. Where git would stop or write a broken tree (one note at two paths, a file
//! where a fan-out folder must be), this goes on and keeps everything.

use anyhow::Result;
use gix::{ObjectId, Repository, bstr::BString};

use crate::combine;

use super::{
    layout::{self, Annotated, Other, Prefix, Slot},
    others::Others,
};

/// An editable notes tree. Its memory is bounded by what is touched, not by how many notes there are.
pub struct NotesTree<'repo> {
    pub(crate) repo: &'repo Repository,
    /// The folder that this is: the root, unless a part of the tree is edited by itself.
    pub(crate) prefix: Prefix,
    /// The node at [`Self::depth`].
    pub(crate) root: Branch,
    pub(crate) others: Others,
}

/// An inner node: what lies below it, by the next hex digit of the id.
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

/// What to do where a note meets another one about the same object.
#[derive(Clone, Copy)]
enum Clash {
    /// It is a new version.
    Replace,
    /// It stands at another path of the same tree: git shows such notes one after the other.
    Concatenate,
}

/// What opening a folder needs.
pub(crate) struct Opener<'a> {
    pub(crate) repo: &'a Repository,
    pub(crate) others: &'a mut Others,
}

impl<'repo> NotesTree<'repo> {
    /// Opens the root of a notes tree. New objects are written to `repo`.
    ///
    /// # Errors
    /// Where `tree` cannot be read.
    pub fn open(repo: &'repo Repository, tree: ObjectId) -> Result<Self> {
        Self::open_below(repo, &Prefix::default(), Some(tree))
    }

    /// Opens the folder at `prefix`, to edit it by itself.
    pub(crate) fn open_below(
        repo: &'repo Repository,
        prefix: &Prefix,
        tree: Option<ObjectId>,
    ) -> Result<Self> {
        let mut notes = Self { repo, prefix: *prefix, root: Branch::default(), others: Others::default() };
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

    /// How many hex digits the topmost node is below the root. A folder hangs below the node of its last digit but one:
    /// where it is alone or nearly empty, what is in it stands in the folder's own place.
    pub(crate) fn depth(&self) -> usize {
        (2 * self.prefix.depth()).saturating_sub(1)
    }

    /// The note about `object`, if there is one.
    ///
    /// # Errors
    /// Where a folder on the way cannot be read.
    pub fn get(&mut self, object: Annotated) -> Result<Option<ObjectId>> {
        let depth = self.depth();
        let mut opener = Opener { repo: self.repo, others: &mut self.others };
        self.root.get(object, depth, &mut opener)
    }

    /// Puts the note about `object` in place, or removes it.
    ///
    /// # Errors
    /// Where a folder on the way cannot be read.
    pub fn set(&mut self, object: Annotated, blob: Option<ObjectId>) -> Result<()> {
        let depth = self.depth();
        let mut opener = Opener { repo: self.repo, others: &mut self.others };
        match blob {
            Some(blob) => self.root.insert(Leaf::Note { object, blob }, depth, Clash::Replace, &mut opener),
            None => self.root.remove(object, depth, &mut opener).map(drop),
        }
    }

    /// Puts an entry that is no note in place, or removes it.
    pub(crate) fn set_other(&mut self, folder: &Prefix, name: &BString, other: Option<Other>) -> Result<()> {
        // Opening the folder brings its other entries here, so that this one can stand among them.
        self.get(folder.lowest(self.repo.object_hash()))?;
        self.others.set(folder, name, other);
        Ok(())
    }
}

impl Leaf {
    /// The id by which the leaf finds its place.
    fn key(&self) -> Annotated {
        match self {
            Self::Note { object, .. } => *object,
            Self::Folder { prefix, tree } => prefix.lowest(tree.kind()),
        }
    }
}

impl Branch {
    /// Adds what is in the folder's tree to this node, which is `depth` hex digits below the root.
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
                Slot::Other(other) => {
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

    /// Removes the note about `object`, and says whether there was one.
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

    /// What should stand in this node's place now that something below it is gone: a single note moves up, an empty
    /// node vanishes, any other stays (`None`).
    fn collapse(&mut self) -> Option<Option<Box<Node>>> {
        let mut occupied = self.children.iter_mut().filter(|child| child.is_some());
        let Some(only) = occupied.next() else {
            return Some(None);
        };
        let is_note = matches!(only.as_deref(), Some(Node::Leaf(Leaf::Note { .. })));
        (is_note && occupied.next().is_none()).then(|| only.take())
    }

    /// Opens the folders of this node that `object` may be in.
    fn open_towards(&mut self, object: Annotated, depth: usize, opener: &mut Opener<'_>) -> Result<()> {
        // Git looks at the first child too, whatever the id's digit is: a folder whose prefix ends before this node
        // sorts there, as the rest of its key is zeros.
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
