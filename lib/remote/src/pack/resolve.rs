//! The objects of a pack, by all processors: deltas are made into what they stand for, and everything gets its id.

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
    compress::Compressor,
    kept::Kept,
    loaded::{Form, Loaded},
};
use crate::{
    objects::{self, Reader},
    recent::Recent,
};

/// An object in memory, whole.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub id: ObjectId,
    pub kind: Kind,
    pub data: Arc<[u8]>,
}

/// What a pack holds.
pub(super) struct Resolved {
    /// The object of each entry.
    pub objects: Vec<Named>,
    /// Objects that are not in the pack, of which it has deltas.
    pub bases: Vec<Base>,
    /// All of them.
    pub recent: Recent,
}

/// An object by its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub id: ObjectId,
    pub kind: Kind,
    /// How many bytes it has.
    pub size: usize,
}

/// An object that is not in the pack.
pub(super) struct Base {
    pub object: Object,
    /// The entries that are a delta of it, which are not in the pack for others.
    pub entries: Vec<usize>,
    /// Compressed, for a pack that has no deltas of what it does not hold: where there is one delta only, what that
    /// stands for, and else the base.
    pub packed: Vec<u8>,
}

/// How much one thread takes at a time. Behind some there are long chains, and they lie beside each other.
const SHARE: usize = 4;
/// From how many pieces of work on another thread is worth its beginning.
const WORTH_IT: usize = 64;

/// Finds the objects of `loaded`; those that it has deltas of, and does not hold, are in `repo`. `None`: it cannot be
/// done, or what there is takes more than `most` bytes.
pub(super) fn resolve(repo: &gix::Repository, loaded: &Loaded<'_>, most: usize) -> Option<Resolved> {
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
    // An entry that is a delta of itself, by a roundabout way, is never come by.
    let is_each_there = found.objects.iter().map(|(entry, _)| *entry).eq(0..loaded.entries().len());
    is_each_there.then(|| {
        let named = |(_, Kept { id, kind, size, .. }): &_| Named { id: *id, kind: *kind, size: *size };
        let objects = found.objects.iter().map(named).collect();
        let bases = found.bases.iter().map(|base| base.object.clone().into());
        let recent = Recent::of(found.objects.into_iter().map(|(_, object)| object).chain(bases));
        Resolved { objects, bases: found.bases, recent }
    })
}

/// What one thread has found.
#[derive(Default)]
struct Found {
    /// Objects, by the number of their entry.
    objects: Vec<(usize, Kept)>,
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

/// What one thread works with.
struct Tools {
    reader: Reader,
    compressor: Compressor,
}

/// An object that is known, and behind which there may be others.
struct Open {
    /// Its entry.
    number: usize,
    data: Vec<u8>,
    /// What the entry is a delta of.
    base: Kept,
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

    /// Does a part of the work, until none is left; that is some `expected` objects.
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
                    // There is no use in the rest.
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
                let kept = Kept::from(Object { id, kind: *kind, data: Arc::clone(data) });
                let open = self.open(*number, data, &kept)?;
                found.objects.push((*number, kept));
                self.all_of(open, found)
            }
            Root::Elsewhere(id, entries) => {
                let mut data = Vec::new();
                let kind = tools.reader.read(*id, &mut data).ok()?;
                // It is handed over together with what hangs on it.
                objects::check(id, kind, &data).ok()?;
                self.fit(data.len())?;
                let object = Object { id: *id, kind, data: data.into() };
                let base = Kept::from(object.clone());
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

    /// The objects that are `open`, and all that are deltas of them, however many times removed.
    fn all_of(&self, mut open: Vec<Open>, found: &mut Found) -> Option<()> {
        while let Some(Open { number, data, base }) = open.pop() {
            let id = gix::objs::compute_hash(self.hash, base.kind, &data).ok()?;
            let delta = self.loaded.content(&self.loaded.entries()[number]);
            let kept = Kept::made(id, &data, &base, delta);
            open.extend(self.open(number, &data, &kept)?);
            found.objects.push((number, kept));
        }
        Some(())
    }

    /// The objects whose entries are a delta of the one of that number, which is `data`.
    fn open(&self, number: usize, data: &[u8], base: &Kept) -> Option<Vec<Open>> {
        let children = self.children[number].iter();
        let open = children
            .map(|child| Some(Open { number: *child, data: self.made(*child, data)?, base: base.clone() }));
        open.collect()
    }

    /// What the delta in an entry makes of `base`.
    fn made(&self, number: usize, base: &[u8]) -> Option<Vec<u8>> {
        let delta = self.loaded.content(&self.loaded.entries()[number]);
        let made = apply(base, delta, self.room.load(Ordering::Relaxed))?;
        self.fit(made.len())?;
        Some(made)
    }

    /// Takes up room for so many bytes, if there is any.
    fn fit(&self, bytes: usize) -> Option<()> {
        let room = |room: usize| room.checked_sub(bytes);
        self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok().map(drop)
    }
}
