//! Writes a pack as a stream of bytes, see <https://git-scm.com/docs/gitformat-pack>.

use std::io::{self, Write};

use gix::{ObjectId, hash::oid, hashtable::HashMap, object::Kind, zlib::Compression};

use super::{
    Item, Receiver, big, delta_bases,
    encode::{Encoded, Form},
    encoded_entries::EncodedEntries,
    index::Located,
    parallel,
};

pub use super::delta_bases::Limits;

/// How a pack is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// When not to look for a delta.
    pub limits: Limits,
    /// How much work goes into compression.
    pub level: Compression,
    /// How many threads look for deltas and compress.
    pub threads: usize,
    /// Whether a delta may name its base by distance (`OFS_DELTA`), which is shorter.
    pub offsets: Offsets,
    /// Whether a delta may be of what the receiver has. Unless said otherwise a server completes such a pack, and a
    /// folder gets it as it is.
    pub thin: bool,
    /// Who gets the pack.
    pub receiver: Receiver,
}

/// Whether the reader understands deltas that name their base by its distance (`ofs-delta`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offsets {
    /// It does.
    Understood,
    /// It may not.
    Unknown,
}

/// Why a pack was not written completely.
#[derive(Debug)]
pub enum Failure {
    /// The objects could not be read.
    Source(gix::Error),
    /// The bytes could not be written.
    Sink(io::Error),
}

impl From<Failure> for gix::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Source(error) => error,
            Failure::Sink(error) => Self::from_error(error),
        }
    }
}

impl Options {
    /// Reads the options from the configuration of `repo`: `pack.compression`, `pack.threads`, `pack.depth`,
    /// `core.bigFileThreshold`.
    pub fn of(repo: &gix::Repository, receiver: Receiver, offsets: Offsets) -> Self {
        let config = repo.config_snapshot();
        let positive = |key: &str| config.integer(key).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        Self {
            limits: Limits {
                big: positive("core.bigFileThreshold").unwrap_or(512 * 1024 * 1024),
                depth: positive("pack.depth").and_then(|n| u32::try_from(n).ok()).unwrap_or(50),
            },
            level: match receiver {
                Receiver::Server => repo.pack_compression().unwrap_or_default(),
                Receiver::ObjectDatabase => Compression::BEST_SPEED,
            },
            threads: positive("pack.threads")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or_else(threads::processors),
            offsets,
            thin: receiver == Receiver::Server,
            receiver,
        }
    }
}

/// A pack that was written.
pub struct Written {
    /// The size in bytes.
    pub bytes: u64,
    /// The trailer of the pack: the checksum of everything before it.
    pub checksum: ObjectId,
    /// The location of each object.
    pub(super) located: Vec<Located>,
}

/// Writes a pack with the entries of `laid` and then `items` to `out`; no object may be in both. `sent` is called
/// with the number of objects and bytes written so far.
pub fn write(
    repo: &gix::Repository,
    laid: &EncodedEntries,
    items: &[Item],
    options: Options,
    out: &mut dyn Write,
    sent: &mut dyn FnMut(usize, u64),
) -> Result<Written, Failure> {
    let mut pack = Stream::begin(repo.object_hash(), (laid, items.len()), options, out)?;
    sent(pack.located.len(), pack.at);
    let sizes = parallel::sizes(repo, items, options.threads).map_err(Failure::Source)?;
    let is_there = |id: &ObjectId| options.thin || laid.find(id).is_some();
    let placed = delta_bases::arrange(items, &sizes, options.limits, &is_there);
    drop(sizes);
    parallel::encode(repo, items, &placed, options, |encoded| {
        for one in encoded {
            pack.one(repo, &one)?;
            sent(pack.located.len(), pack.at);
        }
        Ok(())
    })?;
    pack.end()
}

/// A pack that is being written.
struct Stream<'a> {
    out: &'a mut dyn Write,
    hash: gix::hash::Hasher,
    /// The number of bytes so far.
    at: u64,
    /// The checksum of the current entry so far.
    crc32: u32,
    /// The entries with which the pack begins.
    laid: &'a EncodedEntries,
    /// The location of each object.
    located: Vec<Located>,
    /// The offsets of the entries after those of `laid`.
    offsets: HashMap<ObjectId, u64>,
    options: Options,
}

impl<'a> Stream<'a> {
    /// Begins a pack with the entries of `laid` and this number of `others`.
    fn begin(
        hash: gix::hash::Kind,
        (laid, others): (&'a EncodedEntries, usize),
        options: Options,
        out: &'a mut dyn Write,
    ) -> Result<Self, Failure> {
        let objects =
            count(laid.count() + others).map_err(|error| Failure::Source(gix::Error::from_error(error)))?;
        let hash = gix::hash::hasher(hash);
        let mut located = Vec::with_capacity(objects as usize);
        located.extend_from_slice(laid.located());
        let offsets = HashMap::with_capacity_and_hasher(others, Default::default());
        let mut stream = Self { out, hash, at: 0, crc32: 0, laid, located, offsets, options };
        stream.bytes(&preamble(objects))?;
        stream.bytes(laid.bytes())?;
        Ok(stream)
    }

    fn one(&mut self, repo: &gix::Repository, one: &Encoded) -> Result<(), Failure> {
        let offset = self.at;
        self.crc32 = 0;
        self.header(one.form, one.size)?;
        match &one.deflated {
            Some(deflated) => self.entry(deflated),
            None => self.streamed(repo, one.id, one.size),
        }?;
        self.located.push(Located { id: one.id, offset, crc32: self.crc32 });
        self.offsets.insert(one.id, offset);
        Ok(())
    }

    /// Writes a part of an entry.
    fn entry(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.crc32 = zlib_rs::crc32::crc32(self.crc32, bytes);
        self.bytes(bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(Failure::Sink)?;
        self.hash.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Writes the header of an entry, whose uncompressed data has `size` bytes.
    fn header(&mut self, form: Form, size: u64) -> Result<(), Failure> {
        let back = match self.options.offsets {
            Offsets::Understood => {
                let there = |base: &oid| self.offsets.get(base).copied().or_else(|| self.laid.find(base));
                back(form, self.at, self.options.receiver, there).map_err(Failure::Source)?
            }
            Offsets::Unknown => None,
        };
        let mut header = Vec::with_capacity(32);
        begin(&mut header, form, size, back);
        self.entry(&header)
    }

    /// Copies an object that is too large for memory from its file into the pack.
    fn streamed(&mut self, repo: &gix::Repository, id: ObjectId, size: u64) -> Result<(), Failure> {
        if self.options.receiver == Receiver::ObjectDatabase {
            let error = io::Error::other(format!("object {id} is too large to be hashed here"));
            return Err(Failure::Source(gix::Error::from_error(error)));
        }
        let (level, mut failed) = (self.options.level, None);
        let read = big::deflated(repo, id, size, level, &mut |piece| {
            self.entry(piece).map_err(|failure| {
                failed = Some(failure);
                gix::Error::from_error(io::Error::other("the pack cannot be written"))
            })
        });
        match (read, failed) {
            (_, Some(failure)) => Err(failure),
            (Err(error), None) => Err(Failure::Source(error)),
            (Ok(()), None) => Ok(()),
        }
    }

    fn end(self) -> Result<Written, Failure> {
        let Self { out, hash, at, located, .. } = self;
        let checksum = hash.try_finalize().map_err(Failure::Source)?;
        out.write_all(checksum.as_slice()).map_err(Failure::Sink)?;
        out.flush().map_err(Failure::Sink)?;
        Ok(Written { bytes: at + checksum.as_slice().len() as u64, checksum, located })
    }
}

/// Returns the distance from `offset` back to the delta base, if the entry is a delta and `there` knows the offset of
/// the base.
///
/// # Errors
///
/// If the base of a delta is missing and the receiver is a local object database: there, nobody completes a thin
/// pack.
pub(super) fn back(
    form: Form,
    offset: u64,
    receiver: Receiver,
    there: impl Fn(&oid) -> Option<u64>,
) -> gix::Result<Option<u64>> {
    let Form::Delta(base) = form else { return Ok(None) };
    match there(&base) {
        None if receiver == Receiver::ObjectDatabase => {
            let error = io::Error::other(format!("object {base}, which others are a delta of, is missing"));
            Err(gix::Error::from_error(error))
        }
        there => Ok(there.map(|there| offset - there)),
    }
}

/// Appends the header of an entry, whose uncompressed data has `size` bytes. The delta base is given by the distance
/// `back`, or else by its id.
pub(super) fn begin(out: &mut Vec<u8>, form: Form, size: u64, back: Option<u64>) {
    match (form, back) {
        (Form::Whole(kind), _) => begin_entry(out, whole(kind), size),
        (Form::Delta(_), Some(back)) => {
            begin_entry(out, OFS_DELTA, size);
            distance(out, back);
        }
        (Form::Delta(base), None) => {
            begin_entry(out, REF_DELTA, size);
            out.extend_from_slice(base.as_slice());
        }
    }
}

/// The size of a pack header.
pub(super) const PREAMBLE: usize = 12;

/// The header of a pack with this number of objects.
pub(super) fn preamble(objects: u32) -> [u8; PREAMBLE] {
    const VERSION: [u8; 4] = 2u32.to_be_bytes();
    let mut preamble = *b"PACK........";
    preamble[4..8].copy_from_slice(&VERSION);
    preamble[8..].copy_from_slice(&objects.to_be_bytes());
    preamble
}

/// Returns the number of objects in the type that the pack header has for it.
pub(super) fn count(objects: usize) -> io::Result<u32> {
    u32::try_from(objects).map_err(|_| io::Error::other("too many objects for a pack"))
}

pub(super) const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

pub(super) fn whole(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    }
}

/// Appends the type and the size of an entry: four bits of the size in the first byte, then groups of seven, the
/// lowest first.
pub(super) fn begin_entry(out: &mut Vec<u8>, kind: u8, mut size: u64) {
    let mut byte = (kind << 4) | (size & 0xf) as u8;
    size >>= 4;
    while size > 0 {
        out.push(byte | 0x80);
        byte = (size & 0x7f) as u8;
        size >>= 7;
    }
    out.push(byte);
}

/// Appends the distance of an `OFS_DELTA`: groups of seven bits, the highest first; each byte but the last stands for
/// its value plus one.
pub(super) fn distance(out: &mut Vec<u8>, mut distance: u64) {
    let mut bytes = vec![(distance & 0x7f) as u8];
    distance >>= 7;
    while distance > 0 {
        distance -= 1;
        bytes.push((distance & 0x7f) as u8 | 0x80);
        distance >>= 7;
    }
    bytes.reverse();
    out.extend_from_slice(&bytes);
}
