//! Reads the trees of a notes tree, and tells notes from fan-out subtrees and other entries.
//!
//! Git names a note after the object that it annotates, and with many notes splits the name into directories of two
//! hex digits each ("fan-out"). Whether an entry is a note depends on the trees above it. If several places decided
//! that, one would sooner or later take another file for a note, or a note for another file.
//!
//! The rules are those of git's `notes.c`, `load_subtree()`.

use anyhow::{Context, Result, ensure};
use gix::{
    ObjectId,
    bstr::BString,
    objs::{Find, Kind, TreeRefIter, tree::EntryMode},
};

/// The id of the object that a note is about, never of the note's blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Annotated(pub ObjectId);

impl Annotated {
    /// Returns the byte of the id that selects the subtree for this note in a tree at `depth` fan-out levels below
    /// the root.
    pub fn byte(self, depth: usize) -> u8 {
        self.0.as_bytes().get(depth).copied().unwrap_or(0)
    }

    /// Returns the hex digit of the id at `index` as a number.
    pub fn nibble(self, index: usize) -> usize {
        let byte = self.byte(index / 2);
        usize::from(if index.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
    }
}

/// The length of the longest ids, in bytes.
const MAX: usize = 32;

/// The position of a fan-out subtree: the leading bytes that all ids in it have in common; empty for the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Prefix {
    bytes: [u8; MAX],
    len: usize,
}

impl Prefix {
    /// Returns the subtree for the first `len` bytes of an id.
    pub fn of(object: Annotated, len: usize) -> Self {
        Self::from_bytes(object.0.as_bytes().get(..len).unwrap_or(object.0.as_bytes()))
    }

    fn from_bytes(given: &[u8]) -> Self {
        let mut prefix = Self::default();
        for (to, from) in prefix.bytes.iter_mut().zip(given) {
            *to = *from;
            prefix.len += 1;
        }
        prefix
    }

    /// Returns the subtree of this one for ids that continue with `byte`.
    pub fn join(&self, byte: u8) -> Self {
        let mut joined = *self;
        if let Some(next) = joined.bytes.get_mut(self.len) {
            *next = byte;
            joined.len += 1;
        }
        joined
    }

    /// Returns the bytes, from the root down.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns the number of fan-out levels above this subtree's entries.
    pub fn depth(&self) -> usize {
        self.len
    }

    /// Whether the note about `object` belongs into this subtree.
    pub fn holds(&self, object: Annotated) -> bool {
        object.0.as_bytes().starts_with(self.bytes())
    }

    /// Whether this is `above` itself or below it.
    pub fn is_within(&self, above: &Self) -> bool {
        self.bytes().starts_with(above.bytes())
    }

    /// Returns the parent, and the name of this subtree in it; `None` for the root.
    pub fn split(&self) -> Option<(Self, BString)> {
        let (last, above) = self.bytes().split_last()?;
        Some((Self::from_bytes(above), folder_name(*last)))
    }

    /// Returns the lowest id that belongs here, which sorts the subtree among notes.
    pub fn lowest(&self, kind: gix::hash::Kind) -> Annotated {
        let mut id = ObjectId::null(kind);
        for (to, from) in id.as_mut_slice().iter_mut().zip(self.bytes()) {
            *to = *from;
        }
        Annotated(id)
    }

    /// Returns the path of an entry of this subtree, from the root of the notes tree.
    pub fn path_of(&self, name: &[u8]) -> BString {
        let mut path: Vec<u8> = Vec::with_capacity(3 * self.len + name.len());
        for byte in self.bytes() {
            path.extend_from_slice(&folder_name(*byte));
            path.push(b'/');
        }
        path.extend_from_slice(name);
        path.into()
    }
}

/// Returns the name of the fan-out subtree for one byte of an id.
pub fn folder_name(byte: u8) -> BString {
    format!("{byte:02x}").into()
}

/// Returns the name of the note about `object` in a tree that is `depth` fan-out levels deep.
pub fn note_name(object: Annotated, depth: usize) -> BString {
    let hex = object.0.to_hex().to_string();
    hex.get(2 * depth..).unwrap_or_default().into()
}

/// An entry that is not a note: git keeps those where they are, and every writer must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonNote {
    /// Its name in its tree.
    pub name: BString,
    /// Its mode.
    pub mode: EntryMode,
    /// The id of its object.
    pub id: ObjectId,
}

impl NonNote {
    /// Whether this has the name of a fan-out subtree without being a tree.
    pub fn blocks_fanout(&self) -> bool {
        !self.mode.is_tree() && byte_from_hex(&self.name).is_some()
    }
}

/// One tree entry of a notes tree.
#[derive(Debug, Clone)]
pub enum Slot {
    /// A note.
    Note {
        /// The annotated object.
        object: Annotated,
        /// The note's blob.
        blob: ObjectId,
    },
    /// A fan-out subtree, for ids that continue with the same byte.
    Folder {
        /// That byte.
        byte: u8,
        /// The subtree's id.
        tree: ObjectId,
    },
    /// Any other entry.
    NonNote(NonNote),
}

/// Reads the entries of the tree at `prefix`, in their order.
///
/// # Errors
/// If `tree` is missing, damaged, or not a tree, or if `take` fails.
pub fn read(
    objects: &dyn Find,
    tree: ObjectId,
    prefix: &Prefix,
    take: impl FnMut(Slot) -> Result<()>,
) -> Result<()> {
    let mut buffer = Vec::new();
    bytes(objects, tree, &mut buffer)?;
    slots(&buffer, tree, prefix, take)
}

/// Reads a tree's bytes.
///
/// # Errors
/// If it is missing or not a tree.
pub(crate) fn bytes(objects: &dyn Find, tree: ObjectId, into: &mut Vec<u8>) -> Result<()> {
    into.clear();
    if tree.is_empty_tree() {
        return Ok(());
    }
    let unreadable = || format!("cannot read the notes tree {tree}");
    let found = objects.try_find(&tree, into).with_context(unreadable)?;
    let found = found.with_context(|| format!("the notes tree {tree} is missing"))?;
    ensure!(found.kind == Kind::Tree, "{tree} should be a tree of notes and is a {}", found.kind);
    Ok(())
}

/// Parses entries of a tree.
///
/// # Errors
/// If they are damaged, or if `take` fails.
pub(crate) fn slots(
    entries: &[u8],
    tree: ObjectId,
    prefix: &Prefix,
    mut take: impl FnMut(Slot) -> Result<()>,
) -> Result<()> {
    for entry in TreeRefIter::from_bytes(entries, tree.kind()) {
        let entry = entry.with_context(|| format!("the notes tree {tree} is damaged"))?;
        take(slot(entry.filename, entry.mode, entry.oid.to_owned(), prefix))?;
    }
    Ok(())
}

fn slot(name: &gix::bstr::BStr, mode: EntryMode, id: ObjectId, prefix: &Prefix) -> Slot {
    let bytes_left = id.kind().len_in_bytes() - prefix.depth();
    if mode.is_blob()
        && name.len() == 2 * bytes_left
        && let Some(object) = object_from_hex(name, prefix, id.kind())
    {
        return Slot::Note { object, blob: id };
    }
    if mode.is_tree()
        && bytes_left > 1
        && let Some(byte) = byte_from_hex(name)
    {
        return Slot::Folder { byte, tree: id };
    }
    Slot::NonNote(NonNote { name: name.to_owned(), mode, id })
}

/// Returns the object of a note from the note's name in the tree at `prefix`.
pub(crate) fn object_from_hex(name: &[u8], prefix: &Prefix, kind: gix::hash::Kind) -> Option<Annotated> {
    let mut id = prefix.lowest(kind).0;
    let rest = id.as_mut_slice().get_mut(prefix.depth()..)?;
    for (to, digits) in rest.iter_mut().zip(name.chunks(2)) {
        *to = byte_from_hex(digits)?;
    }
    Some(Annotated(id))
}

/// Parses two hex digits, in either case: git reads both and writes lower case.
pub(crate) fn byte_from_hex(digits: &[u8]) -> Option<u8> {
    match digits {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    }
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
