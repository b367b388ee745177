//! What is going to be pushed, made ready while something else is waited for.
//!
//! Whoever fetches and then pushes knows most of the pack beforehand: one's own commits since the remote was last in
//! step. A server takes its time to put together what it sends; meanwhile these are walked and compressed.

use std::{cell::RefCell, io, sync::Arc};

use gix::{
    ObjectId, Repository,
    hash::oid,
    hashtable::HashSet,
    object::Kind,
    objs::{Data, Find},
};

use super::{
    Item, Known, LARGEST_AT_ONCE, MOST_AT_ONCE, Receiver, cores,
    laid::{Laid, Layout},
    one_change::Replaced,
    order,
    resolve::Object,
    shares::Shares,
    trees::Trees,
    write::{Failure, Offsets, Options},
};
use crate::{
    history::{Commit, History, replaces},
    objects::Home,
    recent::Recent,
};

/// Commits of one's own, and all that belongs to them, in the form in which they are sent.
pub struct Ready {
    stretches: Vec<Stretch>,
    laid: Laid,
    receiver: Receiver,
}

/// Commits of one's own, and what belongs to them.
pub struct Gathered {
    stretches: Vec<Stretch>,
    items: Vec<Item>,
    options: Options,
    latest: Recent,
}

/// Commits of one's own that are walked by all who take part in it.
pub struct Gathering {
    stretches: Vec<Stretch>,
    shares: Shares,
    options: Options,
}

/// Some of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Up to here it is known at the remote.
    pub known: ObjectId,
    /// Up to here it is to be.
    pub tip: ObjectId,
}

/// A commit, as it is shown in passing.
pub struct Passed<'a> {
    /// The repository, as the thread that walks sees it.
    pub repo: &'a Repository,
    /// The commit.
    pub commit: &'a Commit,
    /// All that it did, where that is no more than to replace one file by another version of it.
    pub replaced: Option<Replaced>,
    /// What its trees and files, and those of its parents, can be read from.
    pub objects: &'a dyn Find,
}

impl Gathering {
    /// Finds the commits of `stretches`, which are meant for this `receiver`.
    ///
    /// # Errors
    ///
    /// Where one cannot be read. The push is then made without it, and says what is wrong, if it is.
    pub fn of(
        repo: &Repository,
        history: &History,
        stretches: Vec<Stretch>,
        receiver: Receiver,
    ) -> gix::Result<Self> {
        if replaces(repo) {
            return Err(given_up("where commits are replaced, two histories would have to be walked"));
        }
        let tips: Vec<_> = stretches.iter().map(|stretch| stretch.tip).collect();
        let known: Vec<_> = stretches.iter().map(|stretch| stretch.known).collect();
        let shares = Shares::of(repo, history, &tips, &known, MOST_AT_ONCE)?.meant_for(receiver);
        Ok(Self { stretches, shares, options: Options::of(repo, receiver, Offsets::Understood) })
    }

    /// Walks some of them, as long as there are some that nobody walks. Each is shown to `passing`, which stops it all
    /// by failing.
    pub fn take_part(&self, repo: &Repository, passing: &dyn Fn(Passed<'_>) -> gix::Result<()>) {
        self.shares.take_part(repo, &mut |_| (), &|commit, replaced, trees| {
            let (older, trees) = (replaced.map(|file| file.old), RefCell::new(trees));
            passing(Passed { repo, commit, replaced, objects: &InPassing { trees, older } })
        });
    }

    /// What was found, when all that was taken has been walked.
    ///
    /// # Errors
    ///
    /// Where an object could not be read, there are too many to be held in memory, or somebody stopped it.
    pub fn gathered(&self) -> gix::Result<Gathered> {
        let items = self.shares.found()?;
        let latest = match self.options.receiver {
            Receiver::Folder => latest(&items, self.shares.trees()),
            // What was not hashed must not be taken for what was.
            Receiver::Server => Recent::default(),
        };
        Ok(Gathered { stretches: self.stretches.clone(), items, options: self.options, latest })
    }
}

/// What is in memory of the newest versions among `items`.
fn latest(items: &[Item], trees: Vec<(ObjectId, Arc<[u8]>)>) -> Recent {
    let replaced: HashSet<ObjectId> = items.iter().filter_map(|item| item.before).collect();
    let trees = trees.into_iter().map(|(id, data)| Object { id, kind: Kind::Tree, data });
    let files = items.iter().filter_map(|item| match (item.kind, &item.known) {
        (Kind::Blob, Some(Known::Whole(content))) => {
            Some(Object { id: item.id, kind: Kind::Blob, data: content.as_slice().into() })
        }
        _ => None,
    });
    Recent::of(trees.chain(files).filter(|object| !replaced.contains(&object.id)))
}

impl Gathered {
    /// Some of the newest trees and files in memory: whoever merges them, or pushes the merge, is going to read them.
    #[must_use]
    pub fn latest(&self) -> &Recent {
        &self.latest
    }

    /// Makes them ready.
    ///
    /// # Errors
    ///
    /// Where an object cannot be read, or they are too large to be held in memory. The push is then made without them.
    pub fn encode(self, repo: &Repository) -> gix::Result<Ready> {
        let laid = lay_out(repo, &self.items, self.options)?;
        Ok(Ready { stretches: self.stretches, laid, receiver: self.options.receiver })
    }
}

impl Ready {
    /// Whether such a receiver can be given them. What is ready for a folder is good enough for a server.
    pub(crate) fn is_good_for(&self, receiver: Receiver) -> bool {
        self.is_whole() || receiver == Receiver::Server
    }

    /// Whether each delta is of what is ready as well.
    pub(crate) fn is_whole(&self) -> bool {
        self.receiver == Receiver::Folder
    }

    /// The objects, each after what it is a delta of.
    pub(crate) fn laid(&self) -> &Laid {
        &self.laid
    }

    /// Where they begin and end.
    pub(crate) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }
}

fn lay_out(repo: &Repository, items: &[Item], options: Options) -> gix::Result<Laid> {
    let sizes = cores::sizes(repo, items, options.threads)?;
    let placed = order::arrange(items, &sizes, options.limits, &|_| options.thin);
    let mut layout = Layout::with_room(placed.len(), options.receiver);
    cores::encode(repo, items, &placed, options, |some| {
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

/// Objects in a walk, of which the trees are at hand.
struct InPassing<'a> {
    trees: RefCell<&'a mut Trees>,
    /// What was replaced, and so is mostly not as new as the rest.
    older: Option<ObjectId>,
}

impl Find for InPassing<'_> {
    fn try_find<'b>(&self, id: &oid, buffer: &'b mut Vec<u8>) -> gix::Result<Option<Data<'b>>> {
        let home = if self.older.as_deref() == Some(id) { Home::Pack } else { Home::File };
        let kind = self.trees.borrow_mut().read(home, id.to_owned(), buffer)?;
        Ok(Some(Data { kind, object_hash: id.kind(), data: buffer }))
    }
}
