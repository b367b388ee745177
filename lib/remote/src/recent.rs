//! Objects that have just come in or were just made, kept in memory for whoever looks at them next.
//!
//! What a fetch brings is unpacked once to find out what it is, and would be unpacked again to see whether it is
//! complete, to compare it with what is there, and to write it into the work tree. What a merge has made is stored, and
//! would be read again to be pushed.

use std::{fmt, sync::Arc};

use gix::{
    ObjectId,
    hashtable::HashSet,
    object::Kind,
    objs::{CommitRefIter, TreeRefIter},
    odb::{memory::Storage, pack::cache::Object as Cache},
};

use crate::pack::{kept::Kept, resolve::Object};

/// Objects that have just come in, and those that they were a difference of; or that were just made. Cheap to clone.
#[derive(Clone, Default)]
pub struct Recent(Vec<Arc<Part>>);

/// Some of them, among which is what any of these is a difference of. They are found as in the
/// [index of a pack](https://git-scm.com/docs/gitformat-pack#_version_2_pack_idx_files_support_packs_larger_than_4_gib_and):
/// there may be thousands, and a hash table would take twice their room.
struct Part {
    /// Sorted by id.
    objects: Vec<Kept>,
    /// How many have an id whose first byte is this one, or less.
    fan: [usize; 256],
}

impl Recent {
    pub(crate) fn of(objects: impl IntoIterator<Item = impl Into<Kept>>) -> Self {
        let mut objects: Vec<Kept> = objects.into_iter().map(Into::into).collect();
        // Of two of a name the one that is nearer to being whole: so no difference is one of itself.
        objects.sort_unstable_by_key(|object| (object.id, object.steps()));
        objects.dedup_by_key(|object| object.id);
        if objects.is_empty() {
            return Self::default();
        }
        let up_to = |byte| objects.partition_point(|object| usize::from(object.id.first_byte()) <= byte);
        Self(vec![Arc::new(Part { fan: std::array::from_fn(up_to), objects })])
    }

    /// All of several.
    #[must_use]
    pub fn joined(all: &[Self]) -> Self {
        Self(all.iter().flat_map(|one| one.0.iter().cloned()).collect())
    }

    /// The trees that belong to `commits`, as far as both are among them: the versions of before are left behind.
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

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of them.
    pub(crate) fn get(&self, id: &ObjectId) -> Option<Object> {
        self.0.iter().find_map(|part| part.whole(part.find(id)?))
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
        self.0.iter().any(|part| part.find(id).is_some())
    }

    /// All of them, one that is in several parts as often.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Kept> {
        self.0.iter().flat_map(|part| &part.objects)
    }

    /// The commits among them.
    pub(crate) fn commits(&self) -> impl Iterator<Item = Object> {
        self.0.iter().flat_map(|part| {
            let commits = part.objects.iter().filter(|object| object.kind == Kind::Commit);
            commits.filter_map(move |commit| part.whole(commit))
        })
    }

    /// A view of `repo` that takes these objects from memory, and remembers no others. It shows what there really is,
    /// whatever `refs/replace/` shows instead: in such a repository too, what has just come in is nowhere but in memory.
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

impl From<Storage> for Recent {
    fn from(mut made: Storage) -> Self {
        Self::of(made.drain().map(|(id, (kind, data))| Object { id, kind, data: data.into() }))
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("objects", &self.objects().count()).finish()
    }
}

impl Part {
    fn find(&self, id: &ObjectId) -> Option<&Kept> {
        let first = usize::from(id.first_byte());
        let begin = first.checked_sub(1).map_or(0, |before| self.fan[before]);
        let some = &self.objects[begin..self.fan[first]];
        some.binary_search_by(|object| object.id.cmp(id)).ok().map(|at| &some[at])
    }

    fn whole(&self, kept: &Kept) -> Option<Object> {
        let data = kept.data(|base| self.find(base))?;
        Some(Object { id: kept.id, kind: kept.kind, data })
    }
}

struct AtHand(Recent);

impl Cache for AtHand {
    fn put(&mut self, _: ObjectId, _: Kind, _: &[u8]) {}

    fn get(&mut self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        self.0.read(id, out)
    }
}
