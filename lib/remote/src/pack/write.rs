//! A pack as a stream of bytes, see <https://git-scm.com/docs/gitformat-pack>.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use gix::{ObjectId, object::Kind, zlib::Compression};

use super::{
    Item, Receiver, big, cores,
    encode::{Encoded, Form},
    index::Located,
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
    pub receiver: Receiver,
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

impl From<Failure> for gix::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Source(error) => error,
            Failure::Sink(error) => Self::from_error(error),
        }
    }
}

impl Options {
    /// What `repo`'s configuration says: `pack.compression`, `pack.threads`, `pack.depth`, `core.bigFileThreshold`.
    pub fn of(repo: &gix::Repository, receiver: Receiver, offsets: Offsets) -> Self {
        let config = repo.config_snapshot();
        let positive = |key: &str| config.integer(key).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        Self {
            limits: Limits {
                big: positive("core.bigFileThreshold").unwrap_or(512 * 1024 * 1024),
                depth: positive("pack.depth").and_then(|n| u32::try_from(n).ok()).unwrap_or(50),
            },
            level: match receiver {
                Receiver::Server => repo.pack_compression().unwrap_or_default(),
                Receiver::Folder => Compression::BEST_SPEED,
            },
            threads: positive("pack.threads").and_then(|n| usize::try_from(n).ok()).unwrap_or(cores),
            offsets,
            receiver,
        }
    }
}

/// What was written.
pub(crate) struct Written {
    /// How many bytes.
    pub bytes: u64,
    /// What the pack ends with: the checksum of all before that.
    pub checksum: ObjectId,
    places: HashMap<ObjectId, Place>,
}

impl Written {
    /// Where everything is.
    pub(super) fn located(&self) -> Vec<Located> {
        let located = self.places.iter().map(|(id, place)| Located {
            id: *id,
            offset: place.offset,
            crc32: place.crc32,
        });
        located.collect()
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
) -> Result<Written, Failure> {
    let mut pack = Stream::begin(repo.object_hash(), ready.len() + items.len(), options, out)?;
    for one in ready {
        pack.one(repo, one)?;
    }
    sent(pack.places.len(), pack.at);
    let sizes = cores::sizes(repo, items, options.threads).map_err(Failure::Source)?;
    let is_there = |id: &ObjectId| options.receiver == Receiver::Server || pack.places.contains_key(id);
    let placed = order::arrange(items, &sizes, options.limits, &is_there);
    drop(sizes);
    cores::encode(repo, items, &placed, options, |encoded| {
        for one in encoded {
            pack.one(repo, &one)?;
            sent(pack.places.len(), pack.at);
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
    /// Of the entry that is being written, so far.
    crc32: u32,
    /// Where each object is.
    places: HashMap<ObjectId, Place>,
    options: Options,
}

/// Where an object is.
#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    crc32: u32,
}

impl<'a> Stream<'a> {
    fn begin(
        hash: gix::hash::Kind,
        objects: usize,
        options: Options,
        out: &'a mut dyn Write,
    ) -> Result<Self, Failure> {
        let objects = count(objects).map_err(|error| Failure::Source(gix::Error::from_error(error)))?;
        let hash = gix::hash::hasher(hash);
        let mut stream =
            Self { out, hash, at: 0, crc32: 0, places: HashMap::with_capacity(objects as usize), options };
        stream.bytes(&preamble(objects))?;
        Ok(stream)
    }

    fn one(&mut self, repo: &gix::Repository, one: &Encoded) -> Result<(), Failure> {
        let offset = self.at;
        self.crc32 = 0;
        self.header(one.form, one.size)?;
        match &one.deflated {
            Some(deflated) => self.bytes(deflated),
            None => self.streamed(repo, one.id, one.size),
        }?;
        self.places.insert(one.id, Place { offset, crc32: self.crc32 });
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(Failure::Sink)?;
        self.hash.update(bytes);
        self.crc32 = zlib_rs::crc32::crc32(self.crc32, bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Begins an entry of `size` bytes before compression.
    fn header(&mut self, form: Form, size: u64) -> Result<(), Failure> {
        let mut header = Vec::with_capacity(32);
        match form {
            Form::Whole(kind) => begin_entry(&mut header, whole(kind), size),
            Form::Delta(base) => match (self.places.get(&base), self.options) {
                (Some(place), Options { offsets: Offsets::Understood, .. }) => {
                    begin_entry(&mut header, OFS_DELTA, size);
                    distance(&mut header, self.at - place.offset);
                }
                (None, Options { receiver: Receiver::Folder, .. }) => {
                    let error =
                        io::Error::other(format!("object {base}, which others are a delta of, is missing"));
                    return Err(Failure::Source(gix::Error::from_error(error)));
                }
                _ => {
                    begin_entry(&mut header, REF_DELTA, size);
                    header.extend_from_slice(base.as_slice());
                }
            },
        }
        self.bytes(&header)
    }

    /// An object too large for memory, from its file straight into the pack.
    fn streamed(&mut self, repo: &gix::Repository, id: ObjectId, size: u64) -> Result<(), Failure> {
        if self.options.receiver == Receiver::Folder {
            let error = io::Error::other(format!("object {id} is too large to be hashed here"));
            return Err(Failure::Source(gix::Error::from_error(error)));
        }
        let (level, mut failed) = (self.options.level, None);
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

    fn end(self) -> Result<Written, Failure> {
        let Self { out, hash, at, places, .. } = self;
        let checksum = hash.try_finalize().map_err(Failure::Source)?;
        out.write_all(checksum.as_slice()).map_err(Failure::Sink)?;
        out.flush().map_err(Failure::Sink)?;
        Ok(Written { bytes: at + checksum.as_slice().len() as u64, checksum, places })
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
