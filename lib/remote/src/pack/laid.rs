//! Entries of a pack as they stand in it, right behind what every pack begins with.
//!
//! Where each is, and of which bytes, depends on nothing that comes after them. So whoever encodes objects before the
//! rest of their pack is known can lay them out as well, and what is left is to write the bytes down.

use std::io;

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use super::{Receiver, encode::Encoded, index::Located, write};

/// Entries that are laid out; by default there are none.
#[derive(Default)]
pub(crate) struct Laid {
    bytes: Vec<u8>,
    /// Where they are in the pack, sorted by id.
    located: Vec<Located>,
}

impl Laid {
    /// The entries, one after the other.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each is in the pack, sorted by id.
    pub(super) fn located(&self) -> &[Located] {
        &self.located
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.located.len()
    }

    /// The objects that they hold.
    pub fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.located.iter().map(|one| one.id)
    }

    /// Where an object is in the pack, if it is among them.
    pub fn find(&self, id: &oid) -> Option<u64> {
        let at = self.located.binary_search_by(|one| one.id.as_ref().cmp(id)).ok()?;
        Some(self.located[at].offset)
    }
}

/// Lays out one entry after the other.
pub(super) struct Layout {
    receiver: Receiver,
    laid: Laid,
    offsets: HashMap<ObjectId, u64>,
}

impl Layout {
    /// There is room for so many entries.
    pub fn with_room(entries: usize, receiver: Receiver) -> Self {
        let laid = Laid { bytes: Vec::new(), located: Vec::with_capacity(entries) };
        Self { receiver, laid, offsets: HashMap::with_capacity_and_hasher(entries, Default::default()) }
    }

    /// Adds an object that was not added yet. What it is a delta of comes before it, or is the receiver's.
    ///
    /// # Errors
    ///
    /// Where it is not in memory, or hangs on what a folder would not have.
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

    /// How many bytes there are.
    pub fn bytes(&self) -> usize {
        self.laid.bytes.len()
    }

    /// All of them.
    pub fn end(self) -> Laid {
        let Self { mut laid, .. } = self;
        laid.located.sort_unstable_by_key(|one| one.id);
        laid
    }
}
