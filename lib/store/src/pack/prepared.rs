//! Prepares the objects of a push while the fetch before it is waiting for the server.
//!
//! A caller that fetches and then pushes knows most of the pack in advance: the local commits since the last common
//! state. The server takes some time to assemble what it sends; meanwhile these commits are walked and their objects
//! compressed.

use std::{cell::RefCell, io, sync::Arc};

use gix::{
    ObjectId, Repository,
    hash::oid,
    hashtable::HashSet,
    object::Kind,
    objs::{Data, Find},
};

use super::{
    Item, Known, LARGEST_AT_ONCE, MOST_AT_ONCE, Receiver, delta_bases,
    encoded_entries::{EncodedEntries, Layout},
    parallel,
    resolve::Object,
    single_change::Replaced,
    trees::Trees,
    walk_queue::WalkQueue,
    write::{Failure, Offsets, Options},
};
use crate::{
    history::{Commit, History, has_replace_refs},
    objects::Storage,
    recent::RecentObjects,
};

/// Local commits and all their objects, encoded as they are sent.
pub struct PreparedPack {
    stretches: Vec<CommitRange>,
    laid: EncodedEntries,
    receiver: Receiver,
}

/// Local commits and their objects, collected but not encoded yet.
pub struct WalkedObjects {
    stretches: Vec<CommitRange>,
    items: Vec<Item>,
    options: Options,
    latest: RecentObjects,
}

/// A walk through local commits, shared by all threads that take part in it.
pub struct ObjectWalk {
    stretches: Vec<CommitRange>,
    shares: WalkQueue,
    options: Options,
}

/// A range of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitRange {
    /// The commit up to which the remote has the history.
    pub known: ObjectId,
    /// The commit up to which the remote is to have it.
    pub tip: ObjectId,
}

/// A commit, as it is shown to the caller during the walk.
pub struct VisitedCommit<'a> {
    /// The repository, as opened by the walking thread.
    pub repo: &'a Repository,
    /// The commit.
    pub commit: &'a Commit,
    /// The change of the commit, if it only replaces one file by another version of it.
    pub replaced: Option<Replaced>,
    /// Where its trees and files, and those of its parents, can be read from.
    pub objects: &'a dyn Find,
}

impl ObjectWalk {
    /// Finds the commits of `stretches`, whose objects are meant for this `receiver`.
    ///
    /// # Errors
    ///
    /// If a commit cannot be read. The push is then made without the preparation, and reports what is wrong, if
    /// anything.
    pub fn of(
        repo: &Repository,
        history: &History,
        stretches: Vec<CommitRange>,
        receiver: Receiver,
    ) -> gix::Result<Self> {
        if has_replace_refs(repo) {
            return Err(given_up("where commits are replaced, two histories would have to be walked"));
        }
        let tips: Vec<_> = stretches.iter().map(|stretch| stretch.tip).collect();
        let known: Vec<_> = stretches.iter().map(|stretch| stretch.known).collect();
        let shares = WalkQueue::of(repo, history, &tips, &known, MOST_AT_ONCE)?.meant_for(receiver);
        Ok(Self { stretches, shares, options: Options::of(repo, receiver, Offsets::Understood) })
    }

    /// Walks shares of the commits until all are taken. Each commit is shown to `passing`; if that fails, the whole
    /// walk stops.
    pub fn take_part(&self, repo: &Repository, passing: &dyn Fn(VisitedCommit<'_>) -> gix::Result<()>) {
        self.shares.take_part(repo, &mut |_| (), &|commit, replaced, trees| {
            let (older, trees) = (replaced.map(|file| file.old), RefCell::new(trees));
            passing(VisitedCommit { repo, commit, replaced, objects: &InPassing { trees, older } })
        });
    }

    /// Waits until all shares that were taken have been walked, and returns what was found.
    ///
    /// # Errors
    ///
    /// If an object could not be read, if there are too many to be held in memory, or if a caller stopped the walk.
    pub fn gathered(&self) -> gix::Result<WalkedObjects> {
        let items = self.shares.found()?;
        let latest = match self.options.receiver {
            Receiver::ObjectDatabase => latest(&items, self.shares.trees()),
            // Trees that were not hashed must not be cached as if they were verified.
            Receiver::Server => RecentObjects::default(),
        };
        Ok(WalkedObjects { stretches: self.stretches.clone(), items, options: self.options, latest })
    }
}

/// Returns those objects in memory that are the newest versions among `items`.
fn latest(items: &[Item], trees: Vec<(ObjectId, Arc<[u8]>)>) -> RecentObjects {
    let replaced: HashSet<ObjectId> = items.iter().filter_map(|item| item.before).collect();
    let trees = trees.into_iter().map(|(id, data)| Object { id, kind: Kind::Tree, data });
    let files = items.iter().filter_map(|item| match (item.kind, &item.known) {
        (Kind::Blob, Some(Known::Whole(content))) => {
            Some(Object { id: item.id, kind: Kind::Blob, data: content.as_slice().into() })
        }
        _ => None,
    });
    RecentObjects::of(trees.chain(files).filter(|object| !replaced.contains(&object.id)))
}

impl WalkedObjects {
    /// Returns some of the newest trees and files, from memory: a merge of them, or the push of the merge, will read
    /// them.
    #[must_use]
    pub fn latest(&self) -> &RecentObjects {
        &self.latest
    }

    /// Encodes the objects.
    ///
    /// # Errors
    ///
    /// If an object cannot be read, or if they are too large to be held in memory. The push is then made without
    /// them.
    pub fn encode(self, repo: &Repository) -> gix::Result<PreparedPack> {
        let laid = lay_out(repo, &self.items, self.options)?;
        Ok(PreparedPack { stretches: self.stretches, laid, receiver: self.options.receiver })
    }
}

impl PreparedPack {
    /// Whether this is suitable for such a receiver. What was prepared for a local object database also suits a
    /// server.
    pub fn is_good_for(&self, receiver: Receiver) -> bool {
        self.is_whole() || receiver == Receiver::Server
    }

    /// Whether each delta is of what is ready as well.
    pub fn is_whole(&self) -> bool {
        self.receiver == Receiver::ObjectDatabase
    }

    /// Returns the encoded objects, each after its delta base.
    pub fn laid(&self) -> &EncodedEntries {
        &self.laid
    }

    /// Returns the commit ranges.
    pub fn stretches(&self) -> &[CommitRange] {
        &self.stretches
    }
}

fn lay_out(repo: &Repository, items: &[Item], options: Options) -> gix::Result<EncodedEntries> {
    let sizes = parallel::sizes(repo, items, options.threads)?;
    let placed = delta_bases::arrange(items, &sizes, options.limits, &|_| options.thin);
    let mut layout = Layout::with_room(placed.len(), options.receiver);
    parallel::encode(repo, items, &placed, options, |some| {
        some.iter().try_for_each(|one| layout.add(one)).map_err(Failure::Source)?;
        if layout.bytes() > LARGEST_AT_ONCE {
            return Err(Failure::Source(given_up("the objects are too large")));
        }
        Ok(())
    })?;
    Ok(layout.end())
}

pub(super) fn given_up(why: &'static str) -> gix::Error {
    gix::Error::from_error(io::Error::other(why))
}

/// The objects of a walk, whose trees are cached.
struct InPassing<'a> {
    trees: RefCell<&'a mut Trees>,
    /// The file that was replaced, which is probably in a pack, as it is older than the rest.
    older: Option<ObjectId>,
}

impl Find for InPassing<'_> {
    fn try_find<'b>(&self, id: &oid, buffer: &'b mut Vec<u8>) -> gix::Result<Option<Data<'b>>> {
        let home = if self.older.as_deref() == Some(id) { Storage::Packed } else { Storage::Loose };
        let kind = self.trees.borrow_mut().read(home, id.to_owned(), buffer)?;
        Ok(Some(Data { kind, object_hash: id.kind(), data: buffer }))
    }
}
