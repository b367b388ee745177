//! What refs the remote has: `git ls-remote`.

use gix::{ObjectId, refs::FullName};

use crate::{Remote, Trouble, Watcher};

/// The refs of a remote at one moment, in the remote's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The refs that it has, without `HEAD`.
    pub refs: Vec<Listed>,
    /// The branch that the remote's `HEAD` names, if it is known; it need not exist (an empty repository).
    pub head: Option<FullName>,
}

/// One ref of a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name at the remote.
    pub name: FullName,
    /// The object it names.
    pub id: ObjectId,
    /// For an annotated tag: what the tag is of.
    pub peeled: Option<ObjectId>,
}

impl Listing {
    /// The object that ref `name` has at the remote; `None` if there is no such ref.
    #[must_use]
    pub fn id_of(&self, name: &gix::refs::FullNameRef) -> Option<ObjectId> {
        self.refs.iter().find(|listed| listed.name.as_ref() == name).map(|listed| listed.id)
    }
}

impl Remote<'_> {
    /// Asks the remote for its refs whose names begin with one of `prefixes`; all of them if there are none.
    ///
    /// # Errors
    ///
    /// Every [`Trouble`] of a connection.
    pub fn list(&self, prefixes: &[&str], watcher: &dyn Watcher) -> Result<Listing, Trouble> {
        let _ = (prefixes, watcher);
        Err(Trouble::Local(anyhow::anyhow!("listing is being written")))
    }
}
