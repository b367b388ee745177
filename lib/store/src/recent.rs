//! Keeps objects in memory that were just received or created, for the next step that needs them.
//!
//! Received objects are inflated once to index them, and would be inflated again for the connectivity check, for the
//! comparison with local commits, and for the checkout into the working tree. Objects created by a merge would be
//! read again in order to be pushed.

use std::{fmt, sync::Arc};

use gix::{
    ObjectId,
    hashtable::HashSet,
    object::Kind,
    objs::{CommitRefIter, TreeRefIter},
    odb::{memory::Storage, pack::cache::Object as Cache},
};

use crate::pack::{cached_object::CachedObject, resolve::Object};

/// Objects that were just received, with their delta bases, or that were just created. Cheap to clone.
#[derive(Clone, Default)]
pub struct RecentObjects(Vec<Arc<Part>>);

/// A set of objects that includes the delta bases of all of them. They are looked up as in a [pack
/// index](https://git-scm.com/docs/gitformat-pack#_version_2_pack_idx_files_support_packs_larger_than_4_gib_and):
/// there may be thousands, and a hash table would take twice the memory.
struct Part {
    /// Sorted by id.
    objects: Vec<CachedObject>,
    /// The fan-out table: the number of ids whose first byte is at most this one.
    fan: [usize; 256],
}

impl RecentObjects {
    /// Makes a set of `objects`.
    pub fn of(objects: impl IntoIterator<Item = impl Into<CachedObject>>) -> Self {
        let mut objects: Vec<CachedObject> = objects.into_iter().map(Into::into).collect();
        // Of two with the same id the one with the shorter delta chain, so that no delta is based on itself.
        objects.sort_unstable_by_key(|object| (object.id, object.steps()));
        objects.dedup_by_key(|object| object.id);
        if objects.is_empty() {
            return Self::default();
        }
        let up_to = |byte| objects.partition_point(|object| usize::from(object.id.first_byte()) <= byte);
        Self(vec![Arc::new(Part { fan: std::array::from_fn(up_to), objects })])
    }

    /// Joins several sets.
    #[must_use]
    pub fn joined(all: &[Self]) -> Self {
        Self(all.iter().flat_map(|one| one.0.iter().cloned()).collect())
    }

    /// Returns the trees of `commits` and their subtrees, as far as all these are in memory; older versions are left
    /// out.
    #[must_use]
    pub fn trees_of<'a>(&self, commits: impl IntoIterator<Item = &'a ObjectId>) -> Self {
        let of = |id: &ObjectId, kind| self.get(id).filter(|object| object.kind == kind);
        let root = |id| {
            let commit = of(id, Kind::Commit)?;
            CommitRefIter::from_bytes(&commit.data, id.kind()).tree_id().ok()
        };
        let mut open: Vec<ObjectId> = commits.into_iter().filter_map(root).collect();
        let (mut seen, mut trees) = (HashSet::default(), Vec::new());
        while let Some(id) = open.pop() {
            if seen.insert(id)
                && let Some(tree) = of(&id, Kind::Tree)
            {
                let entries = TreeRefIter::from_bytes(&tree.data, id.kind()).filter_map(Result::ok);
                open.extend(entries.filter(|entry| entry.mode.is_tree()).map(|entry| entry.oid.to_owned()));
                trees.push(tree);
            }
        }
        Self::of(trees)
    }

    /// Whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns one of the objects.
    pub fn get(&self, id: &ObjectId) -> Option<Object> {
        self.0.iter().find_map(|part| part.whole(part.find(id)?))
    }

    /// Reads an object into `into`. `None` if it is not one of these.
    pub fn read(&self, id: &ObjectId, into: &mut Vec<u8>) -> Option<Kind> {
        let Object { kind, data, .. } = self.get(id)?;
        into.clear();
        into.extend_from_slice(&data);
        Some(kind)
    }

    /// Whether an object is one of these.
    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        self.0.iter().any(|part| part.find(id).is_some())
    }

    /// Returns all objects; one that is in several parts is returned several times.
    pub fn objects(&self) -> impl Iterator<Item = &CachedObject> {
        self.0.iter().flat_map(|part| &part.objects)
    }

    /// Returns the commits.
    pub(crate) fn commits(&self) -> impl Iterator<Item = Object> {
        self.0.iter().flat_map(|part| {
            let commits = part.objects.iter().filter(|object| object.kind == Kind::Commit);
            commits.filter_map(move |commit| part.whole(commit))
        })
    }

    /// Returns a view of `repo` that takes these objects from memory, and caches no others. It ignores replace refs,
    /// since even in a repository that has some, the objects just received are in memory only.
    pub(crate) fn real_view(&self, repo: &gix::Repository) -> gix::Repository {
        let mut view = repo.clone();
        view.objects.ignore_replacements = true;
        view.objects.unset_object_cache();
        if !self.0.is_empty() {
            let recent = self.clone();
            view.objects.set_object_cache(move || Box::new(AtHand(recent.clone())));
        }
        view
    }
}

impl From<Storage> for RecentObjects {
    fn from(mut made: Storage) -> Self {
        Self::of(made.drain().map(|(id, (kind, data))| Object { id, kind, data: data.into() }))
    }
}

impl fmt::Debug for RecentObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("objects", &self.objects().count()).finish()
    }
}

impl Part {
    fn find(&self, id: &ObjectId) -> Option<&CachedObject> {
        let first = usize::from(id.first_byte());
        let begin = first.checked_sub(1).map_or(0, |before| self.fan[before]);
        let some = &self.objects[begin..self.fan[first]];
        some.binary_search_by(|object| object.id.cmp(id)).ok().map(|at| &some[at])
    }

    fn whole(&self, kept: &CachedObject) -> Option<Object> {
        let data = kept.data(|base| self.find(base))?;
        Some(Object { id: kept.id, kind: kept.kind, data })
    }
}

struct AtHand(RecentObjects);

impl Cache for AtHand {
    fn put(&mut self, _: ObjectId, _: Kind, _: &[u8]) {}

    fn get(&mut self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        self.0.read(id, out)
    }
}
