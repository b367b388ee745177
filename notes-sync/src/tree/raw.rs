//! Merges the trees of a notes tree as raw bytes, without parsing them into entries.
//!
//! In a large notes tree nearly every tree contains nothing but notes or nothing but fan-out subtrees, named as git
//! names them. All its entries then have the same length and are sorted by name, so three versions can be compared
//! side by side and most of the result copied. Any other tree has no [`Form`], and is left to [`super::NotesTree`].

use gix::{ObjectId, hash::oid};

/// The entry format that all entries of a tree share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    mode: &'static [u8],
    name: usize,
    id: usize,
}

/// The bytes of the entry that one side has under a name, if any.
pub(crate) type Cell<'a> = Option<&'a [u8]>;

/// Consecutive entries of the three sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Entries that are the same on all sides: their bytes.
    Same(&'a [u8]),
    /// The entries of one name, which are not all the same.
    Row(Sides<Cell<'a>>),
}

/// The three sides of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sides<T> {
    pub(crate) base: T,
    pub(crate) local: T,
    pub(crate) remote: T,
}

impl Form {
    /// Returns the form of trees that contain nothing but notes, `depth` fan-out levels below the root.
    pub(crate) fn of_notes(depth: usize, kind: gix::hash::Kind) -> Self {
        let id = kind.len_in_bytes();
        Self { mode: b"100644 ", name: 2 * (id - depth), id }
    }

    /// Returns the form of trees that contain nothing but fan-out subtrees.
    pub(crate) fn of_folders(kind: gix::hash::Kind) -> Self {
        Self { mode: b"40000 ", name: 2, id: kind.len_in_bytes() }
    }

    /// Whether a tree has this form; an empty tree has any.
    pub(crate) fn fits(self, folder: &[u8]) -> bool {
        let entries = folder.chunks_exact(self.entry());
        if !entries.remainder().is_empty() {
            return false;
        }
        let has_mode = self.has_mode();
        let mut last: Option<(u64, &[u8])> = None;
        entries.into_iter().all(|entry| {
            let begin = self.begin(entry);
            let rising = last.is_none_or(|(before, last)| {
                before < begin || before == begin && self.name(last) < self.name(entry)
            });
            last = Some((begin, entry));
            rising
                && has_mode(entry)
                && are_digits(self.name(entry))
                && entry[self.mode.len() + self.name] == 0
        })
    }

    /// Returns a check whether an entry begins with the mode; it compares a single number instead of bytes in a loop.
    fn has_mode(self) -> impl Fn(&[u8]) -> bool {
        let unused = 64 - 8 * self.mode.len();
        let mut mode = [0; 8];
        mode[..self.mode.len()].copy_from_slice(self.mode);
        let mode = u64::from_be_bytes(mode) >> unused;
        move |entry| entry.first_chunk().is_some_and(|begin| u64::from_be_bytes(*begin) >> unused == mode)
    }

    /// Returns the beginning of an entry's name as a number. It nearly always decides the order of two names, and
    /// comparing it takes no loop.
    fn begin(self, entry: &[u8]) -> u64 {
        let begin = entry[self.mode.len()..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        begin >> (64 - 8 * self.name.min(8))
    }

    /// Returns the length of an entry in bytes.
    pub(crate) fn entry(self) -> usize {
        self.mode.len() + self.name + 1 + self.id
    }

    /// Returns the entry's name, which is hex digits.
    pub(crate) fn name(self, entry: &[u8]) -> &[u8] {
        &entry[self.mode.len()..][..self.name]
    }

    /// Returns the object id of the entry.
    pub(crate) fn id(self, entry: &[u8]) -> ObjectId {
        oid::from_bytes_unchecked(&entry[self.entry() - self.id..]).to_owned()
    }

    /// Appends an entry to a tree.
    pub(crate) fn push(self, name: &[u8], id: &oid, folder: &mut Vec<u8>) {
        folder.extend_from_slice(self.mode);
        folder.extend_from_slice(name);
        folder.push(0);
        folder.extend_from_slice(id.as_bytes());
    }

    /// Iterates over the three sides in the order of the names. All must have this form.
    pub(crate) fn side_by_side(self, sides: Sides<&[u8]>) -> impl Iterator<Item = Part<'_>> {
        let mut rest = [sides.base, sides.local, sides.remote];
        std::iter::from_fn(move || {
            let [base, local, remote] = rest;
            let alike = shared(base, local).min(shared(local, remote));
            let same = &local[..alike - alike % self.entry()];
            if !same.is_empty() {
                rest = rest.map(|side| &side[same.len()..]);
                return Some(Part::Same(same));
            }
            let heads = rest.map(|side| side.get(..self.entry()).map(|entry| (self.begin(entry), entry)));
            let order = |one: (u64, &[u8]), other: (u64, &[u8])| {
                one.0.cmp(&other.0).then_with(|| self.name(one.1).cmp(self.name(other.1)))
            };
            let first = heads.into_iter().flatten().min_by(|one, other| order(*one, *other))?;
            let mut row = [None; 3];
            for (at, head) in heads.into_iter().enumerate() {
                if let Some((_, entry)) = head.filter(|head| order(*head, first).is_eq()) {
                    row[at] = Some(entry);
                    rest[at] = &rest[at][self.entry()..];
                }
            }
            let [base, local, remote] = row;
            Some(Part::Row(Sides { base, local, remote }))
        })
    }

    /// Returns the names of some entries.
    pub(crate) fn names(self, entries: &[u8]) -> impl Iterator<Item = &[u8]> {
        entries.chunks_exact(self.entry()).map(move |entry| self.name(entry))
    }
}

/// Whether all bytes of a name are lower-case hex digits.
fn are_digits(name: &[u8]) -> bool {
    // 16 bytes at a time, which the processor checks in one step.
    let all = |bytes: &[u8; 16]| bytes.iter().fold(true, |fine, byte| fine & is_digit(*byte));
    match name.last_chunk() {
        Some(end) => all(end) && name.as_chunks().0.iter().all(all),
        None => name.iter().all(|byte| is_digit(*byte)),
    }
}

fn is_digit(byte: u8) -> bool {
    (byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6)
}

/// Returns the length of the common prefix. That is nearly always nearly everything, so it pays to compare 8 bytes at
/// a time.
fn shared(one: &[u8], other: &[u8]) -> usize {
    let (words, others) = (one.as_chunks::<8>().0, other.as_chunks::<8>().0);
    let pairs = words.iter().zip(others).map(|(one, other)| {
        let [one, other] = [one, other].map(|word| u64::from_le_bytes(*word));
        one ^ other
    });
    let all = 8 * words.len().min(others.len());
    match pairs.enumerate().find(|(_, differs)| *differs != 0) {
        Some((at, differs)) => 8 * at + differs.trailing_zeros() as usize / 8,
        None => all + one[all..].iter().zip(&other[all..]).take_while(|(one, other)| one == other).count(),
    }
}

/// The occupancy of a node, which decides whether git adds a fan-out level below it: it does if each of the 16 next
/// hex digits leads to more than one note.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crowd {
    items: [u32; 16],
    folders: [bool; 16],
}

impl Crowd {
    /// Counts a single note.
    pub(crate) fn note(&mut self, name: &[u8]) {
        self.items[first_digit(name)] += 1;
    }

    /// Counts a subtree that has more than one note or was not unpacked.
    pub(crate) fn folder(&mut self, name: &[u8]) {
        self.folders[first_digit(name)] = true;
    }

    /// Returns how many single notes were counted.
    pub(crate) fn notes(&self) -> u32 {
        self.items.iter().sum()
    }

    /// Whether git adds a fan-out level.
    pub(crate) fn opens(&self) -> bool {
        self.items.iter().zip(self.folders).all(|(items, folder)| folder || *items > 1)
    }
}

fn first_digit(name: &[u8]) -> usize {
    match name.first() {
        Some(digit @ b'0'..=b'9') => usize::from(digit - b'0'),
        Some(digit @ b'a'..=b'f') => usize::from(digit - b'a' + 10),
        _ => 0,
    }
}
