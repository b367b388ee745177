//! Writes an index with a few changes by copying the unchanged bytes of the old one.
//!
//! Most of a large index stays as it is. Decoding all of it and encoding every entry again takes several times as
//! long as copying, and as much memory again. So only what changes is encoded anew. See
//! <https://git-scm.com/docs/gitformat-index>.

use std::io::{self, Write};
use std::ops::Range;

use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::index::State;
use gix::index::entry::{Flags, Stat};
use gix::index::extension::Tree;
use scan::{AsWritten, Index, first_without};

pub use self::pieces::Pieces;
use super::edit::{Edit, Edits, Put, invalidate};
use crate::worktree::disk::parents;

mod pieces;

/// How to write an index with some edits.
pub struct Patch<'a> {
    index: &'a Index,
    old: AsWritten<'a>,
    version: u32,
    count: u32,
    cache: Option<Tree>,
}

impl<'a> Patch<'a> {
    /// Plans how to write `index` with `edits`, whose stat data do not matter yet. Returns `None` if copying what
    /// stays is not enough.
    pub fn of(index: &'a Index, edits: &Edits) -> Option<Self> {
        let old = index.as_written().filter(|_| !index.is_unmerged())?;
        let (mut version, mut count, mut cache) = (old.version(), index.len(), old.cache());
        let mut touched = Vec::new();
        for (path, edit) in edits.iter() {
            let path = path.as_bstr();
            let is_there = index.find(path).is_some();
            match edit {
                Edit::Refresh(_) => continue,
                Edit::Remove if !is_there => continue,
                Edit::Remove => count -= 1,
                Edit::Put(put) => {
                    if !is_there {
                        if is_in_the_way(index, path) {
                            return None;
                        }
                        count += 1;
                    }
                    if put.flags().contains(Flags::EXTENDED) {
                        version = 3;
                    }
                }
            }
            touched.push(path.as_bytes());
        }
        if let Some(cache) = &mut cache {
            invalidate(cache, touched);
        }
        Some(Self { index, old, version, count: u32::try_from(count).ok()?, cache })
    }

    /// Writes the index except for the checksum at its end. `edits` are those that the patch was made for, sorted by
    /// path, and now with their stat data. `cache` is the `TREE` extension to write, if it is known already.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(
        &self,
        edits: impl Iterator<Item = (BString, Edit)>,
        cache: Option<&Tree>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.tell(edits, cache, &mut |piece| match piece {
            Piece::Old(entries) => out.write_all(self.old.bytes_of(entries)),
            Piece::New(bytes) => out.write_all(bytes),
        })
    }

    /// Returns what [`write`](Self::write) would write, as a list for which the old index need not be in memory.
    ///
    /// # Errors
    /// None in practice.
    pub fn pieces(
        &self,
        edits: impl Iterator<Item = (BString, Edit)>,
        cache: Option<&Tree>,
    ) -> io::Result<Pieces> {
        let mut pieces = Pieces::default();
        self.tell(edits, cache, &mut |piece| {
            match piece {
                Piece::Old(entries) => pieces.keep(self.old.place_of(entries)),
                Piece::New(bytes) => pieces.add(bytes),
            }
            Ok(())
        })?;
        Ok(pieces)
    }

    /// Passes one piece after the other to `told`.
    fn tell(
        &self,
        edits: impl Iterator<Item = (BString, Edit)>,
        cache: Option<&Tree>,
        told: &mut impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        told(Piece::New(b"DIRC"))?;
        told(Piece::New(&self.version.to_be_bytes()))?;
        told(Piece::New(&self.count.to_be_bytes()))?;
        let (all, mut next) = (self.index.len(), 0);
        for (path, edit) in edits {
            let at = first_without(next..all, |at| self.index.path(at) < path.as_bstr());
            told(Piece::Old(next..at))?;
            let is_there = at < all && self.index.path(at) == path.as_bstr();
            next = at + usize::from(is_there);
            match edit {
                Edit::Put(put) => told(Piece::New(&self.entry(path.as_bstr(), &put)?))?,
                Edit::Refresh(stat) if is_there => {
                    let mut entry = self.old.bytes_of(at..next).to_vec();
                    refresh(&mut entry, &stat);
                    told(Piece::New(&entry))?;
                }
                Edit::Remove | Edit::Refresh(_) => {}
            }
        }
        told(Piece::Old(next..all))?;
        let Some(cache) = cache.or(self.cache.as_ref()) else { return Ok(()) };
        let mut bytes = Vec::new();
        cache.write_to(&mut bytes)?;
        told(Piece::New(&bytes))
    }

    /// Encodes one entry, padded to a multiple of eight bytes like all entries.
    fn entry(&self, path: &BStr, put: &Put) -> io::Result<Vec<u8>> {
        let mut alone = State::new(self.old.object_hash());
        alone.dangerously_push_entry(put.stat, put.id, put.flags(), put.mode, path);
        let mut bytes = Vec::with_capacity(path.len() + 72);
        alone.entry(0).write_to(&mut bytes, &alone)?;
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        Ok(bytes)
    }
}

/// A piece of the new index.
enum Piece<'a> {
    /// These entries of the old index.
    Old(Range<usize>),
    /// These bytes.
    New(&'a [u8]),
}

/// Whether a path above or below `path`, which is to be added, is in the index.
fn is_in_the_way(index: &Index, path: &BStr) -> bool {
    let folder = [path.as_bytes(), b"/"].concat();
    let below = first_without(0..index.len(), |at| index.path(at).as_bytes() < folder.as_slice());
    (below < index.len() && index.path(below).starts_with(&folder))
        || parents(path).any(|parent| index.find(parent).is_some())
}

/// Replaces the stat data of an encoded entry. The mode in between stays.
fn refresh(entry: &mut [u8], stat: &Stat) {
    let before = [stat.ctime.secs, stat.ctime.nsecs, stat.mtime.secs, stat.mtime.nsecs, stat.dev, stat.ino];
    let after = [stat.uid, stat.gid, stat.size];
    for (at, number) in (0..24).step_by(4).zip(before).chain((28..40).step_by(4).zip(after)) {
        entry[at..at + 4].copy_from_slice(&number.to_be_bytes());
    }
}

#[cfg(test)]
mod generated;
