//! Holds an index that is to be written as a list of pieces: byte ranges of the old index file, and new bytes.
//!
//! It is written while something else goes on, usually a push. What stays of the old index is copied from its file,
//! so that it need not be in memory for that long.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::ops::Range;

/// The pieces of an index.
#[derive(Debug, Default)]
pub struct Pieces(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    /// These bytes of the old index file.
    Old(Range<usize>),
    New(Vec<u8>),
}

impl Pieces {
    /// Adds these bytes of the old index file.
    pub fn keep(&mut self, place: Range<usize>) {
        if !place.is_empty() {
            self.0.push(Piece::Old(place));
        }
    }

    /// Adds new bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(Piece::New(before)) => before.extend_from_slice(bytes),
            Some(Piece::Old(_)) | None => self.0.push(Piece::New(bytes.to_vec())),
        }
    }

    /// Writes all pieces, reading the old ones from `old`.
    ///
    /// # Errors
    /// It cannot be written, or the old index cannot be read.
    pub fn write<W: Write>(&self, mut old: &File, out: &mut W) -> io::Result<()> {
        for piece in &self.0 {
            match piece {
                Piece::New(bytes) => out.write_all(bytes)?,
                Piece::Old(place) => {
                    old.seek(SeekFrom::Start(place.start as u64))?;
                    let length = place.len() as u64;
                    if io::copy(&mut old.take(length), out)? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
        Ok(())
    }
}
