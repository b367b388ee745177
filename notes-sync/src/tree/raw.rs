//! Folders of a notes tree as the bytes that git stores, merged without being taken apart.
//!
//! In a large notes tree nearly every folder holds notes alone or fan-out folders alone, spelled as git spells them. All
//! entries of such a folder are of one length and in the order of their names, so that three versions of it can be laid
//! side by side and most of the result be copied. Whatever is not of that kind has no [`Form`], and is left to
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
        let mut last: &[u8] = b"";
        entries.into_iter().all(|entry| {
            let name = self.name(entry);
            let fine = entry.starts_with(self.mode)
                && name > last
                && name.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
                && entry[self.mode.len() + self.name] == 0;
            last = name;
            fine
        })
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

    /// The three sides entry by entry, in the order of the names. All must be of this form.
    pub(crate) fn side_by_side(self, sides: Sides<&[u8]>) -> impl Iterator<Item = Sides<Cell<'_>>> {
        let mut rest = [sides.base, sides.local, sides.remote];
        std::iter::from_fn(move || {
            let heads = rest.map(|side| side.get(..self.entry()));
            // Nearly always they are the same.
            if let [Some(base), Some(local), Some(remote)] = heads
                && base == local
                && base == remote
            {
                rest = rest.map(|side| &side[self.entry()..]);
                return Some(Sides { base: Some(base), local: Some(local), remote: Some(remote) });
            }
            let first = heads.iter().flatten().map(|entry| self.name(entry)).min()?;
            let mut row = [None; 3];
            for (at, head) in heads.into_iter().enumerate() {
                if let Some(entry) = head.filter(|entry| self.name(entry) == first) {
                    row[at] = Some(entry);
                    rest[at] = &rest[at][self.entry()..];
                }
            }
            let [base, local, remote] = row;
            Some(Sides { base, local, remote })
        })
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
