//! Writes a self-contained pack and its index straight into an object database, without `index-pack`.
//!
//! The receiver of a pack from elsewhere unpacks it, resolves and hashes each object, and appends missing delta
//! bases. If the sending program itself writes into the object database, all that has been done already: it has
//! hashed every object that it read, and all delta bases are in the pack. So the pack only needs to be written.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

use gix::Repository;

use super::{
    Item, LARGEST_AT_ONCE, Receiver,
    encoded_entries::EncodedEntries,
    incoming::IncomingPack,
    index,
    tmp_pack::TmpPack,
    write::{self, Offsets, Options, Written},
};

/// Writes the objects of `from` that are `ready` for a local object database, and `items`, into the object database
/// `objects`. `told` is called with the number of objects and bytes so far. The second result is the number of bytes
/// in all.
///
/// # Errors
///
/// If an object cannot be read, is damaged, is too large, or has a delta base that is not among the objects; or if
/// the pack cannot be written.
pub fn land(
    from: &Repository,
    objects: &Path,
    ready: &EncodedEntries,
    items: &[Item],
    told: &mut dyn FnMut(usize, u64),
) -> gix::Result<(IncomingPack, u64)> {
    let io = |error: io::Error| gix::Error::from_error(error);
    let files = TmpPack::new(objects).map_err(io)?;
    let mut out = Limited::new(BufWriter::with_capacity(64 * 1024, files.pack.file()));
    let options = Options::of(from, Receiver::ObjectDatabase, Offsets::Understood);
    let written = write::write(from, ready, items, options, &mut out, told)?;
    out.flush().map_err(io)?;
    drop(out);
    let Written { bytes, checksum, located } = written;
    files.index.file().write_all(&index::encode(located, checksum)?).map_err(io)?;
    Ok((IncomingPack::of((ready.count() + items.len()) as u64, files, checksum), bytes))
}

/// A writer that fails once more bytes are written than a pack in memory may have.
pub struct Limited<W> {
    inner: W,
    room: usize,
}

impl<W: Write> Limited<W> {
    /// Wraps `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, room: LARGEST_AT_ONCE }
    }

    /// Returns the wrapped writer.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for Limited<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(room) = self.room.checked_sub(bytes.len()) else {
            return Err(io::Error::other("the pack is too large to be held in memory"));
        };
        self.inner.write_all(bytes)?;
        self.room = room;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
