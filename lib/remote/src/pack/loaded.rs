//! A pack that is in memory, taken apart into its entries, each of them unpacked.
//!
//! Nothing is said of what is wrong with a pack that cannot be taken apart: whoever meets one leaves it to gix, which
//! says it.

use std::{ops::Range, sync::Arc};

use gix::{
    ObjectId,
    object::Kind,
    odb::pack::data::{self, entry::Header},
    zlib::{Inflate, Status},
};

/// What a pack says of itself.
const HEADER: usize = data::header::SIZE;

/// A pack and its entries.
pub(super) struct Loaded<'a> {
    raw: &'a [u8],
    checksum: ObjectId,
    entries: Vec<Entry>,
    /// How many bytes the entries hold, unpacked.
    unpacked: usize,
}

/// One entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// What it is.
    pub form: Form,
    /// Where it begins in the pack.
    pub start: usize,
    /// Where in the pack it is, without its header.
    packed: Range<usize>,
    /// What it holds, unpacked: an object shares this.
    plain: Arc<[u8]>,
}

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An object.
    Whole(Kind),
    /// What makes an object of the one in the entry of this number, which comes before it.
    DeltaOf(usize),
    /// What makes an object of this one, which need not be in the pack.
    DeltaOfObject(ObjectId),
}

/// How many objects a pack says that it has.
pub(super) fn count(raw: &[u8]) -> Option<u32> {
    data::header::decode(raw.first_chunk::<HEADER>()?).ok().map(|(_, count)| count)
}

impl<'a> Loaded<'a> {
    /// Takes a pack apart that holds no more than `most` bytes when unpacked. `None`: it is larger, or damaged.
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

    /// Unpacks the entry that begins at `start`, and says where it ends.
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

    /// The entries, in their order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All of it.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// What it ends with: the checksum of all before that.
    pub fn checksum(&self) -> ObjectId {
        self.checksum
    }

    /// What an entry holds: an object, or a delta.
    pub fn content<'b>(&self, entry: &'b Entry) -> &'b Arc<[u8]> {
        &entry.plain
    }

    /// An entry as it is in the pack.
    pub fn whole(&self, entry: &Entry) -> &[u8] {
        &self.raw[entry.start..entry.packed.end]
    }

    /// An entry as it is in the pack, without its header.
    pub fn packed(&self, entry: &Entry) -> &[u8] {
        &self.raw[entry.packed.clone()]
    }
}

/// Unpacks one entry after the other.
#[derive(Default)]
struct Unpack {
    inflate: Inflate,
    /// Room for the largest so far.
    room: Vec<u8>,
}

impl Unpack {
    /// What `packed` begins with, if that is so many bytes unpacked, and how many it is packed.
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
