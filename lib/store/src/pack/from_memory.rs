//! Writes objects that so far exist only in memory as a pack and its index.

use std::{fs::File, io::Write};

use gix::{ObjectId, objs::Kind};

use super::{
    compress::Compressor,
    incoming::IncomingPack,
    index::{self, Located},
    parallel,
    tmp_pack::TmpPack,
    write::{self, Failure},
};

/// An object and its id.
type Object<'a> = (&'a ObjectId, &'a (Kind, Vec<u8>));

/// Writes a pack of `objects`, none of them as a delta. The same objects always give the same pack.
pub(crate) fn write(
    repo: &gix::Repository,
    objects: &gix::odb::memory::Storage,
) -> gix::Result<IncomingPack> {
    let mut objects: Vec<Object<'_>> = objects.iter().collect();
    objects.sort_unstable_by_key(|(id, (kind, _))| (rank(*kind), **id));
    let io = |error: std::io::Error| gix::Error::from_error(error);
    let files = TmpPack::new(repo.objects.store_ref().path()).map_err(io)?;
    let (located, checksum) = write_to(files.pack.file(), &objects, repo.object_hash())?;
    files.index.file().write_all(&index::encode(located, checksum)?).map_err(io)?;
    Ok(IncomingPack::of(objects.len() as u64, files, checksum))
}

/// The order of the kinds in the pack: those that are read first come first.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 0,
        Kind::Tag => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
    }
}

/// Writes the pack, and returns the location of each object and the checksum.
fn write_to(
    mut file: &File,
    objects: &[Object<'_>],
    kind: gix::hash::Kind,
) -> gix::Result<(Vec<Located>, ObjectId)> {
    let io = |error: std::io::Error| gix::Error::from_error(error);
    let preamble = write::preamble(write::count(objects.len()).map_err(io)?);
    let (mut hash, mut at) = (gix::hash::hasher(kind), 0);
    let mut located = Vec::with_capacity(objects.len());
    let mut put = |piece: Piece| {
        hash.update(&piece.bytes);
        located.extend(piece.located.iter().map(|one| Located { offset: at + one.offset, ..*one }));
        at += piece.bytes.len() as u64;
        file.write_all(&piece.bytes).map_err(Failure::Sink)
    };
    let pieces = pieces(objects);
    let threads = pieces.len().min(1 + threads::free(pieces.len().saturating_sub(1)));
    let workers = (0..threads).map(|_| {
        let (mut compressor, pieces) = (Compressor::quick(kind), &pieces);
        move |at: usize| piece(pieces[at], &mut compressor)
    });
    put(Piece { bytes: preamble.to_vec(), located: Vec::new() })
        .and_then(|()| parallel::in_order(pieces.len(), workers.collect(), put))?;
    let checksum = hash.try_finalize()?;
    file.write_all(checksum.as_slice()).map_err(io)?;
    Ok((located, checksum))
}

/// Some encoded objects, with offsets relative to the start of the piece.
struct Piece {
    bytes: Vec<u8>,
    located: Vec<Located>,
}

/// Divides the objects into runs that one thread encodes at a time.
fn pieces<'a, 'o>(mut objects: &'a [Object<'o>]) -> Vec<&'a [Object<'o>]> {
    const ENOUGH: usize = 128 * 1024;
    let mut pieces = Vec::new();
    while !objects.is_empty() {
        let mut weight = 0;
        let fits = |object: &&Object<'_>| {
            let fits = weight < ENOUGH;
            weight += object.1.1.len() + 64;
            fits
        };
        let (piece, rest) = objects.split_at(objects.iter().take_while(fits).count());
        pieces.push(piece);
        objects = rest;
    }
    pieces
}

fn piece(objects: &[Object<'_>], compressor: &mut Compressor) -> gix::Result<Piece> {
    let mut piece =
        Piece { bytes: Vec::with_capacity(128 * 1024), located: Vec::with_capacity(objects.len()) };
    for (id, (object, data)) in objects {
        let start = piece.bytes.len();
        write::begin_entry(&mut piece.bytes, write::whole(*object), data.len() as u64);
        compressor.object(*object, data, &mut piece.bytes)?;
        let crc32 = zlib_rs::crc32::crc32(0, &piece.bytes[start..]);
        piece.located.push(Located { id: **id, offset: start as u64, crc32 });
    }
    Ok(piece)
}
