//! Streams objects that are too large to be held in memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use gix::{
    ObjectId,
    objs::FindExt,
    odb::pack,
    zlib::{
        Compression, Decompress,
        stream::{deflate::FlushCompress, inflate},
    },
};

use super::deflate::Deflate;

/// Passes the content of object `id`, of `size` bytes, to `take`, compressed and in pieces.
///
/// A loose object is read and compressed anew piece by piece; an entry of a pack that is not a delta is copied as it
/// is. Only a delta in a pack has to be held in memory, and git makes no deltas of objects of this size.
pub(super) fn deflated(
    repo: &gix::Repository,
    id: ObjectId,
    size: u64,
    level: Compression,
    take: &mut dyn FnMut(&[u8]) -> gix::Result<()>,
) -> gix::Result<()> {
    let mut deflate = Deflate::new(level);
    deflate.begin();
    match open(repo, id)? {
        Source::Loose(file) => {
            let mut file = BufReader::with_capacity(PIECE, file);
            loose(&mut file, size, &mut |piece, flush| deflate.feed(piece, flush, take))
        }
        Source::Packed(entry) => copy(entry, take),
        Source::Elsewhere => {
            let mut buffer = Vec::new();
            let data = repo.objects.find(&id, &mut buffer)?.data;
            deflate.feed(data, FlushCompress::Finish, take)
        }
    }
}

const PIECE: usize = 128 * 1024;

/// Where an object is stored.
enum Source {
    Loose(File),
    Packed(io::Take<File>),
    Elsewhere,
}

/// Looks for the object in this object database and in its alternates.
fn open(repo: &gix::Repository, id: ObjectId) -> gix::Result<Source> {
    let hex = id.to_hex().to_string();
    let (folder, name) = hex.split_at(2);
    let own = repo.objects.store_ref().path().to_owned();
    let alternates = repo.objects.store_ref().alternate_db_paths()?;
    for objects in std::iter::once(own).chain(alternates) {
        match File::open(objects.join(folder).join(name)) {
            Ok(file) => return Ok(Source::Loose(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(gix::Error::from_error(error)),
        }
        let Ok(files) = objects.join("pack").read_dir() else { continue };
        for file in files {
            let path = file.map_err(gix::Error::from_error)?.path();
            if path.extension().is_some_and(|extension| extension == "idx")
                && let Some(entry) = packed(&path, id)
            {
                return Ok(Source::Packed(entry));
            }
        }
    }
    Ok(Source::Elsewhere)
}

/// Returns the compressed bytes of object `id` in the pack of `index`, if it is there and is not a delta. An index that
/// cannot be read, or whose pack is gone, as during a repack, is skipped: the object may be elsewhere.
fn packed(index: &Path, id: ObjectId) -> Option<io::Take<File>> {
    let path = index.with_extension("pack");
    let index = pack::index::File::at(index, id.kind()).ok()?;
    let offset = index.pack_offset_at_index(index.lookup(id)?);
    let mut file = File::open(&path).ok()?;
    let length = file.metadata().ok()?.len();
    // An entry ends where the next one begins, the last one before the checksum of the pack.
    let checksum = length.saturating_sub(id.kind().len_in_bytes() as u64);
    let next = index.sorted_offsets().into_iter().find(|next| *next > offset).unwrap_or(checksum);
    let entry = pack::data::File::at(&path, id.kind()).ok()?.entry(offset).ok()?;
    if !entry.header.is_base() {
        return None;
    }
    file.seek(SeekFrom::Start(entry.data_offset)).ok()?;
    Some(file.take(next.saturating_sub(entry.data_offset)))
}

fn copy(mut entry: io::Take<File>, take: &mut dyn FnMut(&[u8]) -> gix::Result<()>) -> gix::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        match entry.read(&mut buffer).map_err(gix::Error::from_error)? {
            0 => return Ok(()),
            read => take(&buffer[..read])?,
        }
    }
}

/// Unpacks a loose object, which is `<kind> <size>\0<content>`, compressed as a whole, and passes on its content.
fn loose(
    mut file: &mut dyn BufRead,
    size: u64,
    take: &mut dyn FnMut(&[u8], FlushCompress) -> gix::Result<()>,
) -> gix::Result<()> {
    const LONGEST_HEADER: usize = 64;
    let short = || gix::Error::from_error(io::Error::from(io::ErrorKind::UnexpectedEof));
    let mut state = Decompress::new();
    let mut buffer = vec![0; 256 * 1024];
    let first = inflate::read(&mut file, &mut state, &mut buffer).map_err(gix::Error::from_error)?;
    let header =
        buffer[..first.min(LONGEST_HEADER)].iter().position(|byte| *byte == 0).ok_or_else(short)? + 1;
    let mut left = size;
    let mut range = header..first;
    while !range.is_empty() {
        left = left.checked_sub(range.len() as u64).ok_or_else(short)?;
        let flush = if left == 0 { FlushCompress::Finish } else { FlushCompress::None };
        take(&buffer[range], flush)?;
        if left == 0 {
            return Ok(());
        }
        let read = inflate::read(&mut file, &mut state, &mut buffer).map_err(gix::Error::from_error)?;
        range = 0..read;
    }
    Err(short())
}
