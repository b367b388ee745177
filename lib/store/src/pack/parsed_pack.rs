//! Parses a pack in memory into its entries, and inflates them.
//!
//! No errors are reported: a pack that cannot be parsed is left to gix, which reports what is wrong with it.

use std::{ops::Range, sync::Arc};

use gix::{
    ObjectId,
    object::Kind,
    odb::pack::data::{self, entry::Header},
    zlib::{Inflate, Status},
};

/// The size of the pack header.
const HEADER: usize = data::header::SIZE;

/// A pack and its entries.
pub(super) struct ParsedPack<'a> {
    raw: &'a [u8],
    checksum: ObjectId,
    entries: Vec<Entry>,
    /// The total size in bytes of the inflated entries.
    unpacked: usize,
}

/// A pack entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The kind of entry.
    pub form: Form,
    /// The offset in the pack.
    pub start: usize,
    /// The range of its compressed data in the pack, without the header.
    packed: Range<usize>,
    /// Its inflated data, which is shared with the object.
    plain: Arc<[u8]>,
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An object.
    Whole(Kind),
    /// A delta (`OFS_DELTA`) against the entry of this number, which comes before it.
    DeltaOf(usize),
    /// A delta (`REF_DELTA`) against this object, which need not be in the pack.
    DeltaOfObject(ObjectId),
}

/// Returns the number of objects according to the pack header.
pub(super) fn count(raw: &[u8]) -> Option<u32> {
    data::header::decode(raw.first_chunk::<HEADER>()?).ok().map(|(_, count)| count)
}

impl<'a> ParsedPack<'a> {
    /// Parses a pack whose entries have at most `most` bytes when inflated. `None` if they have more, or if it is
    /// damaged.
    pub fn parse(raw: &'a [u8], hash: gix::hash::Kind, most: usize) -> Option<Self> {
        let end = raw.len().checked_sub(hash.len_in_bytes())?;
        let count = count(raw)?;
        let mut hasher = gix::hash::hasher(hash);
        hasher.update(&raw[..end]);
        let checksum = hasher.try_finalize().ok()?;
        if checksum.as_slice() != &raw[end..] {
            return None;
        }
        let mut loaded = Self { raw, checksum, entries: Vec::new(), unpacked: 0 };
        let mut unpack = Unpack::default();
        let mut at = HEADER;
        for _ in 0..count {
            at = loaded.entry(at, end, hash, &mut unpack, most)?;
        }
        (at == end).then_some(loaded)
    }

    /// Inflates the entry that begins at `start`, and returns where it ends.
    fn entry(
        &mut self,
        start: usize,
        end: usize,
        hash: gix::hash::Kind,
        unpack: &mut Unpack,
        most: usize,
    ) -> Option<usize> {
        let rest = self.raw.get(start..end)?;
        let header = data::Entry::from_bytes(rest, start as u64, hash).ok()?;
        let form = match header.header {
            Header::Commit => Form::Whole(Kind::Commit),
            Header::Tree => Form::Whole(Kind::Tree),
            Header::Blob => Form::Whole(Kind::Blob),
            Header::Tag => Form::Whole(Kind::Tag),
            Header::RefDelta { base_id } => Form::DeltaOfObject(base_id),
            Header::OfsDelta { base_distance } => {
                let base = start.checked_sub(usize::try_from(base_distance).ok()?)?;
                Form::DeltaOf(self.entries.binary_search_by_key(&base, |entry| entry.start).ok()?)
            }
        };
        let size = usize::try_from(header.decompressed_size).ok()?;
        self.unpacked = self.unpacked.checked_add(size).filter(|all| *all <= most)?;
        let packed = usize::try_from(header.data_offset).ok()?;
        let (plain, read) = unpack.all(self.raw.get(packed..end)?, size)?;
        let packed = packed..packed + read;
        let end = packed.end;
        self.entries.push(Entry { form, start, packed, plain });
        Some(end)
    }

    /// The entries, in the order of the pack.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The bytes of the whole pack.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The trailer of the pack: the checksum of everything before it.
    pub fn checksum(&self) -> ObjectId {
        self.checksum
    }

    /// The inflated data of an entry: an object, or a delta.
    pub fn content<'b>(&self, entry: &'b Entry) -> &'b Arc<[u8]> {
        &entry.plain
    }

    /// The bytes of an entry in the pack.
    pub fn whole(&self, entry: &Entry) -> &[u8] {
        &self.raw[entry.start..entry.packed.end]
    }

    /// The compressed data of an entry, without its header.
    pub fn packed(&self, entry: &Entry) -> &[u8] {
        &self.raw[entry.packed.clone()]
    }
}

/// Inflates one entry after the other.
#[derive(Default)]
struct Unpack {
    inflate: Inflate,
    /// A buffer for the largest entry so far.
    room: Vec<u8>,
}

impl Unpack {
    /// Inflates the stream at the start of `packed`, which must give `size` bytes, and also returns its compressed
    /// length.
    fn all(&mut self, packed: &[u8], size: usize) -> Option<(Arc<[u8]>, usize)> {
        if self.room.len() < size {
            self.room.resize(size, 0);
        }
        let plain = &mut self.room[..size];
        self.inflate.reset();
        let (status, read, written) = self.inflate.once(packed, plain).ok()?;
        (status == Status::StreamEnd && written == size).then(|| (Arc::from(&*plain), read))
    }
}
