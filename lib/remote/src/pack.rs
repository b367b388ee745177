//! Packs: which objects go into one, as what, and the bytes.
//!
//! gix can copy deltas that a pack already has, and no more; what was just committed has none. Pushed whole, one
//! line added to a log of a megabyte would be that megabyte each time.

mod apply;
pub(crate) mod arrive;
mod beside;
mod big;
mod compress;
mod cores;
pub(crate) mod deflate;
pub(crate) mod delta;
mod encode;
mod entries;
mod fresh;
pub(crate) mod held;
mod index;
pub(crate) mod kept;
pub(crate) mod laid;
pub(crate) mod landing;
mod loaded;
pub(crate) mod one_change;
pub(crate) mod order;
pub(crate) mod ready;
pub(crate) mod resolve;
mod rows;
mod shares;
pub(crate) mod sound;
pub(crate) mod store;
mod trees;
mod unnamed;
pub(crate) mod walk;
pub(crate) mod write;

use gix::{ObjectId, object::Kind};

/// How many bytes a pack has, at most, that is held in memory. A larger one is streamed.
pub(crate) const LARGEST_AT_ONCE: usize = 4 * 1024 * 1024;
/// How many objects it has, at most: of tiny ones a small pack can hold tens of thousands, which take more room beside
/// their content than for it, and come no sooner in this way.
pub(crate) const MOST_AT_ONCE: usize = 10_000;

/// Whom a pack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// Somebody who takes it apart: it may hang on objects that they have, and that each object is what it is called
    /// they find out themselves. It is compressed as `pack.compression` says.
    Server,
    /// A folder of this machine that it lands in as it is: it is complete, of objects that were hashed when they were
    /// read; and it is there sooner than it is small.
    Folder,
}

/// One object that goes into a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub id: ObjectId,
    pub kind: Kind,
    /// Where in the tree it was found, as a number that sorts similar names together.
    pub name: NameHash,
    /// What it was before, at the same path: an object that the receiver has, or that comes earlier in the list.
    pub before: Option<ObjectId>,
    /// Its size in bytes, where that was found out on the way.
    pub size: Option<u64>,
    /// What was found out of its content on the way.
    pub known: Option<Known>,
}

/// What is known of an object's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// All of it: it is small.
    Whole(Vec<u8>),
    /// It as a delta of what it was before.
    Delta(Vec<u8>),
}

/// Git's hash of a file's name: the last characters count most, so that files of a kind come together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NameHash(u32);

impl NameHash {
    pub fn of(name: &[u8]) -> Self {
        let visible = name.iter().filter(|byte| !byte.is_ascii_whitespace());
        Self(visible.fold(0, |hash: u32, byte| (hash >> 2).wrapping_add(u32::from(*byte) << 24)))
    }
}
