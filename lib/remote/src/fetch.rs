//! Getting what the remote has: `git fetch`.

mod directly;
mod line;
mod negotiate;
mod refs;
mod want;

use gix::{
    ObjectId,
    bstr::{BStr, BString},
    refs::FullName,
    refspec::RefSpec,
};

pub(crate) use self::refs::tips;
use self::want::{Specs, Want};
use crate::{
    Change, Direction, Listing, Recent, Remote, Step, Trouble, Watcher,
    local_ref::{self, Value},
    pack::{
        sound::{self, Missing},
        store::Arriving,
    },
};

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
    /// What the remote's configuration says: `remote.<name>.fetch`, tags as `remote.<name>.tagOpt` says, refs
    /// that are gone pruned as `remote.<name>.prune` and `fetch.prune` say.
    #[must_use]
    pub fn configured() -> Self {
        Self { configured: Configured::Used, extra: Vec::new(), listed: Vec::new(), action: "fetch".into() }
    }

    /// Only what is then [added](Self::and): no configured refspec, no tags, no pruning.
    #[must_use]
    pub fn only() -> Self {
        Self { configured: Configured::LeftOut, ..Self::configured() }
    }

    /// Fetches `refspec` too, over the same connection. It need not match anything at the remote.
    ///
    /// # Errors
    ///
    /// [`Trouble::Local`], if that is no refspec: what users write is looked at where they are told of it.
    pub fn and(mut self, refspec: &str) -> Result<Self, Trouble> {
        let spec = gix::refspec::parse(BStr::new(refspec), gix::refspec::parse::Operation::Fetch)
            .map_err(|error| Trouble::local("reading a refspec", error))?;
        self.extra.push(spec.to_owned());
        Ok(self)
    }

    /// Lists the remote's refs whose names begin with `prefix` too, without fetching them.
    #[must_use]
    pub fn listing(mut self, prefix: &str) -> Self {
        self.listed.push(prefix.into());
        self
    }

    /// The first word of the reflog messages; `fetch` unless said otherwise.
    #[must_use]
    pub fn logged_as(mut self, action: &str) -> Self {
        self.action = action.to_owned();
        self
    }
}

/// What a fetch brought.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// What the remote listed: at least everything that a refspec matches or that was to be [listed](Fetch::listing).
    pub listing: Listing,
    /// The local refs that were written or pruned, in the order of their names.
    pub moved: Vec<Moved>,
    /// Updates that were not made, as they would have lost something.
    pub rejected: Vec<Rejected>,
    /// Objects received.
    pub objects: u64,
    /// Bytes that came over the wire.
    pub bytes: u64,
    /// What is in the pack that came, if it was small.
    pub recent: Recent,
}

/// A local ref that a fetch changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The local ref, usually below `refs/remotes/`.
    pub local: FullName,
    /// What it was; `None` if it is new.
    pub old: Option<ObjectId>,
    /// What it is now; `None` if it was pruned.
    pub new: Option<ObjectId>,
}

/// A local ref that a fetch left as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The local ref.
    pub local: FullName,
    /// What the remote has.
    pub theirs: ObjectId,
    /// Why it was not taken.
    pub why: Why,
}

/// Why a fetched value was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The local ref has commits that the remote's does not, and the refspec has no `+`.
    NotFastForward,
    /// A tag of that name is there and is another one.
    TagExists,
    /// Another ref's name is in the way, as a file is in the way of a folder of the same name.
    NameTaken,
    /// A work tree has that branch checked out.
    CheckedOut,
    /// Somebody else wrote the ref meanwhile.
    MovedMeanwhile,
}

impl Remote<'_> {
    /// Fetches. The remote's objects arrive as one pack, or as some from a folder of this machine, and are on disk
    /// before a ref names them.
    ///
    /// # Errors
    ///
    /// Every [`Trouble`] of a connection. No ref is changed then, except with [`Trouble::Stopped`] and
    /// [`Trouble::Local`], which may come between two refs.
    pub fn fetch(&self, what: &Fetch, watcher: &dyn Watcher) -> Result<Fetched, Trouble> {
        let specs = Specs::of(self, what);
        let mut prefixes = specs.prefixes();
        if !prefixes.is_empty() {
            // Without any, everything is listed.
            prefixes.extend(what.listed.iter().cloned());
        }
        let direct = self.direct(Direction::Fetch)?;
        let directly = direct.map(|direct| self.receive_directly(&direct, &specs, &prefixes, watcher));
        let received = match directly.transpose() {
            Ok(Some(received)) => received,
            Ok(None) => self.receive_over_a_line(&specs, &prefixes, watcher)?,
            Err(_) => {
                // What was looked at and not kept must not be taken for what is here.
                self.history.forget();
                self.receive_over_a_line(&specs, &prefixes, watcher)?
            }
        };
        let Received { called, listing, want, incoming, soundness } = received;
        let mut fetched =
            Fetched { listing, objects: incoming.objects, bytes: incoming.bytes, ..Fetched::default() };
        fetched.recent = incoming.recent();
        // What cannot be held in memory has to be kept first to be looked at.
        let is_at_hand = incoming.packs.iter().all(|pack| !pack.recent.is_empty());
        let check =
            || self.check(&fetched.recent, &want, watcher).map_err(|missing| unsound(&called, missing));
        if soundness == Soundness::Unknown && is_at_hand {
            check()?;
        }
        // Until the refs are written.
        let mut held = Vec::new();
        if !incoming.packs.is_empty() {
            watcher.may_change(Change::Objects).map_err(Trouble::Stopped)?;
            for pack in incoming.packs {
                let kept = pack.keep(self.repo);
                let into = || {
                    format!("keeping the received pack in {}", self.repo.objects.store_ref().path().display())
                };
                held.push(kept.map_err(|error| Trouble::local(&into(), error))?);
            }
        }
        if soundness == Soundness::Unknown && !is_at_hand {
            check()?;
        }
        let listing = fetched.listing.clone();
        refs::prune(self, specs.configured(), &listing, watcher, &mut fetched)?;
        refs::update(self, want.targets(self.repo), &what.action, watcher, &mut fetched)?;
        drop(held);
        fetched.moved.sort_by(|a, b| a.local.cmp(&b.local));
        Ok(fetched)
    }

    /// Makes sure that all is here that belongs to what refs are to name: a server that leaves an object out would give
    /// us a branch that cannot be checked out, and that we would then build on. It need not have been left out just
    /// now.
    fn check(&self, recent: &Recent, want: &Want, watcher: &dyn Watcher) -> Result<(), Missing> {
        self.check_all(recent, self.to_be_moved(want)?, watcher)
    }

    /// Whether what is here and asked for has all that belongs to it: what no ref leads to may be there in parts, as
    /// `git gc` takes away what is old of it.
    fn trust(&self, want: &Want, watcher: &dyn Watcher) -> Trust {
        let missing = want.missing(self.repo);
        let sound = self.to_be_moved(want).map_err(Missing::from).and_then(|new| {
            let here = new.into_iter().filter(|id| !missing.contains(id)).collect();
            self.check_all(&Recent::default(), here, watcher)
        });
        if sound.is_ok() { Trust::WhatIsHere } else { Trust::WhatRefsName }
    }

    /// What local refs are to name that name something else now.
    fn to_be_moved(&self, want: &Want) -> gix::Result<Vec<ObjectId>> {
        let mut new = Vec::new();
        for target in want.targets(self.repo) {
            if local_ref::read(self.repo, target.local.as_ref())? != Value::Object(target.theirs) {
                new.push(target.theirs);
            }
        }
        Ok(new)
    }

    fn check_all(&self, recent: &Recent, new: Vec<ObjectId>, watcher: &dyn Watcher) -> Result<(), Missing> {
        if new.is_empty() {
            return Ok(());
        }
        let looked_at = &mut |_| watcher.progress(Step::Indexing);
        sound::check(self.repo, recent, &self.history, &new, &refs::tips(self.repo)?, looked_at)
    }
}

/// What the remote has, and what came of it.
struct Received {
    /// How the remote is called in messages.
    called: String,
    listing: Listing,
    want: Want,
    incoming: Incoming,
    soundness: Soundness,
}

/// What is here of what is asked for, and need not come once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// All that is here.
    WhatIsHere,
    /// Only what refs lead to: something else is here in parts.
    WhatRefsName,
}

/// Whether all that belongs to what came is known to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Soundness {
    Known,
    Unknown,
}

/// What came over the wire, or from the remote's own repository.
#[derive(Default)]
struct Incoming {
    packs: Vec<Arriving>,
    objects: u64,
    bytes: u64,
}

impl Incoming {
    fn recent(&self) -> Recent {
        Recent::joined(&self.packs.iter().map(|pack| pack.recent.clone()).collect::<Vec<_>>())
    }
}

/// The remote does not have all that it says.
fn unsound(called: &str, missing: Missing) -> Trouble {
    let what = match missing {
        Missing::Blob(id) => format!("object {id} is missing"),
        Missing::Unreadable(error) => words::error(&error),
    };
    Trouble::unreachable(
        format!("{called} did not send all that belongs to its refs: {what}"),
        "the repository there is damaged: run `git fsck` in it",
    )
}
