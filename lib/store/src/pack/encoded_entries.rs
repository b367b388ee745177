//! Encoded pack entries, laid out as they will be in a pack right after its header.
//!
//! The offset and the bytes of an entry do not depend on anything that comes after it. So objects that are encoded
//! before the rest of the pack is known can already be laid out, and later only need to be written.

use std::io;

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use super::{Receiver, encode::Encoded, index::Located, write};

/// The entries at the beginning of a pack; by default there are none.
#[derive(Default)]
pub struct EncodedEntries {
    bytes: Vec<u8>,
    /// The location of each object in the pack, sorted by id.
    located: Vec<Located>,
}

impl EncodedEntries {
    /// The bytes of the entries.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The location of each object in the pack, sorted by id.
    pub(super) fn located(&self) -> &[Located] {
        &self.located
    }

    /// The number of entries.
    pub fn count(&self) -> usize {
        self.located.len()
    }

    /// The ids of the objects.
    pub fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.located.iter().map(|one| one.id)
    }

    /// The offset of an object in the pack, if it is one of these.
    pub fn find(&self, id: &oid) -> Option<u64> {
        let at = self.located.binary_search_by(|one| one.id.as_ref().cmp(id)).ok()?;
        Some(self.located[at].offset)
    }
}

/// Lays out one entry after the other.
pub(super) struct Layout {
    receiver: Receiver,
    laid: EncodedEntries,
    offsets: HashMap<ObjectId, u64>,
}

impl Layout {
    /// Creates a layout with room for this number of entries.
    pub fn with_room(entries: usize, receiver: Receiver) -> Self {
        let laid = EncodedEntries { bytes: Vec::new(), located: Vec::with_capacity(entries) };
        Self { receiver, laid, offsets: HashMap::with_capacity_and_hasher(entries, Default::default()) }
    }

    /// Adds an object that has not been added yet. Its delta base must have been added before, or exist at the
    /// receiver.
    ///
    /// # Errors
    ///
    /// If the object is not in memory, or has a delta base that a local object database would not find in the pack.
    pub fn add(&mut self, one: &Encoded) -> gix::Result<()> {
        let Some(deflated) = &one.deflated else {
            return Err(gix::Error::from_error(io::Error::other(format!("object {} is too large", one.id))));
        };
        let bytes = &mut self.laid.bytes;
        let (start, offset) = (bytes.len(), write::PREAMBLE as u64 + bytes.len() as u64);
        let there = |base: &oid| self.offsets.get(base).copied();
        let back = write::back(one.form, offset, self.receiver, there)?;
        write::begin(bytes, one.form, one.size, back);
        bytes.extend_from_slice(deflated);
        let crc32 = zlib_rs::crc32::crc32(0, &bytes[start..]);
        self.laid.located.push(Located { id: one.id, offset, crc32 });
        self.offsets.insert(one.id, offset);
        Ok(())
    }

    /// The number of bytes so far.
    pub fn bytes(&self) -> usize {
        self.laid.bytes.len()
    }

    /// Returns all entries.
    pub fn end(self) -> EncodedEntries {
        let Self { mut laid, .. } = self;
        laid.located.sort_unstable_by_key(|one| one.id);
        laid
    }
}
