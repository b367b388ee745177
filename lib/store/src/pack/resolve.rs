//! Resolves the deltas of a pack and computes the ids of its objects, on all cores.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use gix::{ObjectId, object::Kind};

use super::{
    apply::apply,
    cached_object::CachedObject,
    compress::Compressor,
    parsed_pack::{Form, ParsedPack},
};
use crate::{
    objects::{self, Reader},
    recent::RecentObjects,
};

/// An object in memory, not as a delta.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its id.
    pub id: ObjectId,
    /// Its type.
    pub kind: Kind,
    /// Its content.
    pub data: Arc<[u8]>,
}

/// The content of a pack.
pub(super) struct Resolved {
    /// The object of each entry.
    pub objects: Vec<Named>,
    /// The objects that are not in the pack, but are delta bases in it.
    pub bases: Vec<Base>,
    /// All these objects, in memory.
    pub recent: RecentObjects,
}

/// An object without its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub id: ObjectId,
    pub kind: Kind,
    /// The size in bytes.
    pub size: usize,
}

/// A delta base that is not in the pack.
pub(super) struct Base {
    pub object: Object,
    /// The entries that are deltas against it, which the completed pack may contain in another form.
    pub entries: Vec<usize>,
    /// Compressed data with which a thin pack is completed: the object of the delta if there is only one delta
    /// against this base, otherwise the base.
    pub packed: Vec<u8>,
}

/// The number of roots that a thread takes at a time. Some have long delta chains, and those are next to each other.
const SHARE: usize = 4;
/// The number of roots per thread for which it is worth starting another thread.
const WORTH_IT: usize = 64;

/// Computes the objects of `loaded`; delta bases that it does not contain are read from `repo`. `None` if that is not
/// possible, or if the objects take more than `most` bytes.
pub(super) fn resolve(repo: &gix::Repository, loaded: &ParsedPack<'_>, most: usize) -> Option<Resolved> {
    let work = Work::of(repo, loaded, most);
    let mut found = Found::default();
    thread::scope(|scope| {
        let helpers = threads::free((work.roots.len() / WORTH_IT).saturating_sub(1));
        let each = loaded.entries().len().div_ceil(1 + helpers);
        let others: Vec<_> = (0..helpers)
            .map(|_| {
                let (repo, work) = (repo.clone().into_sync(), &work);
                threads::spawn(scope, move || work.share(Reader::new(repo.to_thread_local()), each))
            })
            .collect();
        found = work.share(Reader::new(repo.clone()), each)?;
        for other in others {
            let more = other.join().ok().flatten()?;
            found.objects.extend(more.objects);
            found.bases.extend(more.bases);
        }
        Some(())
    })?;
    found.objects.sort_unstable_by_key(|(entry, _)| *entry);
    // An entry in a cycle of deltas is never reached.
    let is_each_there = found.objects.iter().map(|(entry, _)| *entry).eq(0..loaded.entries().len());
    is_each_there.then(|| {
        let named =
            |(_, CachedObject { id, kind, size, .. }): &_| Named { id: *id, kind: *kind, size: *size };
        let objects = found.objects.iter().map(named).collect();
        let bases = found.bases.iter().map(|base| base.object.clone().into());
        let recent = RecentObjects::of(found.objects.into_iter().map(|(_, object)| object).chain(bases));
        Resolved { objects, bases: found.bases, recent }
    })
}

/// The results of one thread.
#[derive(Default)]
struct Found {
    /// The objects, by the number of their entry.
    objects: Vec<(usize, CachedObject)>,
    bases: Vec<Base>,
}

/// The work that the threads share.
struct Work<'a> {
    loaded: &'a ParsedPack<'a>,
    hash: gix::hash::Kind,
    roots: Vec<Root>,
    /// By entry: the entries that are deltas against it.
    children: Vec<Vec<usize>>,
    /// The number of roots taken so far.
    taken: AtomicUsize,
    /// The number of bytes that are still allowed.
    room: AtomicUsize,
}

/// The tools of one thread.
struct Tools {
    reader: Reader,
    compressor: Compressor,
}

/// A resolved object, against which there may be further deltas.
struct Open {
    /// The number of its entry.
    number: usize,
    data: Vec<u8>,
    /// The delta base of the entry.
    base: CachedObject,
}

/// An entry or a group of entries that can be resolved independently.
enum Root {
    /// An entry with a whole object.
    Whole(usize, Kind),
    /// Entries that are deltas against an object outside the pack.
    Elsewhere(ObjectId, Vec<usize>),
}

impl<'a> Work<'a> {
    fn of(repo: &gix::Repository, loaded: &'a ParsedPack<'a>, most: usize) -> Self {
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

    /// Does shares of the work until nothing is left, and returns the results, some `expected` objects.
    fn share(&self, reader: Reader, expected: usize) -> Option<Found> {
        let mut found = Found { objects: Vec::with_capacity(expected), bases: Vec::new() };
        let mut tools = Tools { reader, compressor: Compressor::quick(self.hash) };
        loop {
            let begin = self.taken.fetch_add(SHARE, Ordering::Relaxed).min(self.roots.len());
            let share = &self.roots[begin..(begin + SHARE).min(self.roots.len())];
            if share.is_empty() {
                return Some(found);
            }
            for root in share {
                let done = self.root(root, &mut tools, &mut found);
                if done.is_none() {
                    // The rest is of no use.
                    self.taken.fetch_max(self.roots.len(), Ordering::Relaxed);
                    return None;
                }
            }
        }
    }

    fn root(&self, root: &Root, tools: &mut Tools, found: &mut Found) -> Option<()> {
        match root {
            Root::Whole(number, kind) => {
                let data = self.loaded.content(&self.loaded.entries()[*number]);
                let id = gix::objs::compute_hash(self.hash, *kind, data).ok()?;
                let kept = CachedObject::from(Object { id, kind: *kind, data: Arc::clone(data) });
                let open = self.open(*number, data, &kept)?;
                found.objects.push((*number, kept));
                self.all_of(open, found)
            }
            Root::Elsewhere(id, entries) => {
                let mut data = Vec::new();
                let kind = tools.reader.read(*id, &mut data).ok()?;
                // It is passed on together with the objects that have it as their delta base.
                objects::check(id, kind, &data).ok()?;
                self.fit(data.len())?;
                let object = Object { id: *id, kind, data: data.into() };
                let base = CachedObject::from(object.clone());
                let mut packed = Vec::new();
                for number in entries {
                    let made = self.made(*number, &object.data)?;
                    if entries.len() == 1 {
                        tools.compressor.object(kind, &made, &mut packed).ok()?;
                    }
                    self.all_of(vec![Open { number: *number, data: made, base: base.clone() }], found)?;
                }
                if packed.is_empty() {
                    tools.compressor.object(kind, &object.data, &mut packed).ok()?;
                }
                found.bases.push(Base { object, entries: entries.clone(), packed });
                Some(())
            }
        }
    }

    /// Adds the objects that are `open`, and all that are direct or indirect deltas against them.
    fn all_of(&self, mut open: Vec<Open>, found: &mut Found) -> Option<()> {
        while let Some(Open { number, data, base }) = open.pop() {
            let id = gix::objs::compute_hash(self.hash, base.kind, &data).ok()?;
            let delta = self.loaded.content(&self.loaded.entries()[number]);
            let kept = CachedObject::made(id, &data, &base, delta);
            open.extend(self.open(number, &data, &kept)?);
            found.objects.push((number, kept));
        }
        Some(())
    }

    /// Returns the objects that are deltas against the entry `number`, whose object is `data`.
    fn open(&self, number: usize, data: &[u8], base: &CachedObject) -> Option<Vec<Open>> {
        let children = self.children[number].iter();
        let open = children
            .map(|child| Some(Open { number: *child, data: self.made(*child, data)?, base: base.clone() }));
        open.collect()
    }

    /// Applies the delta of an entry to `base`.
    fn made(&self, number: usize, base: &[u8]) -> Option<Vec<u8>> {
        let delta = self.loaded.content(&self.loaded.entries()[number]);
        let made = apply(base, delta, self.room.load(Ordering::Relaxed))?;
        self.fit(made.len())?;
        Some(made)
    }

    /// Reserves this number of bytes, if they are still allowed.
    fn fit(&self, bytes: usize) -> Option<()> {
        let room = |room: usize| room.checked_sub(bytes);
        self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok().map(drop)
    }
}
