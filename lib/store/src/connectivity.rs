//! The connectivity check after a fetch: is every object reachable from the new commits present?
//!
//! Everything reachable from the commits that were there before is present, so only those parts of a commit's tree
//! are examined that differ from the trees of its parents. Each commit can be checked independently, so several are
//! checked at once.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use gix::{
    ObjectId,
    hashtable::{HashMap, HashSet},
    object::Kind,
    objs::Exists,
};

use crate::{
    history::History,
    objects::{Reader, Storage},
    pack::{tree_delta, trees::Trees, walk::commits_among},
    recent::RecentObjects,
};

/// A missing object.
#[derive(Debug)]
pub enum Missing {
    /// A commit, tree or tag, which the error names.
    Unreadable(gix::Error),
    /// A blob.
    Blob(ObjectId),
}

impl Missing {
    /// Converts it to an error that names the object.
    pub fn into_error(self) -> gix::Error {
        match self {
            Self::Unreadable(error) => error,
            Self::Blob(id) => gix::Error::from_error(io::Error::other(format!("object {id} is missing"))),
        }
    }
}

impl From<gix::Error> for Missing {
    fn from(error: gix::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// The number of commits that a thread takes at a time: the tree of one is often the previous version of the next
/// one's.
const SHARE: usize = 8;

/// Checks that everything reachable from `new` is present, provided that everything reachable from `ours` is, as far
/// as these exist here. `recent` contains the objects that were just received. `looked_at` is called from time to
/// time with the number of commits examined. The received commits are added to `history`, which is cleared if an
/// object is missing.
///
/// # Errors
/// The first object that is missing.
pub fn check(
    repo: &gix::Repository,
    recent: &RecentObjects,
    history: &History,
    new: &[ObjectId],
    ours: &[ObjectId],
    looked_at: &mut dyn FnMut(usize),
) -> Result<(), Missing> {
    history.take_in(recent);
    let real = recent.real_view(repo);
    let mut sound = ConnectivityCheck::new(&real, recent.clone());
    let trees = sound.trees(history, new, commits_among(repo, ours));
    // Commits that were examined but are not kept must not be taken for commits that exist here.
    trees.and_then(|trees| sound.all(&trees, looked_at)).inspect_err(|_| history.forget())
}

/// A commit's tree, and those of its parents.
type Changed = (ObjectId, Vec<ObjectId>);

/// Checks objects, and remembers which trees it has examined.
struct ConnectivityCheck {
    repo: gix::Repository,
    recent: RecentObjects,
    trees: Trees,
    seen: HashSet<ObjectId>,
}

impl ConnectivityCheck {
    fn new(repo: &gix::Repository, recent: RecentObjects) -> Self {
        let trees = Trees::new(Reader::new(repo.clone()), recent.clone());
        let view = recent.real_view(repo);
        Self { repo: view, recent, trees, seen: HashSet::default() }
    }

    /// Returns the trees of all commits reachable from `new` but not from `ours`.
    fn trees(
        &mut self,
        history: &History,
        new: &[ObjectId],
        ours: Vec<ObjectId>,
    ) -> Result<Vec<Changed>, Missing> {
        let mut tips = Vec::new();
        for id in new {
            tips.extend(self.tip(*id)?);
        }
        let commits = history.between(&self.repo, tips, ours)?;
        let tree_of: HashMap<ObjectId, ObjectId> =
            commits.iter().map(|commit| (commit.id, commit.tree)).collect();
        let trees = commits.iter().map(|commit| {
            // In a shallow repository a parent may be absent.
            let before = commit.parents.iter().filter_map(|parent| match tree_of.get(parent) {
                Some(tree) => Some(*tree),
                None => history.tree_of(&self.repo, *parent).ok(),
            });
            (commit.tree, before.collect())
        });
        Ok(trees.collect())
    }

    /// Checks all `trees`, on as many threads as are worthwhile.
    fn all(&mut self, trees: &[Changed], looked_at: &mut dyn FnMut(usize)) -> Result<(), Missing> {
        let taken = AtomicUsize::new(0);
        let share = |sound: &mut Self, taken_so_far: &mut dyn FnMut(usize)| {
            loop {
                let begin = taken.fetch_add(SHARE, Ordering::Relaxed).min(trees.len());
                let share = &trees[begin..(begin + SHARE).min(trees.len())];
                taken_so_far(begin);
                if share.is_empty() {
                    return Ok(());
                }
                share.iter().try_for_each(|(tree, before)| sound.tree(*tree, before.clone()))?;
            }
        };
        let helpers = threads::free(trees.len().div_ceil(SHARE).saturating_sub(1));
        thread::scope(|scope| {
            let others: Vec<_> = (0..helpers)
                .map(|_| {
                    let (repo, recent, share) = (self.repo.clone().into_sync(), self.recent.clone(), &share);
                    threads::spawn(scope, move || {
                        share(&mut Self::new(&repo.to_thread_local(), recent), &mut |_| ())
                    })
                })
                .collect();
            let mut all = share(self, looked_at);
            for other in others {
                let ended = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all = all.and(ended);
            }
            all
        })
    }

    /// Checks the object that a ref points to. Tags are peeled; if the result is a commit, it is returned.
    fn tip(&mut self, mut id: ObjectId) -> Result<Option<ObjectId>, Missing> {
        loop {
            let object = self.repo.find_object(id)?;
            match object.kind {
                Kind::Commit => return Ok(Some(id)),
                Kind::Tag => id = object.into_tag().target_id()?.detach(),
                Kind::Tree => {
                    drop(object);
                    return self.tree(id, Vec::new()).map(|()| None);
                }
                Kind::Blob => return Ok(None),
            }
        }
    }

    /// Checks a tree, except for what it shares with the trees in `before`.
    fn tree(&mut self, new: ObjectId, before: Vec<ObjectId>) -> Result<(), Missing> {
        // Not recursive, as trees can be nested deeper than the stack allows.
        let mut open = vec![(new, before)];
        while let Some((new, before)) = open.pop() {
            if before.contains(&new) || !self.seen.insert(new) {
                continue;
            }
            let tree = self.trees.get(new, None)?;
            let olds = before.iter().map(|old| self.trees.get_from(Storage::Packed, *old));
            let olds = olds.collect::<gix::Result<Vec<_>>>()?;
            let mut missing = None;
            tree_delta::differing(&tree, &olds, new.kind(), None, |entry, versions| {
                if versions.contains(&entry.id) {
                    // It is the same in another parent.
                } else if entry.mode.is_tree() {
                    open.push((entry.id, versions.to_vec()));
                } else if !entry.mode.is_commit()
                    && !self.recent.has(&entry.id)
                    && !self.repo.objects.exists(&entry.id)
                {
                    missing.get_or_insert(entry.id);
                }
            })?;
            if let Some(blob) = missing {
                return Err(Missing::Blob(blob));
            }
        }
        Ok(())
    }
}
