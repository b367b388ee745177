//! Reads the content of the index file, or maps it into memory.
//!
//! The index of a large repository takes several megabytes. Reading it costs a page of new memory for every four
//! kilobytes, which is more than examining it afterwards; so it is mapped, as in git.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;

/// The number of bytes from which a file is worth mapping.
#[cfg(unix)]
const LARGE: usize = 128 * 1024;

/// All the bytes of a file.
#[derive(Debug)]
pub enum Content {
    /// The bytes were read.
    Read(Vec<u8>),
    /// The file is mapped. Not on Windows, where a mapped file cannot be replaced.
    #[cfg(unix)]
    Mapped(memmap2::Mmap, File),
}

impl Content {
    /// Returns the content of `file`, which is `length` bytes long, and which nobody changes: it is only ever
    /// replaced.
    pub fn of(mut file: File, length: usize) -> io::Result<Self> {
        #[cfg(unix)]
        if length >= LARGE {
            return Ok(Self::Mapped(map(&file)?, file));
        }
        // One byte more than the file has, so that its end is detected without growing the buffer.
        let mut bytes = Vec::with_capacity(length + 1);
        file.read_to_end(&mut bytes)?;
        Ok(Self::Read(bytes))
    }

    /// Whether the file is mapped.
    pub fn is_mapped(&self) -> bool {
        match self {
            Self::Read(_) => false,
            #[cfg(unix)]
            Self::Mapped(..) => true,
        }
    }

    /// Returns the file, if it is mapped.
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
    // SAFETY: whoever changes an index writes a new file, `index.lock`, and renames it to the old one's name; the old
    // file stays what it was for as long as it is mapped. Git, gix and this program do so. Git maps the file on the
    // same condition (`read-cache.c`).
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
