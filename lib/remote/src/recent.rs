//! Objects that have just come in or were just made, kept in memory for whoever looks at them next.
//!
//! What a fetch brings is unpacked once to find out what it is, and would be unpacked again to see whether it is
//! complete, to compare it with what is there, and to write it into the work tree. What a merge has made is stored, and
//! would be read again to be pushed.

use std::{fmt, sync::Arc};

use gix::{
    ObjectId,
    hashtable::HashMap,
    object::Kind,
    odb::{memory::Storage, pack::cache::Object as Cache},
};

use crate::{
    history::replaces,
    pack::{kept::Kept, resolve::Object},
};

/// Objects that have just come in, and those that they were a difference of; or that were just made. Cheap to clone.
#[derive(Clone, Default)]
pub struct Recent(Arc<HashMap<ObjectId, Kept>>);

impl Recent {
    pub(crate) fn of(objects: impl IntoIterator<Item = impl Into<Kept>>) -> Self {
        let objects = objects.into_iter().map(Into::into);
        Self(Arc::new(objects.map(|object: Kept| (object.id, object)).collect()))
    }

    /// All of several.
    #[must_use]
    pub fn joined(all: &[Self]) -> Self {
        match all {
            [only] => only.clone(),
            all => Self::of(all.iter().flat_map(|one| one.0.values().cloned())),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of them.
    pub(crate) fn get(&self, id: &ObjectId) -> Option<Object> {
        let kept = self.0.get(id)?;
        let data = kept.data(|base| self.0.get(base))?;
        Some(Object { id: kept.id, kind: kept.kind, data })
    }

    /// Reads one of them into `into`. `None`: it is not among them.
    pub fn read(&self, id: &ObjectId, into: &mut Vec<u8>) -> Option<Kind> {
        let Object { kind, data, .. } = self.get(id)?;
        into.clear();
        into.extend_from_slice(&data);
        Some(kind)
    }

    /// Whether an object is among them.
    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        self.0.contains_key(id)
    }

    /// All of them.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Kept> {
        self.0.values()
    }

    /// The commits among them.
    pub(crate) fn commits(&self) -> impl Iterator<Item = Object> {
        let commits = self.0.values().filter(|object| object.kind == Kind::Commit);
        commits.filter_map(|commit| self.get(&commit.id))
    }

    /// A view of `repo` that takes these objects from memory, and remembers no others.
    #[must_use]
    pub fn view(&self, repo: &gix::Repository) -> gix::Repository {
        // Where objects are replaced by others, gix knows by which.
        if replaces(repo) { Self::default() } else { self.clone() }.at_hand(repo)
    }

    /// The same, which shows what there really is, whatever `refs/replace/` shows instead. In such a repository too, what
    /// has just come in is nowhere but in memory.
    pub(crate) fn real_view(&self, repo: &gix::Repository) -> gix::Repository {
        let mut view = self.clone().at_hand(repo);
        view.objects.ignore_replacements = true;
        view
    }

    fn at_hand(self, repo: &gix::Repository) -> gix::Repository {
        let mut view = repo.clone();
        view.objects.unset_object_cache();
        if !self.0.is_empty() {
            view.objects.set_object_cache(move || Box::new(AtHand(self.clone())));
        }
        view
    }
}

impl From<Storage> for Recent {
    fn from(mut made: Storage) -> Self {
        Self::of(made.drain().map(|(id, (kind, data))| Object { id, kind, data: data.into() }))
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("objects", &self.0.len()).finish()
    }
}

struct AtHand(Recent);

impl Cache for AtHand {
    fn put(&mut self, _: ObjectId, _: Kind, _: &[u8]) {}

    fn get(&mut self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        self.0.read(id, out)
    }
}
