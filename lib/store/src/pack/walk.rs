//! Determines which objects the other side lacks.
//!
//! Commits are walked from the new tips down to those that the other side has, and each one's tree is compared with
//! the trees of its parents: only what differs is examined, however large the tree is.

use std::{
    io, iter,
    sync::{Arc, atomic::Ordering},
    thread,
};

use gix::{ObjectId, hashtable::HashSet, object::Kind};

use super::{
    Item, Known, NameHash, Receiver,
    delta::Draft,
    delta_bases::SMALLEST,
    single_change::{Replaced, SingleChange},
    tree_delta,
    tree_entries::Entries,
    trees::Trees,
    walk_queue::{Part, WalkQueue},
};
use crate::{
    history::{Commit, History},
    objects::{Reader, Storage},
    recent::RecentObjects,
};

/// Returns all objects reachable from `tips` that a receiver with `theirs` may lack, each with its previous version.
/// That version exists at the receiver, or comes earlier in the list.
///
/// Ids of `theirs` that do not exist here are ignored. Objects in `recent` are not read again.
pub fn new_objects(
    repo: &gix::Repository,
    history: &History,
    tips: &[ObjectId],
    theirs: &[ObjectId],
    recent: &RecentObjects,
    limit: Limit<'_>,
) -> gix::Result<Vec<Item>> {
    let shares = WalkQueue::of(repo, history, tips, theirs, limit.most)?;
    let shares = shares.knowing(recent.clone()).meant_for(limit.receiver);
    thread::scope(|scope| {
        for _ in 0..shares.helpers() {
            let (repo, shares) = (repo.clone().into_sync(), &shares);
            threads::spawn(scope, move || shares.take_part(&repo.to_thread_local(), &mut |_| (), &nobody));
        }
        shares.take_part(repo, limit.found, &nobody);
        shares.found()
    })
}

/// How far to walk, and for which receiver.
pub struct Limit<'a> {
    /// The receiver of the objects.
    pub receiver: Receiver,
    /// The maximum number of objects; the walk fails if there are more, so that a caller who does not want more need
    /// not wait for them.
    pub most: usize,
    /// Called with the number of objects found so far.
    pub found: &'a mut dyn FnMut(usize),
}

/// A function that is called with each new commit while its trees are cached, with the one file that the commit
/// replaced if that is its only change, and with a source of its trees and files. If it fails, so does the walk.
pub(super) type Passing<'a> = &'a dyn Fn(&Commit, Option<Replaced>, &mut Trees) -> gix::Result<()>;

/// A [`Passing`] that does nothing.
fn nobody(_: &Commit, _: Option<Replaced>, _: &mut Trees) -> gix::Result<()> {
    Ok(())
}

/// Returns the commits that `ids` lead to, as far as they exist here.
pub fn commits_among(repo: &gix::Repository, ids: &[ObjectId]) -> Vec<ObjectId> {
    // It is normal that the other side has objects that we lack, and no reason to look for new packs.
    let mut repo = repo.clone();
    repo.objects.refresh = gix::odb::store::RefreshMode::Never;
    let mut commits: Vec<_> = ids
        .iter()
        .filter_map(|id| repo.try_find_object(*id).ok()??.peel_to_kind(Kind::Commit).ok())
        .map(|commit| commit.id)
        .collect();
    commits.sort_unstable();
    commits.dedup();
    commits
}

/// The walk of one thread.
pub(super) struct Walk<'a> {
    repo: &'a gix::Repository,
    shares: &'a WalkQueue,
    trees: Trees,
    /// Objects that are in the list, or that the receiver has.
    seen: HashSet<ObjectId>,
    /// Trees all of whose entries are in `seen`.
    covered: HashSet<ObjectId>,
    items: Vec<Item>,
    /// The number of bytes of small files and longer deltas that may still be kept.
    room: usize,
    /// The change made by the current commit.
    change: SingleChange,
    found: &'a mut dyn FnMut(usize),
}

/// A tree to be compared: its id, the hash of its name, and its versions in the trees of the commits before.
type Subtree = (ObjectId, NameHash, Vec<ObjectId>);

/// The maximum size in bytes of the small files and longer deltas that are kept for the encoder.
const ROOM: usize = 1024 * 1024;

impl<'a> Walk<'a> {
    /// Begins a walk in `repo`, which must ignore replace refs. `found` is called with the number of objects that all
    /// threads have found.
    pub fn of(repo: &'a gix::Repository, shares: &'a WalkQueue, found: &'a mut dyn FnMut(usize)) -> Self {
        Self {
            repo,
            shares,
            trees: Trees::new(Reader::new(repo.clone()).with(shares.receiver), shares.recent.clone()),
            seen: HashSet::default(),
            covered: HashSet::default(),
            items: Vec::new(),
            room: ROOM,
            change: SingleChange::default(),
            found,
        }
    }

    /// Returns the objects found since the last call.
    pub fn take(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.items)
    }

    /// Returns the trees that were read last, without those of which a newer version was read.
    pub fn into_trees(self) -> impl Iterator<Item = (ObjectId, Arc<[u8]>)> {
        self.trees.into_kept()
    }

    /// Adds the new objects of one part of the walk.
    pub fn part(&mut self, part: &Part, passing: Passing<'_>) -> gix::Result<()> {
        match part {
            Part::End { id, kind: Kind::Tree } => self.tree(*id, NameHash::default(), &[]),
            Part::End { id, kind } => {
                self.add(*id, *kind, NameHash::default(), None);
                Ok(())
            }
            Part::Commit { commit, before } => {
                let begin = self.items.len();
                if self.add(commit.id, Kind::Commit, NameHash::default(), None) {
                    let mut content = Vec::new();
                    self.items[begin].known =
                        self.shares.history.kept(&commit.id, &mut content).map(|_| Known::Whole(content));
                }
                self.change = SingleChange::default();
                self.tree(commit.tree, NameHash::default(), before)?;
                passing(commit, self.change.replaced(), &mut self.trees)?;
                self.keep_what_was_read(begin);
                Ok(())
            }
        }
    }

    /// Keeps the small files among the items from `begin` on that the [`Passing`] function has read.
    fn keep_what_was_read(&mut self, begin: usize) {
        for (id, content) in self.trees.take_files() {
            if let Some(item) = self.items[begin..].iter_mut().find(|item| item.id == id) {
                keep(item, &mut self.room, &content);
            }
        }
    }

    /// Adds the tree `new` and the new objects in it, which are found by comparing it with the trees `before`.
    fn tree(&mut self, new: ObjectId, name: NameHash, before: &[ObjectId]) -> gix::Result<()> {
        // Not recursive, as trees can be nested deeper than the stack allows.
        let mut open = vec![(new, name, before.to_vec())];
        while let Some((new, name, before)) = open.pop() {
            if before.contains(&new) || !self.add(new, Kind::Tree, name, before.first().copied()) {
                self.change.is_more();
                continue;
            }
            if self.shares.so_far.load(Ordering::Relaxed) > self.shares.most {
                return Err(gix::Error::from_error(io::Error::other(
                    "there are more objects than are wanted",
                )));
            }
            open.extend(self.entries(new, &before)?.into_iter().rev());
        }
        Ok(())
    }

    /// Adds the new files in the tree `new`, which was added last, and returns the trees in it that differ from those
    /// in the trees `before`.
    fn entries(&mut self, new: ObjectId, before: &[ObjectId]) -> gix::Result<Vec<Subtree>> {
        let at = self.items.len() - 1;
        // Of a merge, the first parent was made here, and the others were received.
        let homes = iter::once(Storage::Loose).chain(iter::repeat(Storage::Packed));
        let olds = before.iter().zip(homes).map(|(old, home)| self.trees.get_from(home, *old));
        let olds = olds.collect::<gix::Result<Vec<_>>>()?;
        let tree = self.trees.get(new, olds.first().map(|old| &**old))?;
        for (id, old) in before.iter().zip(&olds) {
            self.cover(*id, old)?;
        }
        let mut folders = Vec::new();
        let is_small = (tree.len() as u64) < SMALLEST;
        let mut draft = match olds.first() {
            Some(old) if !is_small => Some(Draft::new(old.len(), tree.len())),
            _ => None,
        };
        let hash = self.repo.object_hash();
        let mut differing = 0;
        tree_delta::differing(&tree, &olds, hash, draft.as_mut(), |entry, versions| {
            let name = NameHash::of(entry.name);
            differing += 1;
            if entry.mode.is_tree() {
                folders.push((entry.id, name, versions.to_vec()));
            } else if !entry.mode.is_commit() {
                self.file(entry.id, name, versions.first().copied());
                self.change.file(entry.id, versions);
            }
        })?;
        // If no entry was removed either, both trees have the same length.
        let is_same_but_for_one = differing == 1
            && folders.iter().all(|(_, _, versions)| versions.len() == 1)
            && matches!(olds.as_slice(), [old] if old.len() == tree.len());
        if !is_same_but_for_one {
            self.change.is_more();
        }
        self.covered.insert(new);
        before.iter().for_each(|old| self.trees.forget(*old));
        let known = match draft {
            Some(draft) => self.delta(draft, tree.len()),
            None => is_small.then(|| Known::Whole(tree.to_vec())),
        };
        let item = &mut self.items[at];
        item.size = Some(tree.len() as u64);
        item.known = known;
        Ok(folders)
    }

    /// Returns the delta of a tree of `len` bytes, if it is worthwhile: if it takes less than half of the tree.
    fn delta(&mut self, draft: Draft, len: usize) -> Option<Known> {
        let delta = draft.finish((len / 2).min(LONGEST_DELTA.max(self.room)))?;
        if delta.len() >= LONGEST_DELTA {
            self.room -= delta.len();
        }
        Some(Known::Delta(delta))
    }

    /// Records the entries of a tree that the receiver has or that is in the list already: none of them may be added
    /// again under another name.
    fn cover(&mut self, id: ObjectId, tree: &[u8]) -> gix::Result<()> {
        if self.covered.insert(id) {
            let mut rest = Entries::of(tree, id.kind());
            while let Some(entry) = rest.head()? {
                rest.pass(&entry);
                self.seen.insert(entry.id);
            }
        }
        Ok(())
    }

    /// Adds a file, with its content if that is in memory.
    fn file(&mut self, id: ObjectId, name: NameHash, before: Option<ObjectId>) {
        if self.add(id, Kind::Blob, name, before)
            && let Some(known) = self.shares.recent.get(&id)
            && let Some(item) = self.items.last_mut()
        {
            keep(item, &mut self.room, &known.data);
        }
    }

    /// Adds an object unless it is in the list or the receiver has it.
    fn add(&mut self, id: ObjectId, kind: Kind, name: NameHash, before: Option<ObjectId>) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.items.push(Item { id, kind, name, before, size: None, known: None });
        let all = self.shares.so_far.fetch_add(1, Ordering::Relaxed) + 1;
        if all.is_multiple_of(1000) {
            (self.found)(all);
        }
        true
    }
}

/// Keeps the content of an item, if there is room.
fn keep(item: &mut Item, room: &mut usize, content: &[u8]) {
    item.size = Some(content.len() as u64);
    if let Some(rest) = room.checked_sub(content.len()) {
        *room = rest;
        item.known = Some(Known::Whole(content.to_vec()));
    }
}

/// Longer deltas are kept only as far as there is room, and otherwise computed when they are written, as there may be
/// as many as there are trees.
const LONGEST_DELTA: usize = 1024;
