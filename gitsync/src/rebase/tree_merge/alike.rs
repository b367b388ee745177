//! Tells how much two files are alike, and reads each of them at most once.

use std::collections::HashMap;
use std::rc::Rc;

use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::paths::Item;
use crate::rebase::alive::Alive;
use crate::rebase::similarity::{self, MOST, Pieces};

/// The score from which two files are taken for the same one.
pub const ENOUGH: usize = MOST / 2;

/// The same for two files that have the same name and are not compared with any others.
pub const ENOUGH_FOR_NAMES: usize = ENOUGH + (MOST - ENOUGH) / 2;

/// Compares files of a repository.
pub struct Alike<'a> {
    objects: &'a Alive<'a>,
    sizes: HashMap<ObjectId, u64>,
    pieces: HashMap<ObjectId, Rc<Pieces>>,
}

impl<'a> Alike<'a> {
    /// Knows no file yet.
    pub fn new(objects: &'a Alive<'a>) -> Self {
        Self { objects, sizes: HashMap::new(), pieces: HashMap::new() }
    }

    /// Returns how much two files are alike, or 0 if their sizes alone tell that it is less than `least`, or if one
    /// is not a regular file.
    ///
    /// # Errors
    /// An object cannot be read.
    pub fn score(&mut self, old: Item, new: Item, least: usize) -> anyhow::Result<usize> {
        let is_file = |(kind, _): Item| matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable);
        if !is_file(old) || !is_file(new) {
            return Ok(0);
        }
        let (old, new) = (old.1, new.1);
        if similarity::differ_too_much(self.size(old)?, self.size(new)?, least) {
            return Ok(0);
        }
        let (old, new) = (self.pieces(old)?, self.pieces(new)?);
        Ok(old.score(&new))
    }

    fn size(&mut self, id: ObjectId) -> anyhow::Result<u64> {
        if let Some(size) = self.sizes.get(&id) {
            return Ok(*size);
        }
        self.objects.watch.alive();
        let size = self.objects.repo.find_header(id)?.size();
        self.sizes.insert(id, size);
        Ok(size)
    }

    fn pieces(&mut self, id: ObjectId) -> anyhow::Result<Rc<Pieces>> {
        if let Some(pieces) = self.pieces.get(&id) {
            return Ok(Rc::clone(pieces));
        }
        self.objects.watch.alive();
        let pieces = Rc::new(Pieces::of(&self.objects.repo.find_object(id)?.data));
        self.pieces.insert(id, Rc::clone(&pieces));
        Ok(pieces)
    }
}
