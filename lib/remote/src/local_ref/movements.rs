//! The lines of a reflog, the newest first.
//!
//! A reflog grows with every movement of its ref, and most readers need its end alone. gix reads it from there too, but
//! ends at a line that is longer than the buffer that it was given, and a message may have any length.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use gix::{
    bstr::ByteSlice as _,
    refs::{FullNameRef, file::log::LineRef, log::Line},
};

use super::{Failed, claim::is_missing, place::Place};

/// How much is read at once; more only where a line is longer.
const PIECE: usize = 4096;

/// The lines of a reflog, the newest first. What is no line is passed over, as git does: another process may be in the
/// middle of writing it.
#[derive(Debug)]
pub struct Movements {
    file: File,
    /// How many bytes of the file are not read yet: those before `held`.
    unread: u64,
    /// What was read and not returned yet.
    held: Vec<u8>,
}

impl Movements {
    /// The reflog of `name`; none where no log is kept.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn of(repo: &gix::Repository, name: &FullNameRef) -> Result<Option<Self>, Failed> {
        let Place { base, name } = Place::of(repo, name)?;
        let path = base.join("logs").join(name);
        let opened = File::open(&path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
        match opened {
            // Such a directory is of logs of other refs.
            Ok((_, metadata)) if metadata.is_dir() => Ok(None),
            Ok((file, metadata)) => Ok(Some(Self { file, unread: metadata.len(), held: Vec::new() })),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Failed::doing(format!("cannot read {}", path.display()), error)),
        }
    }

    /// Where the last line of `held` begins; none where that is not known yet.
    fn last_line(&self) -> Option<usize> {
        let line = self.held.strip_suffix(b"\n").unwrap_or(&self.held);
        line.rfind_byte(b'\n').map(|end| end + 1).or((self.unread == 0).then_some(0))
    }

    /// Reads the piece before `held`, which is as long as `held` at least: a long line is then not searched too often.
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
