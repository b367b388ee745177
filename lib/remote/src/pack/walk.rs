//! Which objects the other side lacks.
//!
//! Commits are walked from the new tips down to what the other side has, and each one's tree is compared with
//! those of its parents: only what differs is looked at, however large the tree.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
    thread,
};

use gix::{ObjectId, hashtable, object::Kind};

use super::{
    Item, Known, NameHash,
    ahead::Ahead,
    beside,
    delta::Draft,
    entries::Entries,
    one_change::{OneChange, Replaced},
    order::SMALLEST,
    trees::Trees,
};
use crate::{
    history::{Commit, History},
    objects::Reader,
    recent::Recent,
};

/// Everything reachable from `tips` that the owner of `theirs` need not have, each object with what it was
/// before. An object's predecessor is either theirs, or comes before it in the list.
///
/// Ids of `theirs` that are not here are ignored. What is `recent` is not read again.
pub(crate) fn new_objects(
    repo: &gix::Repository,
    history: &History,
    tips: &[ObjectId],
    theirs: &[ObjectId],
    recent: &Recent,
    limit: Limit<'_>,
) -> gix::Result<Vec<Item>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let limit = Limit { most: limit.most, found: limit.found };
    let way = Way { threads, recent: recent.clone(), limit, passing: &mut |_, _, _| Ok(()) };
    walk(repo, history, tips, theirs, way)
}

/// How far to walk.
pub(crate) struct Limit<'a> {
    /// From how many objects on the walk fails: whoever wants no more need not wait for them.
    pub most: usize,
    /// Is told how many objects there are so far.
    pub found: &'a mut dyn FnMut(usize),
}

/// How to walk.
pub(super) struct Way<'a> {
    /// How many threads there may be.
    pub threads: usize,
    /// What is in memory.
    pub recent: Recent,
    pub limit: Limit<'a>,
    /// Is shown each commit that is new, parents first, while its trees are at hand. Where it fails, so does the walk.
    pub passing: Passing<'a>,
}

/// Who is shown commits, with the one file that each replaced, if that is all it did, and what its trees and files can
/// be read from.
pub(super) type Passing<'a> = &'a mut dyn FnMut(&Commit, Option<Replaced>, &mut Trees) -> gix::Result<()>;

/// As [`new_objects`].
pub(super) fn walk(
    repo: &gix::Repository,
    history: &History,
    tips: &[ObjectId],
    theirs: &[ObjectId],
    way: Way<'_>,
) -> gix::Result<Vec<Item>> {
    let mut real = repo.clone();
    real.objects.ignore_replacements = true;
    let mut walk = Walk {
        repo: &real,
        history,
        trees: Trees::new(Reader::new(repo.clone()), way.recent.clone()),
        seen: hashtable::HashSet::default(),
        covered: hashtable::HashSet::default(),
        items: Vec::new(),
        room: ROOM,
        change: OneChange::default(),
        way,
    };
    let mut commits = Vec::new();
    for tip in tips {
        walk.tip(*tip, &mut commits)?;
    }
    let hidden = commits_among(repo, theirs);
    walk.commits(commits, hidden)?;
    Ok(walk.items)
}

/// The commits behind `ids`, as far as they are here.
pub(crate) fn commits_among(repo: &gix::Repository, ids: &[ObjectId]) -> Vec<ObjectId> {
    // What the other side has and we have not is the normal case, and no reason to look for new packs.
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

struct Walk<'a, 'w> {
    repo: &'a gix::Repository,
    history: &'a History,
    trees: Trees,
    /// What is in the list, or theirs.
    seen: hashtable::HashSet<ObjectId>,
    /// Trees whose entries all are.
    covered: hashtable::HashSet<ObjectId>,
    items: Vec<Item>,
    /// How many bytes of small files may still be kept.
    room: usize,
    /// What the tree that is being compared changes.
    change: OneChange,
    way: Way<'w>,
}

/// How many bytes of small files are kept from when they were read.
const ROOM: usize = 1024 * 1024;
/// From how many commits on a thread that reads ahead pays.
const MANY: usize = 16;

impl Walk<'_, '_> {
    /// Tags are followed to what they are of; trees and blobs can be pushed too.
    fn tip(&mut self, id: ObjectId, commits: &mut Vec<ObjectId>) -> gix::Result<()> {
        let mut object = self.repo.find_object(id)?;
        loop {
            match object.kind {
                Kind::Tag => {
                    self.add(object.id, Kind::Tag, NameHash::default(), None);
                    let target = object.into_tag().target_id()?.detach();
                    object = self.repo.find_object(target)?;
                }
                Kind::Commit => {
                    commits.push(object.id);
                    return Ok(());
                }
                Kind::Tree => return self.tree(object.id, NameHash::default(), &[]),
                Kind::Blob => {
                    self.add(object.id, Kind::Blob, NameHash::default(), None);
                    return Ok(());
                }
            }
        }
    }

    fn commits(&mut self, tips: Vec<ObjectId>, hidden: Vec<ObjectId>) -> gix::Result<()> {
        let newest_first = self.history.between(self.repo, tips, hidden)?;
        let by_id: HashMap<ObjectId, &Commit> =
            newest_first.iter().map(|commit| (commit.id, commit)).collect();
        let ordered = parents_first(&newest_first, &by_id);
        thread::scope(|scope| {
            let ahead = (ordered.len() >= MANY && self.way.threads > 1)
                .then(|| Ahead::start(scope, self.repo, ordered.iter().map(|commit| commit.tree).collect()));
            for commit in ordered {
                if let Some(tree) = ahead.as_ref().and_then(Ahead::next) {
                    self.trees.keep(commit.tree, &Arc::from(tree?));
                }
                let mut before = Vec::new();
                for parent in &commit.parents {
                    match by_id.get(parent) {
                        Some(parent) => before.push(parent.tree),
                        // In a shallow repository there may be none.
                        None => before.extend(self.history.tree_of(self.repo, *parent).ok()),
                    }
                }
                let begin = self.items.len();
                if self.add(commit.id, Kind::Commit, NameHash::default(), None) {
                    let mut content = Vec::new();
                    self.items[begin].known =
                        self.history.kept(&commit.id, &mut content).map(|_| Known::Whole(content));
                }
                self.change = OneChange::default();
                self.tree(commit.tree, NameHash::default(), &before)?;
                (self.way.passing)(commit, self.change.replaced(), &mut self.trees)?;
                self.keep_what_was_read(begin);
            }
            Ok(())
        })
    }

    /// Keeps the small files among the items from `begin` on that somebody has read while they passed.
    fn keep_what_was_read(&mut self, begin: usize) {
        for (id, content) in self.trees.take_files() {
            if let Some(item) = self.items[begin..].iter_mut().find(|item| item.id == id) {
                keep(item, &mut self.room, &content);
            }
        }
    }

    /// Adds the tree `new` and what is new in it, compared with the trees that were `before`.
    fn tree(&mut self, new: ObjectId, name: NameHash, before: &[ObjectId]) -> gix::Result<()> {
        // Folders can be nested deeper than a stack.
        let mut open = vec![(new, name, before.to_vec())];
        while let Some((new, name, before)) = open.pop() {
            if before.contains(&new) || !self.add(new, Kind::Tree, name, before.first().copied()) {
                self.change.is_more();
                continue;
            }
            let at = self.items.len() - 1;
            if at >= self.way.limit.most {
                return Err(gix::Error::from_error(io::Error::other(
                    "there are more objects than are wanted",
                )));
            }
            let tree = self.trees.get(new)?;
            let olds = before.iter().map(|old| self.trees.get(*old)).collect::<gix::Result<Vec<_>>>()?;
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
            beside::differing(&tree, &olds, hash, draft.as_mut(), |entry, versions| {
                let name = NameHash::of(entry.name);
                differing += 1;
                if entry.mode.is_tree() {
                    folders.push((entry.id, name, versions.to_vec()));
                } else if !entry.mode.is_commit() {
                    self.file(entry.id, name, versions.first().copied());
                    self.change.file(entry.id, versions);
                }
            })?;
            // Where nothing is missing either, both are as long.
            let is_same_but_for_one = differing == 1
                && folders.iter().all(|(_, _, versions)| versions.len() == 1)
                && matches!(olds.as_slice(), [old] if old.len() == tree.len());
            if !is_same_but_for_one {
                self.change.is_more();
            }
            self.covered.insert(new);
            let item = &mut self.items[at];
            item.size = Some(tree.len() as u64);
            item.known = match draft {
                // A delta pays if it takes less than half of the object.
                Some(draft) => draft.finish(LONGEST_DELTA.min(tree.len() / 2)).map(Known::Delta),
                None => is_small.then(|| Known::Whole(tree.to_vec())),
            };
            folders.reverse();
            open.extend(folders);
        }
        Ok(())
    }

    /// Takes note of what is in a tree that is theirs or in the list already: none of it may come once more, under
    /// another name.
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

    /// Adds a file, with its content where that is in memory.
    fn file(&mut self, id: ObjectId, name: NameHash, before: Option<ObjectId>) {
        if self.add(id, Kind::Blob, name, before)
            && let Some(known) = self.way.recent.get(&id)
            && let Some(item) = self.items.last_mut()
        {
            keep(item, &mut self.room, &known.data);
        }
    }

    /// Adds an object unless it is there or theirs.
    fn add(&mut self, id: ObjectId, kind: Kind, name: NameHash, before: Option<ObjectId>) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.items.push(Item { id, kind, name, before, size: None, known: None });
        if self.items.len().is_multiple_of(1000) {
            (self.way.limit.found)(self.items.len());
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

/// Longer deltas are made when it is their turn: there may be as many as there are trees.
const LONGEST_DELTA: usize = 1024;

/// The same commits, with every parent before its children. Dates cannot be relied on for that.
fn parents_first<'c>(newest_first: &'c [Commit], by_id: &HashMap<ObjectId, &'c Commit>) -> Vec<&'c Commit> {
    let mut ordered = Vec::with_capacity(newest_first.len());
    let mut done: HashSet<ObjectId> = HashSet::new();
    for start in newest_first.iter().rev() {
        let mut open = vec![start];
        while let Some(commit) = open.last().copied() {
            if done.contains(&commit.id) {
                open.pop();
                continue;
            }
            let missing = commit.parents.iter().filter(|parent| !done.contains(*parent));
            let missing: Vec<_> = missing.filter_map(|parent| by_id.get(parent).copied()).collect();
            if missing.is_empty() {
                open.pop();
                done.insert(commit.id);
                ordered.push(commit);
            } else {
                open.extend(missing);
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    #[test]
    fn parents_come_before_their_children_whatever_the_dates_say() {
        let commit = |number: u8, parents: &[u8]| Commit {
            id: id(number),
            tree: id(0),
            parents: parents.iter().copied().map(id).collect(),
        };
        let commits = [commit(1, &[]), commit(3, &[1, 9]), commit(4, &[3, 2]), commit(2, &[1])];
        let by_id = commits.iter().map(|commit| (commit.id, commit)).collect();
        let ordered = parents_first(&commits, &by_id);
        let at = |number| ordered.iter().position(|one| one.id == id(number)).unwrap();
        assert_eq!(ordered.len(), 4);
        assert!(at(1) < at(2) && at(1) < at(3) && at(2) < at(4) && at(3) < at(4));
    }
}
