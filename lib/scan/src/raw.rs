//! Reads the index from the bytes of its file, without decoding it.
//!
//! A scan needs only those fields of an entry that are at fixed offsets. Building a value of each entry and a copy of
//! each path first, as the decoder does, takes as long as a good part of the scan, and that much memory again. Only
//! the usual form is read like this: versions 2 and 3, neither split nor sparse. Everything else, including a
//! damaged file, is left to the decoder, which supports all forms and can report what is wrong. See
//! <https://git-scm.com/docs/gitformat-index>.

use std::ops::Range;

use filetime::FileTime;
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};
use gix::hash::Kind;
use gix::index::entry::stat::Time;
use gix::index::entry::{Flags, Mode, Stat};
use gix::index::extension::{Tree, tree};

use crate::content::Content;
use crate::index::Entry;

/// The length of the header: signature, version, number of entries.
const HEADER: usize = 12;
/// The offset of the object id in an entry; the stat data are before it, the flags after it.
const ID: usize = 40;
/// The flag that two more bytes of flags follow.
const EXTENDED: u16 = 1 << 14;
/// The part of the flags that is the path's length, or all ones if that is larger.
const LENGTH: u16 = 0xfff;

/// An index in the usual form.
#[derive(Debug)]
pub struct Raw {
    /// The whole file.
    pub bytes: Content,
    /// When the file was written.
    pub timestamp: FileTime,
    /// The offset of each entry.
    starts: Vec<u32>,
    /// The end of the last entry.
    end: usize,
    /// The position of the cache tree, if there is one.
    cache: Option<Range<usize>>,
    /// The hash function of the object ids.
    pub hash: Kind,
    /// The id of the root tree, from the cache tree.
    pub root_tree: Option<ObjectId>,
    /// Whether a path is unmerged.
    pub is_unmerged: bool,
    /// Whether a file is marked skip-worktree.
    pub leaves_out: bool,
}

impl Raw {
    /// Parses the index in `bytes`; `None` if it is not of the usual form, or damaged.
    pub fn new(bytes: Content, timestamp: FileTime, hash: Kind) -> Option<Self> {
        let mut raw = Raw {
            bytes,
            timestamp,
            starts: Vec::new(),
            end: HEADER,
            cache: None,
            hash,
            root_tree: None,
            is_unmerged: false,
            leaves_out: false,
        };
        let end = raw.find_entries()?;
        raw.find_root_tree(end)?;
        Some(raw)
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Returns the version of the file's format: 2 or 3.
    pub fn version(&self) -> u32 {
        be_u32(&self.bytes, 4)
    }

    /// Returns the bytes of the entries in `range`, which may be copied into another index of that version, or of a
    /// later one.
    pub fn bytes_of(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[self.place_of(range)]
    }

    /// Returns the position of the entries in `range` within the file.
    pub fn place_of(&self, range: Range<usize>) -> Range<usize> {
        let begin = |at| self.starts.get(at).map_or(self.end, |start| *start as usize);
        begin(range.start)..begin(range.end)
    }

    /// Returns the cache tree.
    pub fn cache(&self) -> Option<Tree> {
        tree::decode(&self.bytes[self.cache.clone()?], self.hash, None)
    }

    /// Returns the path of an entry.
    pub fn path(&self, at: usize) -> &BStr {
        let (start, length) = self.place_of_path(self.starts[at] as usize);
        self.bytes[start..start + length].as_bstr()
    }

    /// Returns an entry.
    pub fn entry(&self, at: usize) -> Entry<'_> {
        let start = self.starts[at] as usize;
        let number = |at: usize| be_u32(&self.bytes, start + at);
        let time = |at| Time { secs: number(at), nsecs: number(at + 4) };
        Entry {
            path: self.path(at),
            stat: Stat {
                ctime: time(0),
                mtime: time(8),
                dev: number(16),
                ino: number(20),
                uid: number(28),
                gid: number(32),
                size: number(36),
            },
            mode: Mode::from_bits_truncate(number(24)),
            id: gix::oid::from_bytes_unchecked(
                &self.bytes[start + ID..start + ID + self.hash.len_in_bytes()],
            ),
            flags: self.flags(start),
        }
    }

    /// Returns the stage of an entry; 0 unless its path is unmerged.
    pub fn stage(&self, at: usize) -> u32 {
        self.flags(self.starts[at] as usize).bits() >> 12 & 3
    }

    fn flags(&self, start: usize) -> Flags {
        let at = start + ID + self.hash.len_in_bytes();
        let flags = be_u16(&self.bytes, at);
        let more = if flags & EXTENDED == 0 { 0 } else { be_u16(&self.bytes, at + 2) };
        Flags::from_bits_retain(u32::from(more) << 16 | u32::from(flags & !LENGTH))
    }

    /// Returns the position and the length of the path of the entry that begins at `start`.
    fn place_of_path(&self, start: usize) -> (usize, usize) {
        let at = start + ID + self.hash.len_in_bytes();
        let flags = be_u16(&self.bytes, at);
        (at + if flags & EXTENDED == 0 { 2 } else { 4 }, usize::from(flags & LENGTH))
    }

    /// Finds where the entries begin, and returns the end of the last one.
    fn find_entries(&mut self) -> Option<usize> {
        let end = self.bytes.len().checked_sub(self.hash.len_in_bytes())?;
        let shortest = ID + self.hash.len_in_bytes() + 4;
        if end < HEADER || !self.bytes.starts_with(b"DIRC") || !matches!(be_u32(&self.bytes, 4), 2 | 3) {
            return None;
        }
        let count = be_u32(&self.bytes, 8) as usize;
        if count > (end - HEADER) / shortest {
            return None;
        }
        self.starts.reserve_exact(count);
        let mut start = HEADER;
        let mut before = (&b""[..], 0);
        for _ in 0..count {
            // The shortest entry has two bytes after its flags: either more flags, or a path and its terminator.
            if start + shortest > end {
                return None;
            }
            let (path, length) = self.place_of_path(start);
            let is_usual = length != 0 && length != usize::from(LENGTH);
            let is_sparse = be_u32(&self.bytes, start + 24) == Mode::DIR.bits();
            // At least one NUL follows, and as many as pad the entry to a multiple of eight bytes.
            let after = start + (path + length - start + 8) / 8 * 8;
            if !is_usual || is_sparse || after > end || self.bytes[path + length] != 0 {
                return None;
            }
            let flags = self.flags(start);
            // Lookups by path rely on this order.
            let here = (&self.bytes[path..path + length], flags.bits() & Flags::STAGE_MASK.bits());
            if before >= here {
                return None;
            }
            before = here;
            self.is_unmerged |= flags.intersects(Flags::STAGE_MASK);
            self.leaves_out |= flags.contains(Flags::SKIP_WORKTREE);
            self.starts.push(u32::try_from(start).ok()?);
            start = after;
        }
        self.end = start;
        Some(start)
    }

    /// Searches the extensions, which begin at `at`, for the cache tree, and for an extension without which the
    /// entries are not the whole index.
    fn find_root_tree(&mut self, mut at: usize) -> Option<()> {
        let end = self.bytes.len() - self.hash.len_in_bytes();
        while at < end {
            let body = at.checked_add(8).filter(|body| *body <= end)?;
            let after =
                body.checked_add(be_u32(&self.bytes, at + 4) as usize).filter(|after| *after <= end)?;
            let signature = &self.bytes[at..at + 4];
            if signature == b"TREE" {
                self.root_tree = root_of_cache(&self.bytes[body..after], self.hash)?;
                self.cache = Some(body..after);
            } else if !signature[0].is_ascii_uppercase() {
                // It must not be ignored: a split index, a sparse one, or something unknown.
                return None;
            }
            at = after;
        }
        Some(())
    }
}

/// Returns the id of the root in a cache tree; `Some(None)` if it is invalidated, `None` if the cache tree is
/// damaged.
fn root_of_cache(cache: &[u8], hash: Kind) -> Option<Option<ObjectId>> {
    let rest = cache.strip_prefix(b"\0")?;
    let (entries, rest) = rest.split_once_str(" ")?;
    let (_, rest) = rest.split_once_str("\n")?;
    if entries.starts_with(b"-") {
        return Some(None);
    }
    let id = rest.get(..hash.len_in_bytes())?;
    Some(ObjectId::try_from(id).ok())
}

fn be_u32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn be_u16(bytes: &[u8], at: usize) -> u16 {
    bytes[at..].first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes))
}
