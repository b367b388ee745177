//! The content of the index's file.
//!
//! That of a large repository takes several megabytes. To read it costs a page of new memory for every four kilobytes,
//! which is more than to look through it afterwards; so it is mapped, as git does.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;

/// A file of as many bytes is worth mapping.
#[cfg(unix)]
const LARGE: usize = 128 * 1024;

/// All the bytes of a file.
#[derive(Debug)]
pub enum Content {
    /// They were read.
    Read(Vec<u8>),
    /// They are seen where they lie. Not on Windows, where a file that is mapped cannot be replaced.
    #[cfg(unix)]
    Mapped(memmap2::Mmap, File),
}

impl Content {
    /// The content of `file`, which is `length` bytes long, and which nobody changes: it is only ever replaced.
    pub fn of(mut file: File, length: usize) -> io::Result<Self> {
        #[cfg(unix)]
        if length >= LARGE {
            return Ok(Self::Mapped(map(&file)?, file));
        }
        // One byte more than there is, so that the end is seen without asking for more room.
        let mut bytes = Vec::with_capacity(length + 1);
        file.read_to_end(&mut bytes)?;
        Ok(Self::Read(bytes))
    }

    /// Whether they are seen where they lie.
    pub fn is_mapped(&self) -> bool {
        match self {
            Self::Read(_) => false,
            #[cfg(unix)]
            Self::Mapped(..) => true,
        }
    }

    /// The file that they lie in, if they are seen there.
    pub fn into_file(self) -> Option<File> {
        match self {
            Self::Read(_) => None,
            #[cfg(unix)]
            Self::Mapped(_, file) => Some(file),
        }
    }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library has no way to map a file")]
fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: whoever changes an index writes a new file, `index.lock`, and gives it the name of the old one, which stays what it
    // was for as long as it is mapped: git, gix and we do. Git maps it on the same condition (`read-cache.c`).
    unsafe { memmap2::MmapOptions::new().populate().map(file) }
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            #[cfg(unix)]
            Self::Mapped(map, _) => map,
        }
    }
}
