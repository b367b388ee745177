//! Folders of a notes tree as the bytes that git stores, merged without being taken apart.
//!
//! In a large notes tree nearly every folder holds notes alone or fan-out folders alone, spelled as git spells them.
//! All entries of such a folder are of one length and in the order of their names, so that three versions of it can be
//! laid side by side and most of the result be copied. Whatever is not of that kind has no [`Form`], and is left to
//! [`super::NotesTree`].

use gix::{ObjectId, hash::oid};

/// What all entries of a folder have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    mode: &'static [u8],
    name: usize,
    id: usize,
}

/// What one side has under a name, if anything; the entry's bytes.
pub(crate) type Cell<'a> = Option<&'a [u8]>;

/// What the three sides have one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Entries that are the same on all sides: their bytes.
    Same(&'a [u8]),
    /// One name's entries, not all of them the same.
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
    /// The form of folders that hold notes alone, `depth` fan-out folders below the root.
    pub(crate) fn of_notes(depth: usize, kind: gix::hash::Kind) -> Self {
        let id = kind.len_in_bytes();
        Self { mode: b"100644 ", name: 2 * (id - depth), id }
    }

    /// The form of folders that hold fan-out folders alone.
    pub(crate) fn of_folders(kind: gix::hash::Kind) -> Self {
        Self { mode: b"40000 ", name: 2, id: kind.len_in_bytes() }
    }

    /// Whether a folder is of this form; one without entries is of any.
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

    /// Whether an entry begins with the mode; compared as one number, which takes no loop.
    fn has_mode(self) -> impl Fn(&[u8]) -> bool {
        let unused = 64 - 8 * self.mode.len();
        let mut mode = [0; 8];
        mode[..self.mode.len()].copy_from_slice(self.mode);
        let mode = u64::from_be_bytes(mode) >> unused;
        move |entry| entry.first_chunk().is_some_and(|begin| u64::from_be_bytes(*begin) >> unused == mode)
    }

    /// The begin of an entry's name as a number. It decides the order of two names nearly always, and comparing it
    /// takes no loop.
    fn begin(self, entry: &[u8]) -> u64 {
        let begin = entry[self.mode.len()..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        begin >> (64 - 8 * self.name.min(8))
    }

    /// How many bytes an entry has.
    pub(crate) fn entry(self) -> usize {
        self.mode.len() + self.name + 1 + self.id
    }

    /// The entry's name: hex digits.
    pub(crate) fn name(self, entry: &[u8]) -> &[u8] {
        &entry[self.mode.len()..][..self.name]
    }

    /// The id of what the entry holds.
    pub(crate) fn id(self, entry: &[u8]) -> ObjectId {
        oid::from_bytes_unchecked(&entry[self.entry() - self.id..]).to_owned()
    }

    /// Adds an entry to a folder.
    pub(crate) fn push(self, name: &[u8], id: &oid, folder: &mut Vec<u8>) {
        folder.extend_from_slice(self.mode);
        folder.extend_from_slice(name);
        folder.push(0);
        folder.extend_from_slice(id.as_bytes());
    }

    /// The three sides in the order of the names. All must be of this form.
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

    /// The names of some entries.
    pub(crate) fn names(self, entries: &[u8]) -> impl Iterator<Item = &[u8]> {
        entries.chunks_exact(self.entry()).map(move |entry| self.name(entry))
    }
}

/// Whether all bytes of a name are hex digits.
fn are_digits(name: &[u8]) -> bool {
    // As many at a time as a processor looks at in one step.
    let all = |bytes: &[u8; 16]| bytes.iter().fold(true, |fine, byte| fine & is_digit(*byte));
    match name.last_chunk() {
        Some(end) => all(end) && name.as_chunks().0.iter().all(all),
        None => name.iter().all(|byte| is_digit(*byte)),
    }
}

fn is_digit(byte: u8) -> bool {
    (byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6)
}

/// How many bytes both begin with alike. Nearly always that is nearly all, so it pays to compare several at a time.
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

/// How crowded a node is, to decide whether git opens a level of folders below it: where each of the 16 next hex digits
/// leads to more than a single note.
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

    /// Counts a folder with more than one note, or one that nobody looked into.
    pub(crate) fn folder(&mut self, name: &[u8]) {
        self.folders[first_digit(name)] = true;
    }

    /// How many notes were counted.
    pub(crate) fn notes(&self) -> u32 {
        self.items.iter().sum()
    }

    /// Whether the level opens.
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
