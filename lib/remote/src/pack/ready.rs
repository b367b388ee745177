//! What is going to be pushed, made ready while something else is waited for.
//!
//! Whoever fetches and then pushes knows most of the pack beforehand: one's own commits since the remote was last in
//! step. A server takes its time to put together what it sends; meanwhile these are walked and compressed.

use std::{cell::RefCell, io, path::PathBuf, sync::OnceLock};

use gix::{
    ObjectId, Repository,
    hash::oid,
    hashtable::HashSet,
    objs::{Data, Find},
    zlib::Compression,
};

use super::{
    Item, LARGEST_AT_ONCE, MOST_AT_ONCE,
    arrive::Begun,
    cores,
    encode::Encoded,
    one_change::Replaced,
    order,
    shares::Shares,
    trees::Trees,
    write::{Failure, Offsets, Options},
};
use crate::{
    direct::Near,
    history::{Commit, History, replaces},
};

/// Commits of one's own, and all that belongs to them, in the form in which they are sent.
pub struct Ready {
    stretches: Vec<Stretch>,
    encoded: Vec<Encoded>,
    ids: HashSet<ObjectId>,
    /// Set where a push is going to be begun: what came of it.
    begun: Option<OnceLock<Option<Started>>>,
}

/// Commits of one's own, and what belongs to them.
pub struct Gathered {
    stretches: Vec<Stretch>,
    items: Vec<Item>,
    options: Options,
}

/// Commits of one's own that are walked by all who take part in it.
pub struct Gathering {
    stretches: Vec<Stretch>,
    shares: Shares,
    options: Options,
}

/// A pack that a remote in a folder of this machine has taken apart, and does not keep yet.
pub(crate) struct Started {
    /// The remote's folder.
    pub at: PathBuf,
    pub pack: Begun,
}

/// How well what is sent is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As `pack.compression` says.
    Configured,
    /// As fast as it goes.
    Least,
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
    /// Finds the commits of `stretches`.
    ///
    /// # Errors
    ///
    /// Where one cannot be read. The push is then made without it, and says what is wrong, if it is.
    pub fn of(repo: &Repository, history: &History, stretches: Vec<Stretch>) -> gix::Result<Self> {
        if replaces(repo) {
            return Err(given_up("where commits are replaced, two histories would have to be walked"));
        }
        let tips: Vec<_> = stretches.iter().map(|stretch| stretch.tip).collect();
        let known: Vec<_> = stretches.iter().map(|stretch| stretch.known).collect();
        let shares = Shares::of(repo, history, &tips, &known, MOST_AT_ONCE)?;
        Ok(Self { stretches, shares, options: Options::of(repo, Offsets::Understood) })
    }

    /// Walks some of them, as long as there are some that nobody walks. Each is shown to `passing`, which stops it all
    /// by failing.
    pub fn take_part(&self, repo: &Repository, passing: &dyn Fn(Passed<'_>) -> gix::Result<()>) {
        self.shares.take_part(repo, &mut |_| (), &|commit, replaced, trees| {
            passing(Passed { repo, commit, replaced, objects: &InPassing(RefCell::new(trees)) })
        });
    }

    /// What was found, when all that was taken has been walked.
    ///
    /// # Errors
    ///
    /// Where an object could not be read, there are too many to be held in memory, or somebody stopped it.
    pub fn gathered(&self) -> gix::Result<Gathered> {
        let items = self.shares.found()?;
        Ok(Gathered { stretches: self.stretches.clone(), items, options: self.options })
    }
}

impl Gathered {
    /// Makes them ready.
    ///
    /// # Errors
    ///
    /// Where an object cannot be read, or they are too large to be held in memory. The push is then made without them.
    pub fn encode(self, repo: &Repository, effort: Effort) -> gix::Result<Ready> {
        let level = match effort {
            Effort::Configured => self.options.level,
            Effort::Least => Compression::BEST_SPEED,
        };
        let encoded = encode(repo, &self.items, Options { level, ..self.options })?;
        let ids = self.items.into_iter().map(|item| item.id).collect();
        Ok(Ready { stretches: self.stretches, encoded, ids, begun: None })
    }
}

impl Ready {
    /// A push of these is going to be [begun](Self::begin); whoever pushes waits for that.
    #[must_use]
    pub fn to_be_begun(self) -> Self {
        Self { begun: Some(OnceLock::new()), ..self }
    }

    /// Has `near` take the objects apart already, as a push does, and keep nothing of them yet. A push then need not do
    /// it. Where something is wrong, the push finds it, and says it.
    pub fn begin(&self, near: &Near) {
        /// Whoever waits must not wait for somebody who has died.
        struct Promise<'a>(&'a OnceLock<Option<Started>>);

        impl Drop for Promise<'_> {
            fn drop(&mut self) {
                let _ = self.0.set(None);
            }
        }

        if let Some(begun) = &self.begun {
            let promise = Promise(begun);
            let _ = promise.0.set(near.begin(self));
        }
    }

    /// What has been begun at `repo`, if it was there.
    pub(crate) fn begun_at(&self, repo: &Repository) -> Option<&Begun> {
        let begun = self.begun.as_ref().and_then(|begun| threads::waiting(|| begun.wait()).as_ref());
        begun.filter(|started| started.at == repo.git_dir()).map(|started| &started.pack)
    }

    /// The objects, each after what it is a delta of.
    pub(crate) fn encoded(&self) -> &[Encoded] {
        &self.encoded
    }

    /// Whether an object is among them.
    pub(crate) fn has(&self, id: ObjectId) -> bool {
        self.ids.contains(&id)
    }

    /// Where they begin and end.
    pub(crate) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }
}

fn encode(repo: &Repository, items: &[Item], options: Options) -> gix::Result<Vec<Encoded>> {
    let sizes = cores::sizes(repo, items, options.threads)?;
    let placed = order::arrange(items, &sizes, options.limits);
    let (mut all, mut bytes) = (Vec::with_capacity(placed.len()), 0);
    let encoded = cores::encode(repo, items, &placed, options, |some| {
        bytes += some.iter().filter_map(|one| one.deflated.as_ref()).map(Vec::len).sum::<usize>();
        all.extend(some);
        if bytes > LARGEST_AT_ONCE {
            Err(Failure::Source(given_up("the objects are too large")))
        } else {
            Ok(())
        }
    });
    match encoded {
        Ok(()) => Ok(all),
        Err(Failure::Source(error)) => Err(error),
        Err(Failure::Sink(error)) => Err(gix::Error::from_error(error)),
    }
}

pub(super) fn given_up(why: &'static str) -> gix::Error {
    gix::Error::from_error(io::Error::other(why))
}

/// Objects in a walk, of which the trees are at hand.
struct InPassing<'a>(RefCell<&'a mut Trees>);

impl Find for InPassing<'_> {
    fn try_find<'b>(&self, id: &oid, buffer: &'b mut Vec<u8>) -> gix::Result<Option<Data<'b>>> {
        let kind = self.0.borrow_mut().read(id.to_owned(), buffer)?;
        Ok(Some(Data { kind, object_hash: id.kind(), data: buffer }))
    }
}
