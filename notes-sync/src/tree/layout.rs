//! How a notes tree is laid out, read one folder at a time.
//!
//! Git names a note after the object that it is about, and spreads many notes over folders of two hex digits each
//! ("fan-out"). Whether an entry is a note depends on the folders above it. Were that decided in several places, one
//! would sooner or later take a stranger's file for a note, or a note for a stranger's file.
//!
//! The rules are those of git's `notes.c`, `load_subtree()`.

use anyhow::{Context, Result, ensure};
use gix::{
    ObjectId,
    bstr::BString,
    objs::{Find, Kind, TreeRefIter, tree::EntryMode},
};

/// The object that a note is about; never the note's own blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Annotated(pub ObjectId);

impl Annotated {
    /// The byte of the id by which a folder at `depth` fan-out folders below the root sorts this note.
    pub fn byte(self, depth: usize) -> u8 {
        self.0.as_bytes().get(depth).copied().unwrap_or(0)
    }

    /// The hex digit of the id at `index`, as a number.
    pub fn nibble(self, index: usize) -> usize {
        let byte = self.byte(index / 2);
        usize::from(if index.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
    }
}

/// As many bytes as the longest id has.
const MAX: usize = 32;

/// A fan-out folder, by the leading bytes that all ids in it share; the root's are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Prefix {
    bytes: [u8; MAX],
    len: usize,
}

impl Prefix {
    /// The folder made of the first `len` bytes of an id.
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

    /// The folder of this one for ids that go on with `byte`.
    pub fn join(&self, byte: u8) -> Self {
        let mut joined = *self;
        if let Some(next) = joined.bytes.get_mut(self.len) {
            *next = byte;
            joined.len += 1;
        }
        joined
    }

    /// The bytes, from the root down.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// How many fan-out folders deep this is.
    pub fn depth(&self) -> usize {
        self.len
    }

    /// Whether the notes of `object` belong below this folder.
    pub fn holds(&self, object: Annotated) -> bool {
        object.0.as_bytes().starts_with(self.bytes())
    }

    /// Whether this is `above` itself or a folder below it.
    pub fn is_within(&self, above: &Self) -> bool {
        self.bytes().starts_with(above.bytes())
    }

    /// The folder above, and the name of this one in it; nothing for the root.
    pub fn split(&self) -> Option<(Self, BString)> {
        let (last, above) = self.bytes().split_last()?;
        Some((Self::from_bytes(above), folder_name(*last)))
    }

    /// The lowest id that belongs here, to find a place for the folder among notes.
    pub fn lowest(&self, kind: gix::hash::Kind) -> Annotated {
        let mut id = ObjectId::null(kind);
        for (to, from) in id.as_mut_slice().iter_mut().zip(self.bytes()) {
            *to = *from;
        }
        Annotated(id)
    }

    /// The path of an entry of this folder, from the root of the notes tree.
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

/// The name of the fan-out folder for one byte of an id.
pub fn folder_name(byte: u8) -> BString {
    format!("{byte:02x}").into()
}

/// The name that the note of `object` has in a folder `depth` fan-out folders deep.
pub fn note_name(object: Annotated, depth: usize) -> BString {
    let hex = object.0.to_hex().to_string();
    hex.get(2 * depth..).unwrap_or_default().into()
}

/// An entry that is no note: git keeps those where they are, and so does everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its name in its folder.
    pub name: BString,
    /// What it is.
    pub mode: EntryMode,
    /// Its content.
    pub id: ObjectId,
}

impl Other {
    /// Whether this stands where a fan-out folder would have to be.
    pub fn blocks_fanout(&self) -> bool {
        !self.mode.is_tree() && byte_from_hex(&self.name).is_some()
    }
}

/// One entry of a folder in a notes tree.
#[derive(Debug, Clone)]
pub enum Slot {
    /// A note.
    Note {
        /// What it is about.
        object: Annotated,
        /// The note itself.
        blob: ObjectId,
    },
    /// A folder of notes whose ids go on with the same byte.
    Folder {
        /// That byte.
        byte: u8,
        /// The folder's tree.
        tree: ObjectId,
    },
    /// Neither.
    Other(Other),
}

/// Reads the entries of the folder at `prefix`, in the tree's order.
///
/// # Errors
/// Where `tree` is missing, broken, or no tree, or where `take` fails.
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

/// Reads a tree as git stores it.
///
/// # Errors
/// Where it is missing or no tree.
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

/// Takes apart some entries of a tree.
///
/// # Errors
/// Where they are damaged, or where `take` fails.
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
    Slot::Other(Other { name: name.to_owned(), mode, id })
}

/// The object of a note by its name in the folder at `prefix`.
pub(crate) fn object_from_hex(name: &[u8], prefix: &Prefix, kind: gix::hash::Kind) -> Option<Annotated> {
    let mut id = prefix.lowest(kind).0;
    let rest = id.as_mut_slice().get_mut(prefix.depth()..)?;
    for (to, digits) in rest.iter_mut().zip(name.chunks(2)) {
        *to = byte_from_hex(digits)?;
    }
    Some(Annotated(id))
}

/// Two hex digits, in either case: git reads both and writes lower case.
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
