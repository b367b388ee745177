//! Getting what the remote has: `git fetch`.

use gix::{ObjectId, bstr::BStr, refs::FullName, refspec::RefSpec};

use crate::{Listing, Remote, Trouble, Watcher, shown};

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Fetch {
    configured: Configured,
    extra: Vec<RefSpec>,
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
        Self { configured: Configured::Used, extra: Vec::new(), action: "fetch".into() }
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
    /// [`Trouble::Misconfigured`], if that is no refspec.
    pub fn and(mut self, refspec: &str) -> Result<Self, Trouble> {
        let spec = gix::refspec::parse(BStr::new(refspec), gix::refspec::parse::Operation::Fetch).map_err(
            |error| {
                Trouble::misconfigured(
                    format!("'{refspec}' is no refspec to fetch: {}", shown::error(&error)),
                    "see `git help fetch` on <refspec>",
                )
            },
        )?;
        self.extra.push(spec.to_owned());
        Ok(self)
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
    /// What the remote listed: at least everything that a refspec matches.
    pub listing: Listing,
    /// The local refs that were written or pruned, in the order of their names.
    pub moved: Vec<Moved>,
    /// Updates that were not made, as they would have lost something.
    pub rejected: Vec<Rejected>,
    /// Objects received.
    pub objects: u64,
    /// Bytes that came over the wire.
    pub bytes: u64,
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
    /// A work tree has that branch checked out.
    CheckedOut,
    /// Somebody else wrote the ref meanwhile.
    MovedMeanwhile,
}

impl Remote<'_> {
    /// Fetches. The remote's objects arrive as one pack, which is on disk before a ref names them.
    ///
    /// # Errors
    ///
    /// Every [`Trouble`] of a connection. No ref is changed then, except with [`Trouble::Stopped`] and
    /// [`Trouble::Local`], which may come between two refs.
    pub fn fetch(&self, what: &Fetch, watcher: &dyn Watcher) -> Result<Fetched, Trouble> {
        let _ = (what, watcher);
        Err(Trouble::Local(anyhow::anyhow!("fetching is being written")))
    }
}
