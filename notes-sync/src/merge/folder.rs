//! Merges one tree of a notes tree: the root or a fan-out subtree.
//!
//! Git merges note by note, but the result for the notes in a subtree depends on nothing outside of it as long as its
//! fan-out level persists. So each subtree is merged by itself: not at all if the ids decide the result, as bytes if
//! it has the usual form, and else note by note, as git does.

use anyhow::{Context, Result};
use gix::{
    ObjectId, OdbHandle, Repository,
    objs::{FindExt, Kind},
};
use store::{Loose, RecentObjects};

use crate::{
    combine, merge_non_notes,
    strategy::Strategy,
    tree::diff,
    tree::layout::Prefix,
    tree::raw::{Form, Sides},
    tree::{NotesTree, Outcome},
};

use super::Tally;

/// Merges trees one after the other, and counts. New objects are written to `repo`.
pub(crate) struct Worker<'repo> {
    pub(super) repo: &'repo Repository,
    pub(super) strategy: Strategy,
    pub(super) tally: Tally,
    sources: Sides<Source<'repo>>,
    /// Some of the trees and notes that were changed here, in memory.
    pub(super) latest: &'repo RecentObjects,
    /// The reader of loose objects, which most of the local changes are; `None` if there are replace refs.
    loose: Option<Loose>,
    spare: Vec<Vec<u8>>,
}

/// The object database handle that one side is read from.
enum Source<'repo> {
    Common(&'repo OdbHandle),
    /// A handle per side: each looks first into the pack where it found the last object, and what one side has
    /// changed is nearly always in one pack.
    Own(Box<OdbHandle>),
}

impl<'repo> Source<'repo> {
    fn of(repo: &'repo Repository) -> Self {
        // Cloning the handle would copy the objects that were made earlier in this run.
        match repo.objects.num_objects_in_memory() {
            0 => Self::Own(Box::new(repo.objects.clone())),
            _ => Self::Common(&repo.objects),
        }
    }

    fn objects(&self) -> &OdbHandle {
        match self {
            Self::Common(objects) => objects,
            Self::Own(objects) => objects,
        }
    }
}

impl<'repo> Worker<'repo> {
    pub(crate) fn new(repo: &'repo Repository, latest: &'repo RecentObjects, strategy: Strategy) -> Self {
        let sources = Sides { base: Source::of(repo), local: Source::of(repo), remote: Source::of(repo) };
        let loose = (!store::has_replace_refs(repo)).then(|| Loose::of(repo));
        Self { repo, strategy, tally: Tally::default(), sources, latest, loose, spare: Vec::new() }
    }

    /// Merges the tree at `prefix`. The root is always rewritten with the fan-out that git would give it.
    pub(crate) fn folder(&mut self, prefix: &Prefix, trees: Sides<Option<ObjectId>>) -> Result<Outcome> {
        let is_root = prefix.depth() == 0;
        if !is_root && (trees.remote == trees.base || trees.remote == trees.local) {
            return Ok(Outcome::Untouched);
        }
        let mut bytes = || self.spare.pop().unwrap_or_default();
        let (mut base, mut local, mut remote) = (bytes(), bytes(), bytes());
        read(self.sources.base.objects(), trees.base, &mut base)?;
        if !self.in_memory(trees.remote, Kind::Tree, &mut remote) {
            read(self.sources.remote.objects(), trees.remote, &mut remote)?;
        }
        if trees.local != trees.base && !self.read_near(trees.local, Kind::Tree, &mut local) {
            read(self.sources.local.objects(), trees.local, &mut local)?;
        }
        let here = if trees.local == trees.base { &base } else { &local };
        let sides = Sides { base: &*base, local: &**here, remote: &*remote };
        let outcome = self.by_form(prefix, sides, trees.remote)?;
        self.spare.extend([base, local, remote]);
        match outcome {
            Some(outcome) => Ok(outcome),
            None => self.note_by_note(prefix, trees),
        }
    }

    /// Merges a tree as bytes; `None` if its form does not allow that, or its fan-out level is given up.
    fn by_form(
        &mut self,
        prefix: &Prefix,
        sides: Sides<&[u8]>,
        remote: Option<ObjectId>,
    ) -> Result<Option<Outcome>> {
        let kind = self.repo.object_hash();
        // If nothing was changed here, both are the same buffer.
        let base_fits = |form: Form| std::ptr::eq(sides.local, sides.base) || form.fits(sides.base);
        let all = |form: Form| form.fits(sides.local) && form.fits(sides.remote) && base_fits(form);
        let notes = Form::of_notes(prefix.depth(), kind);
        if all(notes) {
            return self.notes(prefix, sides, notes, remote).map(Some);
        }
        let folders = Form::of_folders(kind);
        if prefix.depth() + 1 < kind.len_in_bytes() && all(folders) {
            return self.fanned(prefix, sides, folders);
        }
        Ok(None)
    }

    /// Merges a tree note by note: one of mixed form, one whose fan-out changes, or one with entries that are not
    /// notes.
    fn note_by_note(&mut self, prefix: &Prefix, trees: Sides<Option<ObjectId>>) -> Result<Outcome> {
        let theirs = diff::changes_below(self.repo, &self.repo.objects, prefix, trees.base, trees.remote)?;
        let ours = diff::changes_below(self.repo, &self.repo.objects, prefix, trees.base, trees.local)?;
        let mut notes = NotesTree::open_below(self.repo, prefix, trees.local)?;
        let mut touched = prefix.depth() == 0;
        for (object, their) in &theirs.notes {
            let our = ours.notes.get(object).copied();
            if let Some(version) = self.note(*object, our, *their)? {
                notes.set(*object, version)?;
                touched = true;
            }
        }
        touched |= merge_non_notes::merge(&mut notes, &ours.others, &theirs.others, self.strategy)?;
        if touched { notes.write_below() } else { Ok(Outcome::Untouched) }
    }

    /// Reads a note of this side.
    pub(super) fn local_note(&mut self, blob: ObjectId) -> Result<Vec<u8>> {
        let mut note = Vec::new();
        if self.read_near(Some(blob), Kind::Blob, &mut note) {
            return Ok(note);
        }
        combine::read(self.repo, blob)
    }

    /// Reads an object of this side if it is in memory or loose, and of this kind; returns whether it is.
    fn read_near(&mut self, id: Option<ObjectId>, kind: Kind, into: &mut Vec<u8>) -> bool {
        self.in_memory(id, kind, into)
            || self.loose.as_mut().zip(id).and_then(|(loose, id)| loose.read(&id, into)) == Some(kind)
    }

    /// Reads an object if it is in memory and of this kind; returns whether it is.
    fn in_memory(&self, id: Option<ObjectId>, kind: Kind, into: &mut Vec<u8>) -> bool {
        // With replace refs, only gix knows which object replaces which.
        let id = id.filter(|_| self.loose.is_some());
        id.and_then(|id| self.latest.read(&id, into)) == Some(kind)
    }

    /// Returns an empty buffer with this capacity.
    pub(super) fn buffer(&mut self, bytes: usize) -> Vec<u8> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.reserve(bytes);
        buffer
    }

    /// Takes back a buffer for later use.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        self.spare.push(buffer);
    }
}

/// Reads the bytes of a tree; none if there is no tree.
fn read(objects: &OdbHandle, tree: Option<ObjectId>, into: &mut Vec<u8>) -> Result<()> {
    into.clear();
    if let Some(tree) = tree.filter(|tree| !tree.is_empty_tree()) {
        objects.find_tree_iter(&tree, into).with_context(|| format!("cannot read the notes tree {tree}"))?;
    }
    Ok(())
}
