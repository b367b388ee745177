//! Objects that are too large to be held in memory, a piece at a time.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
};

use gix::{
    ObjectId,
    objs::FindExt,
    zlib::{
        Decompress,
        stream::{deflate::FlushCompress, inflate},
    },
};

/// Reads object `id` of `size` bytes, and hands its content over in pieces, the last one with
/// [`FlushCompress::Finish`].
///
/// Only what lies in a file of its own is read piece by piece, which is what was just committed. gix hands out
/// packed objects whole.
pub(super) fn read(
    repo: &gix::Repository,
    id: ObjectId,
    size: u64,
    take: &mut dyn FnMut(&[u8], FlushCompress) -> gix::Result<()>,
) -> gix::Result<()> {
    match open(repo, id).map_err(gix::Error::from_error)? {
        Some(file) => loose(&mut BufReader::with_capacity(128 * 1024, file), size, take),
        None => {
            let mut buffer = Vec::new();
            let data = repo.objects.find(&id, &mut buffer)?.data;
            take(data, FlushCompress::Finish)
        }
    }
}

/// The file of object `id`, here or in an alternate.
fn open(repo: &gix::Repository, id: ObjectId) -> io::Result<Option<File>> {
    let hex = id.to_hex().to_string();
    let (folder, name) = hex.split_at(2);
    let own = repo.objects.store_ref().path().to_owned();
    let alternates = repo.objects.store_ref().alternate_db_paths().unwrap_or_default();
    for objects in std::iter::once(own).chain(alternates) {
        match File::open(objects.join(folder).join(name)) {
            Ok(file) => return Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// A loose object is `<kind> <size>\0<content>`, compressed as a whole.
fn loose(
    file: &mut dyn BufRead,
    size: u64,
    take: &mut dyn FnMut(&[u8], FlushCompress) -> gix::Result<()>,
) -> gix::Result<()> {
    const LONGEST_HEADER: usize = 64;
    let short = || gix::Error::from_error(io::Error::from(io::ErrorKind::UnexpectedEof));
    let mut file = file;
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
