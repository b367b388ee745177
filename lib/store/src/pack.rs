//! Packs: which objects go into one, in which order and as which deltas, and their encoding.
//!
//! gix can only copy deltas that already exist in a pack, and newly committed objects have none. Without this module
//! a push of one line appended to a log of a megabyte would send the whole megabyte each time.

mod apply;
mod big;
pub mod cached_object;
mod compress;
pub(crate) mod deflate;
mod deflate_tree;
pub(crate) mod delta;
pub(crate) mod delta_bases;
mod encode;
pub mod encoded_entries;
pub(crate) mod from_memory;
pub mod incoming;
mod index;
pub(crate) mod index_pack;
pub(crate) mod keep_file;
mod parallel;
mod parsed_pack;
pub(crate) mod prepared;
pub mod resolve;
pub(crate) mod single_change;
mod tmp_pack;
pub(crate) mod tree_delta;
mod tree_entries;
pub(crate) mod trees;
pub mod walk;
mod walk_queue;
pub mod write;
pub mod write_local;

use gix::{ObjectId, object::Kind};

/// The maximum size in bytes of a pack that is held in memory. A larger one is streamed.
pub const LARGEST_AT_ONCE: usize = 4 * 1024 * 1024;
/// The maximum number of objects in such a pack: a small pack can hold tens of thousands of tiny objects, whose
/// bookkeeping takes more memory than their content, and which this way of processing does not make faster.
pub const MOST_AT_ONCE: usize = 10_000;

/// The receiver of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// A server, which indexes the pack itself: the pack may be thin, and the server verifies the ids of the objects.
    /// It is compressed as `pack.compression` says.
    Server,
    /// An object database on this machine, into which the pack is written as it is: it is self-contained, its objects
    /// were hashed when they were read, and it is written for speed rather than for size.
    ObjectDatabase,
}

/// One object that goes into a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: ObjectId,
    /// Its type.
    pub kind: Kind,
    /// The hash of the name under which the walk found it; similar names sort together.
    pub(crate) name: NameHash,
    /// Its previous version at the same path: an object that the receiver has, or that comes earlier in the list.
    pub before: Option<ObjectId>,
    /// Its size in bytes, if the walk found it out.
    pub size: Option<u64>,
    /// What the walk found out about its content.
    pub(crate) known: Option<Known>,
}

/// What is already known of an object's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// The whole content; it is small.
    Whole(Vec<u8>),
    /// The content as a delta against the previous version.
    Delta(Vec<u8>),
}

/// Git's name hash (`pack_name_hash`): the last characters count most, so that files of one type sort together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NameHash(u32);

impl NameHash {
    pub fn of(name: &[u8]) -> Self {
        let visible = name.iter().filter(|byte| !byte.is_ascii_whitespace());
        Self(visible.fold(0, |hash: u32, byte| (hash >> 2).wrapping_add(u32::from(*byte) << 24)))
    }
}
