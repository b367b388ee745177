//! A pack that lands in an object database as it is: complete, with its index, and of objects that were hashed when they
//! were read.
//!
//! Who receives a pack from elsewhere unpacks it, makes of each delta what it stands for, hashes that, and completes what
//! is missing. Where the sender's own program writes it into the database, it has had all that in its hands before: what
//! it has read it has hashed, and a delta is of nothing but what is in the pack. So it need only be written down.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

use gix::Repository;

use super::{
    Item, LARGEST_AT_ONCE, Receiver, index,
    laid::Laid,
    store::Arriving,
    unnamed::Unnamed,
    write::{self, Offsets, Options, Written},
};

/// Writes the objects of `from` that are `ready` for a folder, and `items`, into the object database `objects`. `told`
/// hears how many objects and bytes there are so far. The second is how many bytes there are in the end.
///
/// # Errors
///
/// Where one cannot be read or is damaged, is too large, or hangs on what is not among them; or where it cannot be
/// written.
pub(crate) fn land(
    from: &Repository,
    objects: &Path,
    ready: &Laid,
    items: &[Item],
    told: &mut dyn FnMut(usize, u64),
) -> gix::Result<(Arriving, u64)> {
    let io = |error: io::Error| gix::Error::from_error(error);
    let files = Unnamed::new(objects).map_err(io)?;
    let mut out = Limited::new(BufWriter::with_capacity(64 * 1024, files.pack.file()));
    let options = Options::of(from, Receiver::Folder, Offsets::Understood);
    let written = write::write(from, ready, items, options, &mut out, told)?;
    out.flush().map_err(io)?;
    drop(out);
    let Written { bytes, checksum, located } = written;
    files.index.file().write_all(&index::encode(located, checksum)?).map_err(io)?;
    Ok((Arriving::of((ready.len() + items.len()) as u64, files, checksum), bytes))
}

/// Writes up to as many bytes as a pack may have that is held in memory.
pub(crate) struct Limited<W> {
    inner: W,
    room: usize,
}

impl<W: Write> Limited<W> {
    pub fn new(inner: W) -> Self {
        Self { inner, room: LARGEST_AT_ONCE }
    }

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
