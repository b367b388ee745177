//! Merges one folder of the notes, whatever is in it.
//!
//! Git merges note by note, but what becomes of the notes below a folder depends on nothing outside of it, as long as the
//! level that the folder belongs to stays open. So each folder is merged by itself: not at all where the ids tell the
//! result, as bytes where it is of the usual form, and else note by note, as git does.

use anyhow::{Context, Result};
use gix::{ObjectId, Repository, objs::FindExt};

use crate::{
    others_merge,
    strategy::Strategy,
    tree::diff,
    tree::layout::Prefix,
    tree::raw::{Form, Sides},
    tree::{NotesTree, Outcome},
};

use super::Tally;

/// Merges folders, one after the other, and counts. New objects are written to `repo`.
pub(crate) struct Worker<'repo> {
    pub(super) repo: &'repo Repository,
    pub(super) strategy: Strategy,
    pub(super) tally: Tally,
    spare: Vec<Vec<u8>>,
}

impl<'repo> Worker<'repo> {
    pub(crate) fn new(repo: &'repo Repository, strategy: Strategy) -> Self {
        Self { repo, strategy, tally: Tally::default(), spare: Vec::new() }
    }

    /// Merges the folder at `prefix`. The root always gets the layout that git would give it.
    pub(crate) fn folder(&mut self, prefix: &Prefix, trees: Sides<Option<ObjectId>>) -> Result<Outcome> {
        let is_root = prefix.depth() == 0;
        if !is_root && (trees.remote == trees.base || trees.remote == trees.local) {
            return Ok(Outcome::Untouched);
        }
        let base = self.read(trees.base)?;
        let local = if trees.local == trees.base { None } else { Some(self.read(trees.local)?) };
        let remote = self.read(trees.remote)?;
        let sides = Sides { base: &*base, local: local.as_deref().unwrap_or(&base), remote: &*remote };
        let outcome = self.by_form(prefix, sides, trees.remote)?;
        self.spare.extend([base, remote].into_iter().chain(local));
        match outcome {
            Some(outcome) => Ok(outcome),
            None => self.note_by_note(prefix, trees),
        }
    }

    /// Merges a folder as bytes; `None` where it is not of the form for that, or a level closes.
    fn by_form(
        &mut self,
        prefix: &Prefix,
        sides: Sides<&[u8]>,
        remote: Option<ObjectId>,
    ) -> Result<Option<Outcome>> {
        let kind = self.repo.object_hash();
        let all = |form: Form| form.fits(sides.local) && form.fits(sides.remote) && form.fits(sides.base);
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

    /// Merges what is not of one form: a mixture, levels that open or close, other people's files.
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
        touched |= others_merge::merge(&mut notes, &ours.others, &theirs.others, self.strategy)?;
        if touched { notes.write_below() } else { Ok(Outcome::Untouched) }
    }

    /// An empty buffer with room for some bytes.
    pub(super) fn buffer(&mut self, bytes: usize) -> Vec<u8> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.reserve(bytes);
        buffer
    }

    /// Takes a buffer back that is needed no more, to be used again.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        self.spare.push(buffer);
    }

    /// The bytes of a folder; none where there is no folder.
    fn read(&mut self, tree: Option<ObjectId>) -> Result<Vec<u8>> {
        let mut bytes = self.buffer(0);
        if let Some(tree) = tree.filter(|tree| !tree.is_empty_tree()) {
            self.repo
                .objects
                .find_tree_iter(&tree, &mut bytes)
                .with_context(|| format!("cannot read the notes tree {tree}"))?;
        }
        Ok(bytes)
    }
}
