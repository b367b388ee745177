//! Fetches from a remote, like `git fetch`.

mod local;
mod negotiate;
mod refs;
mod shallow;
mod want;
mod wire;

use gix::{
    ObjectId,
    bstr::{BStr, BString},
    refs::FullName,
    refspec::RefSpec,
};
use store::{
    RecentObjects,
    connectivity::{self, Missing},
    local_ref::{self, Value},
    pack::incoming::IncomingPack,
};

pub(crate) use self::refs::tips;
use self::{
    shallow::Ends,
    want::{Specs, Want},
};
use crate::{Change, Direction, RefAdvertisement, Remote, RemoteError, Step, Watcher};

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Fetch {
    configured: Configured,
    extra: Vec<RefSpec>,
    listed: Vec<BString>,
    action: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Configured {
    Used,
    LeftOut,
}

impl Fetch {
    /// Fetches what is configured: the refspecs of `remote.<name>.fetch`, tags by `remote.<name>.tagOpt`, with
    /// pruning by `remote.<name>.prune` and `fetch.prune`.
    #[must_use]
    pub fn configured() -> Self {
        Self { configured: Configured::Used, extra: Vec::new(), listed: Vec::new(), action: "fetch".into() }
    }

    /// Fetches only what is then [added](Self::and): no configured refspec, no tags, no pruning.
    #[must_use]
    pub fn only() -> Self {
        Self { configured: Configured::LeftOut, ..Self::configured() }
    }

    /// Also fetches `refspec`, over the same connection. It need not match anything at the remote.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Local`], if that is not a valid refspec: refspecs from users have to be validated by the caller.
    pub fn and(mut self, refspec: &str) -> Result<Self, RemoteError> {
        let spec = gix::refspec::parse(BStr::new(refspec), gix::refspec::parse::Operation::Fetch)
            .map_err(|error| RemoteError::local("reading a refspec", error))?;
        self.extra.push(spec.to_owned());
        Ok(self)
    }

    /// Also lists the remote's refs whose names begin with `prefix`, without fetching them.
    #[must_use]
    pub fn listing(mut self, prefix: &str) -> Self {
        self.listed.push(prefix.into());
        self
    }

    /// Sets the first word of the reflog messages; by default, `fetch`.
    #[must_use]
    pub fn logged_as(mut self, action: &str) -> Self {
        self.action = action.to_owned();
        self
    }
}

/// The result of a fetch.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// The remote's refs: at least those that a refspec matches or that were to be [listed](Fetch::listing).
    pub listing: RefAdvertisement,
    /// The local refs that were written or pruned, in the order of their names.
    pub moved: Vec<Moved>,
    /// Updates that were not made, since they would have lost something.
    pub rejected: Vec<Rejected>,
    /// The number of objects received.
    pub objects: u64,
    /// The number of bytes received.
    pub bytes: u64,
    /// The objects of the received pack, if it was small.
    pub recent: RecentObjects,
}

/// A local ref that a fetch changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The local ref, usually below `refs/remotes/`.
    pub local: FullName,
    /// The old value; `None` if the ref is new.
    pub old: Option<ObjectId>,
    /// The new value; `None` if the ref was pruned.
    pub new: Option<ObjectId>,
}

/// A local ref that a fetch left unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The local ref.
    pub local: FullName,
    /// The remote's value.
    pub theirs: ObjectId,
    /// Why the ref was not updated.
    pub why: Why,
}

/// Why a fetched value was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The local ref has commits that the remote's lacks, and the refspec has no `+`.
    NotFastForward,
    /// A different tag of that name exists.
    TagExists,
    /// The name conflicts with another ref, as a file's with that of a directory.
    NameTaken,
    /// A worktree has that branch checked out.
    CheckedOut,
    /// Another process wrote the ref meanwhile.
    MovedMeanwhile,
}

impl Remote<'_> {
    /// Fetches. The remote's objects arrive as one pack, or as several from a directory of this machine, and are on
    /// disk before a ref points to them.
    ///
    /// # Errors
    ///
    /// Every [`RemoteError`] of a connection. No ref is changed then, except with [`RemoteError::Stopped`] and
    /// [`RemoteError::Local`], which may occur between two refs.
    pub fn fetch(&self, what: &Fetch, watcher: &dyn Watcher) -> Result<Fetched, RemoteError> {
        let specs = Specs::of(self, what);
        let mut prefixes = specs.prefixes();
        if !prefixes.is_empty() {
            // Without prefixes, everything is listed.
            prefixes.extend(what.listed.iter().cloned());
        }
        let direct = self.direct(Direction::Fetch)?;
        let directly = direct.map(|direct| self.receive_directly(&direct, &specs, &prefixes, watcher));
        let received = match directly.transpose() {
            Ok(Some(received)) => received,
            Ok(None) => self.receive_over_a_line(&specs, &prefixes, watcher)?,
            Err(_) => {
                // What was read from objects that are not kept must not be taken for what is here.
                self.history.forget();
                self.receive_over_a_line(&specs, &prefixes, watcher)?
            }
        };
        let Received { called, listing, want, incoming, soundness } = received;
        let mut fetched =
            Fetched { listing, objects: incoming.objects, bytes: incoming.bytes, ..Fetched::default() };
        fetched.recent = incoming.recent();
        // A pack that is not held in memory has to be kept first to be checked.
        let is_at_hand = incoming.packs.iter().all(|pack| !pack.recent.is_empty());
        let ends = incoming.ends;
        let check =
            || self.check(&fetched.recent, &want, watcher).map_err(|missing| unsound(&called, ends, missing));
        if soundness == Connectivity::Unknown && is_at_hand {
            check()?;
        }
        // Protects the packs until the refs are written.
        let mut held = Vec::new();
        if !incoming.packs.is_empty() {
            watcher.may_change(Change::Objects).map_err(RemoteError::Stopped)?;
            for pack in incoming.packs {
                let kept = pack.keep(self.repo);
                let into = || {
                    format!("keeping the received pack in {}", self.repo.objects.store_ref().path().display())
                };
                held.push(kept.map_err(|error| RemoteError::local(&into(), error))?);
            }
        }
        if soundness == Connectivity::Unknown && !is_at_hand {
            check()?;
        }
        let listing = fetched.listing.clone();
        refs::prune(self, specs.configured(), &listing, watcher, &mut fetched)?;
        refs::update(self, want.targets(self.repo), &what.action, watcher, &mut fetched)?;
        drop(held);
        fetched.moved.sort_by(|a, b| a.local.cmp(&b.local));
        Ok(fetched)
    }

    /// The connectivity check of the values that refs will get. A server that leaves out an object would otherwise
    /// give us a branch that cannot be checked out, and that we would then build on. The object may also have been
    /// missing before.
    fn check(&self, recent: &RecentObjects, want: &Want, watcher: &dyn Watcher) -> Result<(), Missing> {
        self.check_all(recent, self.to_be_moved(want)?, watcher)
    }

    /// Returns which of the wanted objects that are here can be relied on: what is reachable from no ref may be
    /// incomplete, since `git gc` prunes old objects.
    fn trust(&self, want: &Want, watcher: &dyn Watcher) -> Trust {
        let missing = want.missing(self.repo);
        let sound = self.to_be_moved(want).map_err(Missing::from).and_then(|new| {
            let here = new.into_iter().filter(|id| !missing.contains(id)).collect();
            self.check_all(&RecentObjects::default(), here, watcher)
        });
        if sound.is_ok() { Trust::WhatIsHere } else { Trust::WhatRefsName }
    }

    /// Returns the new values of local refs that will change.
    fn to_be_moved(&self, want: &Want) -> gix::Result<Vec<ObjectId>> {
        let mut new = Vec::new();
        for target in want.targets(self.repo) {
            if local_ref::read(self.repo, target.local.as_ref())? != Value::Object(target.theirs) {
                new.push(target.theirs);
            }
        }
        Ok(new)
    }

    fn check_all(
        &self,
        recent: &RecentObjects,
        new: Vec<ObjectId>,
        watcher: &dyn Watcher,
    ) -> Result<(), Missing> {
        if new.is_empty() {
            return Ok(());
        }
        let looked_at = &mut |_| watcher.progress(Step::Indexing);
        connectivity::check(self.repo, recent, &self.history, &new, &refs::tips(self.repo)?, looked_at)
    }
}

/// What the remote has, and what was received from it.
struct Received {
    /// How messages refer to the remote.
    called: String,
    listing: RefAdvertisement,
    want: Want,
    incoming: Incoming,
    soundness: Connectivity,
}

/// Which wanted objects that are here need not be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// All of them.
    WhatIsHere,
    /// Only what is reachable from refs: other objects are incomplete.
    WhatRefsName,
}

/// Whether the connectivity check of the received objects has been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connectivity {
    Known,
    Unknown,
}

/// What was received, from a server or from the remote's own repository.
#[derive(Default)]
struct Incoming {
    packs: Vec<IncomingPack>,
    objects: u64,
    bytes: u64,
    ends: Ends,
}

impl Incoming {
    fn recent(&self) -> RecentObjects {
        RecentObjects::joined(&self.packs.iter().map(|pack| pack.recent.clone()).collect::<Vec<_>>())
    }
}

/// The error for a remote that lacks objects reachable from its refs.
fn unsound(called: &str, ends: Ends, missing: Missing) -> RemoteError {
    if ends == Ends::CutOff {
        return RemoteError::refused(
            format!("{called} is a shallow clone, and the history before it is not here either"),
            "have its history completed there: `git fetch --unshallow`",
        );
    }
    let what = match missing {
        Missing::Blob(id) => format!("object {id} is missing"),
        Missing::Unreadable(error) => sanitize::error(&error),
    };
    RemoteError::unreachable(
        format!("{called} did not send all that belongs to its refs: {what}"),
        "the repository there is damaged: run `git fsck` in it",
    )
}
