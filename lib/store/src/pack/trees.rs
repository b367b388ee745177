//! A cache of raw trees for the walks, with the small files that were read on the way.
//!
//! A walk through a history compares each commit's tree with that of its parent, so each tree is needed at least
//! twice.

use std::{io, sync::Arc};

use gix::{ObjectId, hashtable::HashMap, object::Kind};

use crate::{
    objects::{Reader, Storage},
    recent::RecentObjects,
};

/// Reads and caches trees.
pub(crate) struct Trees {
    reader: Reader,
    /// Objects of a pack that has just been received; these need not be read from the object database.
    recent: RecentObjects,
    buffer: Vec<u8>,
    /// The trees that were read or requested since the last time that this generation became `old`.
    young: HashMap<ObjectId, Arc<[u8]>>,
    old: HashMap<ObjectId, Arc<[u8]>>,
    /// The size of the young trees in bytes.
    bytes: usize,
    /// The small files that were read.
    files: Vec<(ObjectId, Vec<u8>)>,
}

/// Larger files are not kept.
const LARGEST_FILE: usize = 1024;

/// The maximum size of the young trees in bytes; the old ones take as much again.
const ROOM: usize = 256 * 1024;

impl Trees {
    pub fn new(reader: Reader, recent: RecentObjects) -> Self {
        let (young, old) = (HashMap::default(), HashMap::default());
        Self { reader, recent, buffer: Vec::new(), young, old, bytes: 0, files: Vec::new() }
    }

    /// Returns a tree; `like`, if given, is another version of it, which speeds up reading.
    pub fn get(&mut self, id: ObjectId, like: Option<&[u8]>) -> gix::Result<Arc<[u8]>> {
        self.get_by(id, |reader, into| match like {
            Some(like) => reader.read_like(id, like, into),
            None => reader.read(id, into),
        })
    }

    /// Returns a tree, which is looked for in `home` first.
    pub fn get_from(&mut self, home: Storage, id: ObjectId) -> gix::Result<Arc<[u8]>> {
        self.get_by(id, |reader, into| reader.read_from(home, id, into))
    }

    fn get_by(
        &mut self,
        id: ObjectId,
        read: impl FnOnce(&mut Reader, &mut Vec<u8>) -> gix::Result<Kind>,
    ) -> gix::Result<Arc<[u8]>> {
        if let Some(tree) = self.young.get(&id) {
            return Ok(Arc::clone(tree));
        }
        if let Some(object) = self.recent.get(&id)
            && object.kind == Kind::Tree
        {
            return Ok(object.data);
        }
        let tree = match self.old.remove(&id) {
            Some(tree) => tree,
            None if id.is_empty_tree() => Arc::default(),
            None => match read(&mut self.reader, &mut self.buffer)? {
                Kind::Tree => self.buffer.as_slice().into(),
                kind => return Err(not_a_tree(id, kind)),
            },
        };
        self.keep(id, &tree);
        Ok(tree)
    }

    /// Reads any object. Trees are cached; small files are kept until they are [taken](Self::take_files).
    pub fn read(&mut self, home: Storage, id: ObjectId, into: &mut Vec<u8>) -> gix::Result<Kind> {
        if let Some(tree) = self.young.get(&id).or_else(|| self.old.get(&id)) {
            into.clear();
            into.extend_from_slice(tree);
            return Ok(Kind::Tree);
        }
        let kind = self.reader.read_from(home, id, into)?;
        match kind {
            Kind::Tree => self.keep(id, &Arc::from(into.as_slice())),
            Kind::Blob if into.len() <= LARGEST_FILE => self.files.push((id, into.clone())),
            Kind::Blob | Kind::Commit | Kind::Tag => {}
        }
        Ok(kind)
    }

    /// Returns the small files that were read since the last call.
    pub fn take_files(&mut self) -> Vec<(ObjectId, Vec<u8>)> {
        std::mem::take(&mut self.files)
    }

    /// Forgets a tree, because a newer version of it was read.
    pub fn forget(&mut self, id: ObjectId) {
        if let Some(tree) = self.young.remove(&id) {
            self.bytes -= tree.len();
        }
        self.old.remove(&id);
    }

    /// Returns all cached trees.
    pub fn into_kept(self) -> impl Iterator<Item = (ObjectId, Arc<[u8]>)> {
        self.young.into_iter().chain(self.old)
    }

    /// Adds a tree to the cache.
    pub fn keep(&mut self, id: ObjectId, tree: &Arc<[u8]>) {
        if self.bytes + tree.len() > ROOM {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        if self.young.insert(id, Arc::clone(tree)).is_none() {
            self.bytes += tree.len();
        }
    }
}

pub(crate) fn not_a_tree(id: ObjectId, kind: Kind) -> gix::Error {
    gix::Error::from_error(io::Error::other(format!("object {id} should be a tree and is a {kind}")))
}
