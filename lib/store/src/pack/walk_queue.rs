//! Divides a walk among several threads, each of which takes some of the commits at a time.
//!
//! The commits are known in advance, and each can be compared with its parents independently. An idle thread can join
//! at any time: the shares are ordered, and a thread that is free takes the next one.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use gix::{ObjectId, hashtable, object::Kind};

use super::{
    Item, Receiver,
    prepared::given_up,
    walk::{Passing, Walk, commits_among},
};
use crate::{
    history::{Commit, History},
    recent::RecentObjects,
};

/// The work of a walk, and its results.
pub(super) struct WalkQueue {
    pub history: History,
    /// Objects that are in memory.
    pub recent: RecentObjects,
    /// The receiver of the objects.
    pub receiver: Receiver,
    /// The maximum number of objects; if there are more, the walk fails.
    pub most: usize,
    /// The number of objects so far, in which those found by two threads count twice.
    pub so_far: AtomicUsize,
    parts: Vec<Part>,
    /// The first part that no thread has taken.
    next: AtomicUsize,
    found: Mutex<Found>,
    is_more: Condvar,
}

/// A unit of work.
pub(super) enum Part {
    /// A requested object that is not a commit.
    End { id: ObjectId, kind: Kind },
    /// A commit, and the trees of its parents.
    Commit { commit: Commit, before: Vec<ObjectId> },
}

/// The results.
#[derive(Default)]
struct Found {
    /// By share.
    items: Vec<Option<Vec<Item>>>,
    /// Trees that are likely to be read again.
    trees: Vec<(ObjectId, Arc<[u8]>)>,
    error: Option<gix::Error>,
}

/// The number of parts that a thread takes at a time. All commits of a share but the first are compared with a tree
/// that was just read.
const SHARE: usize = 16;

impl WalkQueue {
    /// Prepares a walk of what is reachable from `tips` but not from `theirs`, at most `most` objects.
    ///
    /// # Errors
    ///
    /// If an object that `tips` name, or a commit, cannot be read.
    pub fn of(
        repo: &gix::Repository,
        history: &History,
        tips: &[ObjectId],
        theirs: &[ObjectId],
        most: usize,
    ) -> gix::Result<Self> {
        let repo = as_it_is(repo);
        let mut parts = Vec::new();
        let commits = ends(&repo, history, tips, &mut parts)?;
        parts.extend(changes(&repo, history, commits, commits_among(&repo, theirs))?);
        let items = (0..parts.len().div_ceil(SHARE)).map(|_| None).collect();
        Ok(Self {
            history: history.clone(),
            recent: RecentObjects::default(),
            receiver: Receiver::Server,
            most,
            so_far: AtomicUsize::new(0),
            parts,
            next: AtomicUsize::new(0),
            found: Mutex::new(Found { items, ..Found::default() }),
            is_more: Condvar::new(),
        })
    }

    /// Adds objects in memory, which need not be read.
    pub fn knowing(self, recent: RecentObjects) -> Self {
        Self { recent, ..self }
    }

    /// Sets the receiver. For a local object database each tree is hashed when it is read, as each commit always is.
    pub fn meant_for(self, receiver: Receiver) -> Self {
        Self { receiver, ..self }
    }

    /// The number of threads that are worth starting besides the current one.
    pub fn helpers(&self) -> usize {
        threads::free((self.parts.len() / SHARE).saturating_sub(1))
    }

    /// Walks one share after the other, until all are taken or a thread fails. `told` is called from time to time
    /// with the number of objects that all threads have found.
    pub fn take_part(&self, repo: &gix::Repository, told: &mut dyn FnMut(usize), passing: Passing<'_>) {
        let repo = as_it_is(repo);
        let mut walk = Walk::of(&repo, self, told);
        loop {
            let begin = self.next.fetch_add(SHARE, Ordering::Relaxed);
            let Some(rest) = self.parts.get(begin..).filter(|rest| !rest.is_empty()) else { break };
            let taken = Taken { shares: self, number: begin / SHARE, is_done: false };
            let share = &rest[..SHARE.min(rest.len())];
            let walked = share.iter().try_for_each(|part| walk.part(part, passing));
            taken.done(walked.map(|()| walk.take()));
        }
        let trees = walk.into_trees();
        self.state().trees.extend(trees);
    }

    /// Returns the trees that the threads have read last, in their newest versions.
    pub fn trees(&self) -> Vec<(ObjectId, Arc<[u8]>)> {
        std::mem::take(&mut self.state().trees)
    }

    /// Waits until all shares have been walked, and returns the objects found, each once.
    ///
    /// # Errors
    ///
    /// The first failure: something cannot be read, or there are too many objects.
    pub fn found(&self) -> gix::Result<Vec<Item>> {
        let mut found = self.state();
        while found.error.is_none() && found.items.iter().any(Option::is_none) {
            found = self.is_more.wait(found).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(error) = found.error.take() {
            return Err(error);
        }
        let mut seen = hashtable::HashSet::default();
        let mut all = Vec::with_capacity(found.items.iter().flatten().map(Vec::len).sum());
        all.extend(found.items.drain(..).flatten().flatten().filter(|item| seen.insert(item.id)));
        Ok(all)
    }

    fn state(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A share that a thread is walking.
struct Taken<'a> {
    shares: &'a WalkQueue,
    number: usize,
    is_done: bool,
}

impl Taken<'_> {
    fn done(mut self, walked: gix::Result<Vec<Item>>) {
        self.end(walked);
        self.is_done = true;
    }

    fn end(&self, walked: gix::Result<Vec<Item>>) {
        let mut found = self.shares.state();
        match walked {
            Ok(items) => found.items[self.number] = Some(items),
            Err(error) => {
                // The other threads need not go on.
                self.shares.next.store(self.shares.parts.len(), Ordering::Relaxed);
                found.error.get_or_insert(error);
            }
        }
        drop(found);
        self.shares.is_more.notify_all();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.end(Err(given_up("a thread that walked through the history has died")));
        }
    }
}

/// Returns a view of the repository without replace refs.
fn as_it_is(repo: &gix::Repository) -> gix::Repository {
    let mut real = repo.clone();
    real.objects.ignore_replacements = true;
    real
}

/// Returns the commits that `tips` lead to. Tags are peeled; trees and blobs can be pushed too.
fn ends(
    repo: &gix::Repository,
    history: &History,
    tips: &[ObjectId],
    parts: &mut Vec<Part>,
) -> gix::Result<Vec<ObjectId>> {
    let mut commits = Vec::new();
    for tip in tips {
        if history.has_kept(tip) {
            commits.push(*tip);
            continue;
        }
        let mut object = repo.find_object(*tip)?;
        while object.kind == Kind::Tag {
            parts.push(Part::End { id: object.id, kind: Kind::Tag });
            let target = object.into_tag().target_id()?.detach();
            object = repo.find_object(target)?;
        }
        match object.kind {
            Kind::Commit => commits.push(object.id),
            kind => parts.push(Part::End { id: object.id, kind }),
        }
    }
    Ok(commits)
}

/// Returns the commits reachable from `tips` but not from `hidden`, parents first.
fn changes(
    repo: &gix::Repository,
    history: &History,
    tips: Vec<ObjectId>,
    hidden: Vec<ObjectId>,
) -> gix::Result<Vec<Part>> {
    let newest_first = history.between(repo, tips, hidden)?;
    let by_id: HashMap<ObjectId, &Commit> = newest_first.iter().map(|commit| (commit.id, commit)).collect();
    let parts = parents_first(&newest_first, &by_id)?.into_iter().map(|commit| {
        let before = commit.parents.iter().filter_map(|parent| match by_id.get(parent) {
            Some(parent) => Some(parent.tree),
            // In a shallow repository a parent may be absent.
            None => history.tree_of(repo, *parent).ok(),
        });
        Part::Commit { before: before.collect(), commit: commit.clone() }
    });
    Ok(parts.collect())
}

/// Sorts commits so that parents come before their children. Dates are not reliable for that.
///
/// # Errors
///
/// If a commit is its own ancestor: then an object has a content that does not match its id.
fn parents_first<'c>(
    newest_first: &'c [Commit],
    by_id: &HashMap<ObjectId, &'c Commit>,
) -> gix::Result<Vec<&'c Commit>> {
    let mut ordered = Vec::with_capacity(newest_first.len());
    let (mut done, mut begun) = (HashSet::new(), HashSet::new());
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
            } else if begun.insert(commit.id) {
                open.extend(missing);
            } else {
                let message = format!("commit {} comes before itself: an object is damaged", commit.id);
                return Err(gix::Error::from_error(io::Error::other(message)));
            }
        }
    }
    Ok(ordered)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    fn commit(number: u8, parents: &[u8]) -> Commit {
        Commit { id: id(number), tree: id(0), parents: parents.iter().copied().map(id).collect() }
    }

    #[test]
    fn parents_come_before_their_children_whatever_the_dates_say() {
        let commits = [commit(1, &[]), commit(3, &[1, 9]), commit(4, &[3, 2]), commit(2, &[1])];
        let by_id = commits.iter().map(|commit| (commit.id, commit)).collect();
        let ordered = parents_first(&commits, &by_id).unwrap();
        let at = |number| ordered.iter().position(|one| one.id == id(number)).unwrap();
        assert_eq!(ordered.len(), 4);
        assert!(at(1) < at(2) && at(1) < at(3) && at(2) < at(4) && at(3) < at(4));
    }

    #[test]
    fn a_commit_that_comes_before_itself_is_an_error_and_no_endless_walk() {
        let commits = [commit(1, &[3]), commit(2, &[1]), commit(3, &[2]), commit(4, &[3])];
        let by_id = commits.iter().map(|commit| (commit.id, commit)).collect();
        let error = parents_first(&commits, &by_id).unwrap_err().to_string();
        assert!(error.contains("comes before itself"), "{error}");
    }
}
