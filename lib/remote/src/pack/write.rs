//! A pack as a stream of bytes, see <https://git-scm.com/docs/gitformat-pack>.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use gix::{ObjectId, object::Kind, zlib::Compression};

use super::{
    Item, big, cores,
    encode::{Encoded, Form},
    order::{self, Limits},
};

/// How a pack is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub limits: Limits,
    pub level: Compression,
    pub threads: usize,
    /// Whether a delta may name its base by distance, which is shorter.
    pub offsets: Offsets,
}

/// Whether the reader understands deltas that name their base by its distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offsets {
    Understood,
    Unknown,
}

/// Why a pack was not written to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The objects could not be had.
    Source(gix::Error),
    /// The bytes could not be written.
    Sink(io::Error),
}

impl Options {
    /// What `repo`'s configuration says: `pack.compression`, `pack.threads`, `pack.depth`, `core.bigFileThreshold`.
    pub fn of(repo: &gix::Repository, offsets: Offsets) -> Self {
        let config = repo.config_snapshot();
        let positive = |key: &str| config.integer(key).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        Self {
            limits: Limits {
                big: positive("core.bigFileThreshold").unwrap_or(512 * 1024 * 1024),
                depth: positive("pack.depth").and_then(|n| u32::try_from(n).ok()).unwrap_or(50),
            },
            level: repo.pack_compression().unwrap_or_default(),
            threads: positive("pack.threads").and_then(|n| usize::try_from(n).ok()).unwrap_or(cores),
            offsets,
        }
    }
}

/// Writes a pack with what is `ready` and `items` to `out`, of which none is in both. `sent` is told the number of
/// objects and bytes written so far.
pub(crate) fn write(
    repo: &gix::Repository,
    ready: &[Encoded],
    items: &[Item],
    options: Options,
    out: &mut dyn Write,
    sent: &mut dyn FnMut(usize, u64),
) -> Result<u64, Failure> {
    let mut pack = Stream::begin(repo.object_hash(), ready.len() + items.len(), options.offsets, out)?;
    for one in ready {
        pack.one(repo, one, options.level)?;
    }
    sent(pack.written.len(), pack.at);
    let sizes = cores::sizes(repo, items, options.threads).map_err(Failure::Source)?;
    let placed = order::arrange(items, &sizes, options.limits);
    drop(sizes);
    cores::encode(repo, items, &placed, options, |encoded| {
        for one in encoded {
            pack.one(repo, &one, options.level)?;
            sent(pack.written.len(), pack.at);
        }
        Ok(())
    })?;
    pack.end()
}

/// A pack under way.
struct Stream<'a> {
    out: &'a mut dyn Write,
    hash: gix::hash::Hasher,
    /// Bytes so far.
    at: u64,
    /// Where each object is.
    written: HashMap<ObjectId, u64>,
    offsets: Offsets,
}

impl<'a> Stream<'a> {
    fn begin(
        hash: gix::hash::Kind,
        objects: usize,
        offsets: Offsets,
        out: &'a mut dyn Write,
    ) -> Result<Self, Failure> {
        let objects = count(objects).map_err(|error| Failure::Source(gix::Error::from_error(error)))?;
        let hash = gix::hash::hasher(hash);
        let mut stream = Self { out, hash, at: 0, written: HashMap::new(), offsets };
        stream.bytes(&preamble(objects))?;
        Ok(stream)
    }

    fn one(&mut self, repo: &gix::Repository, one: &Encoded, level: Compression) -> Result<(), Failure> {
        self.header(one.id, one.form, one.size)?;
        match &one.deflated {
            Some(deflated) => self.bytes(deflated),
            None => self.streamed(repo, one.id, one.size, level),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(Failure::Sink)?;
        self.hash.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Begins the entry of object `id`, of `size` bytes before compression.
    fn header(&mut self, id: ObjectId, form: Form, size: u64) -> Result<(), Failure> {
        let start = self.at;
        let mut header = Vec::with_capacity(32);
        match form {
            Form::Whole(kind) => begin_entry(&mut header, whole(kind), size),
            Form::Delta(base) => match self.written.get(&base) {
                Some(offset) if self.offsets == Offsets::Understood => {
                    begin_entry(&mut header, OFS_DELTA, size);
                    distance(&mut header, start - offset);
                }
                _ => {
                    begin_entry(&mut header, REF_DELTA, size);
                    header.extend_from_slice(base.as_slice());
                }
            },
        }
        self.written.insert(id, start);
        self.bytes(&header)
    }

    /// An object too large for memory, from its file straight into the pack.
    fn streamed(
        &mut self,
        repo: &gix::Repository,
        id: ObjectId,
        size: u64,
        level: Compression,
    ) -> Result<(), Failure> {
        let mut failed = None;
        let read = big::deflated(repo, id, size, level, &mut |piece| {
            self.bytes(piece).map_err(|failure| {
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

    fn end(self) -> Result<u64, Failure> {
        let Self { out, hash, at, .. } = self;
        let checksum = hash.try_finalize().map_err(Failure::Source)?;
        out.write_all(checksum.as_slice()).map_err(Failure::Sink)?;
        out.flush().map_err(Failure::Sink)?;
        Ok(at + checksum.as_slice().len() as u64)
    }
}

/// What a pack of so many objects begins with.
pub(super) fn preamble(objects: u32) -> [u8; 12] {
    const VERSION: [u8; 4] = 2u32.to_be_bytes();
    let mut preamble = *b"PACK........";
    preamble[4..8].copy_from_slice(&VERSION);
    preamble[8..].copy_from_slice(&objects.to_be_bytes());
    preamble
}

/// The number of objects as a pack can have it.
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

/// The type, and the size: four bits beside it, then sevens, the lowest first.
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

/// A distance: sevens of bits, the highest first, each continuation counting from one.
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
