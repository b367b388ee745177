//! Reads the lines of a reflog, the newest first.
//!
//! A reflog grows with every update of its ref, and most readers need only its end. gix reads it from there too, but stops
//! at a line that is longer than the buffer that it was given, and a message may have any length.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use gix::{
    bstr::ByteSlice as _,
    refs::{FullNameRef, file::log::LineRef, log::Line},
};

use super::{RefError, claim::is_missing, ref_path::RefPath};

/// The number of bytes that are read at once; more only if a line is longer.
const PIECE: usize = 4096;

/// The lines of a reflog, the newest first. Malformed lines are skipped, as in git: another process may just be writing
/// one.
#[derive(Debug)]
pub struct Movements {
    file: File,
    /// The number of bytes before `held`, which have not been read yet.
    unread: u64,
    /// The bytes that have been read and not returned yet.
    held: Vec<u8>,
}

impl Movements {
    /// Opens the reflog of `name`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn of(repo: &gix::Repository, name: &FullNameRef) -> Result<Option<Self>, RefError> {
        let RefPath { base, name } = RefPath::of(repo, name)?;
        let path = base.join("logs").join(name);
        let opened = File::open(&path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
        match opened {
            // A directory holds the reflogs of other refs.
            Ok((_, metadata)) if metadata.is_dir() => Ok(None),
            Ok((file, metadata)) => Ok(Some(Self { file, unread: metadata.len(), held: Vec::new() })),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(RefError::doing(format!("cannot read {}", path.display()), error)),
        }
    }

    /// Returns the offset of the last line in `held`; `None` if its beginning has not been read yet.
    fn last_line(&self) -> Option<usize> {
        let line = self.held.strip_suffix(b"\n").unwrap_or(&self.held);
        line.rfind_byte(b'\n').map(|end| end + 1).or((self.unread == 0).then_some(0))
    }

    /// Reads at least as many bytes before `held` as it has, so that a long line is not searched too often.
    fn read_on(&mut self) -> io::Result<()> {
        let size = self.unread.min(self.held.len().max(PIECE) as u64);
        self.unread -= size;
        self.file.seek(SeekFrom::Start(self.unread))?;
        let mut held = Vec::with_capacity(size as usize + self.held.len());
        self.file.by_ref().take(size).read_to_end(&mut held)?;
        if held.len() as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        held.append(&mut self.held);
        self.held = held;
        Ok(())
    }
}

impl Iterator for Movements {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(begin) = self.last_line() else {
                if let Err(error) = self.read_on() {
                    (self.unread, self.held) = (0, Vec::new());
                    return Some(Err(error));
                }
                continue;
            };
            if self.held.is_empty() {
                return None;
            }
            let line = LineRef::from_bytes(&self.held[begin..]).map(Line::from);
            self.held.truncate(begin);
            if let Ok(line) = line {
                return Some(Ok(line));
            }
        }
    }
}
