//! The objects of a pack, by all processors: deltas are made into what they stand for, and everything gets its id.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use gix::{ObjectId, object::Kind, zlib::Compression};

use super::{
    apply::apply,
    encode::Deflate,
    loaded::{Form, Loaded},
};
use crate::objects::Reader;

/// An object in memory.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub id: ObjectId,
    pub kind: Kind,
    pub data: Arc<[u8]>,
}

/// What a pack holds.
pub(super) struct Resolved {
    /// The object of each entry.
    pub objects: Vec<Object>,
    /// Objects that are not in the pack, of which it has deltas.
    pub bases: Vec<Base>,
}

/// An object that is not in the pack.
pub(super) struct Base {
    pub object: Object,
    /// The entries that are a delta of it, which are not in the pack for others.
    pub entries: Vec<usize>,
    /// Compressed, for a pack that has no deltas of what it does not hold: where there is one delta only, what that stands
    /// for, and else the base.
    pub packed: Vec<u8>,
}

/// How much one thread takes at a time. Behind some there are long chains, and they lie beside each other.
const SHARE: usize = 4;
/// From how many pieces of work on another thread is worth its beginning.
const WORTH_IT: usize = 64;

/// Finds the objects of `loaded`; those that it has deltas of, and does not hold, are in `repo`. `None`: it cannot be done,
/// or what there is takes more than `most` bytes.
pub(super) fn resolve(repo: &gix::Repository, loaded: &Loaded<'_>, most: usize) -> Option<Resolved> {
    let work = Work::of(repo, loaded, most);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(work.roots.len() / WORTH_IT).max(1);
    let mut found = Found::default();
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let (repo, work) = (repo.clone().into_sync(), &work);
                scope.spawn(move || work.share(Reader::new(repo.to_thread_local())))
            })
            .collect();
        found = work.share(Reader::new(repo.clone()))?;
        for other in others {
            let more = other.join().ok().flatten()?;
            found.objects.extend(more.objects);
            found.bases.extend(more.bases);
        }
        Some(())
    })?;
    found.objects.sort_unstable_by_key(|(entry, _)| *entry);
    // An entry that is a delta of itself, by a roundabout way, is never come by.
    let is_each_there = found.objects.iter().map(|(entry, _)| *entry).eq(0..loaded.entries().len());
    is_each_there.then(|| Resolved {
        objects: found.objects.into_iter().map(|(_, object)| object).collect(),
        bases: found.bases,
    })
}

/// What one thread has found.
#[derive(Default)]
struct Found {
    /// Objects, by the number of their entry.
    objects: Vec<(usize, Object)>,
    bases: Vec<Base>,
}

/// The work that is shared.
struct Work<'a> {
    loaded: &'a Loaded<'a>,
    hash: gix::hash::Kind,
    roots: Vec<Root>,
    /// The entries that are deltas of the one of that number.
    children: Vec<Vec<usize>>,
    /// How many of the roots were taken so far.
    taken: AtomicUsize,
    /// How many bytes there may still be.
    room: AtomicUsize,
}

/// What can be resolved by itself.
enum Root {
    /// An entry that holds an object.
    Whole(usize, Kind),
    /// Entries that are deltas of an object elsewhere.
    Elsewhere(ObjectId, Vec<usize>),
}

impl<'a> Work<'a> {
    fn of(repo: &gix::Repository, loaded: &'a Loaded<'a>, most: usize) -> Self {
        let mut roots = Vec::new();
        let mut children = vec![Vec::new(); loaded.entries().len()];
        let mut elsewhere: BTreeMap<ObjectId, Vec<usize>> = BTreeMap::new();
        for (number, entry) in loaded.entries().iter().enumerate() {
            match entry.form {
                Form::Whole(kind) => roots.push(Root::Whole(number, kind)),
                Form::DeltaOf(base) => children[base].push(number),
                Form::DeltaOfObject(base) => elsewhere.entry(base).or_default().push(number),
            }
        }
        roots.extend(elsewhere.into_iter().map(|(base, entries)| Root::Elsewhere(base, entries)));
        let (taken, room) = (AtomicUsize::new(0), AtomicUsize::new(most));
        Self { loaded, hash: repo.object_hash(), roots, children, taken, room }
    }

    /// Does a part of the work, until none is left.
    fn share(&self, mut reader: Reader) -> Option<Found> {
        let mut found = Found::default();
        let mut deflate = Deflate::new(Compression::BEST_SPEED);
        loop {
            let begin = self.taken.fetch_add(SHARE, Ordering::Relaxed).min(self.roots.len());
            let share = &self.roots[begin..(begin + SHARE).min(self.roots.len())];
            if share.is_empty() {
                return Some(found);
            }
            for root in share {
                let done = self.root(root, &mut reader, &mut deflate, &mut found);
                if done.is_none() {
                    // There is no use in the rest.
                    self.taken.fetch_max(self.roots.len(), Ordering::Relaxed);
                    return None;
                }
            }
        }
    }

    fn root(&self, root: &Root, reader: &mut Reader, deflate: &mut Deflate, found: &mut Found) -> Option<()> {
        match root {
            Root::Whole(number, kind) => {
                let data = self.loaded.content(&self.loaded.entries()[*number]);
                self.all_of(*number, *kind, data.clone(), found)
            }
            Root::Elsewhere(id, entries) => {
                let mut data = Vec::new();
                let kind = reader.read(*id, &mut data).ok()?;
                self.fit(data.len())?;
                for number in entries {
                    self.all_of(*number, kind, self.made(*number, &data)?, found)?;
                }
                let packed = match entries.as_slice() {
                    [only] => {
                        let made = found.objects.iter().rev().find(|(number, _)| number == only);
                        deflate.all(&made?.1.data)
                    }
                    _ => deflate.all(&data),
                };
                let object = Object { id: *id, kind, data: data.into() };
                found.bases.push(Base { object, entries: entries.clone(), packed: packed.ok()? });
                Some(())
            }
        }
    }

    /// The object of an entry, and all that are deltas of it, however many times removed.
    fn all_of(&self, number: usize, kind: Kind, data: Arc<[u8]>, found: &mut Found) -> Option<()> {
        let mut open = vec![(number, data)];
        while let Some((number, data)) = open.pop() {
            for child in &self.children[number] {
                open.push((*child, self.made(*child, &data)?));
            }
            let id = gix::objs::compute_hash(self.hash, kind, &data).ok()?;
            found.objects.push((number, Object { id, kind, data }));
        }
        Some(())
    }

    /// What the delta in an entry makes of `base`.
    fn made(&self, number: usize, base: &[u8]) -> Option<Arc<[u8]>> {
        let delta = self.loaded.content(&self.loaded.entries()[number]);
        let made = apply(base, delta, self.room.load(Ordering::Relaxed))?;
        self.fit(made.len())?;
        Some(made.into())
    }

    /// Takes up room for so many bytes, if there is any.
    fn fit(&self, bytes: usize) -> Option<()> {
        let room = |room: usize| room.checked_sub(bytes);
        self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok().map(drop)
    }
}
