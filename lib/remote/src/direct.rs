//! A remote in a folder of this machine, read and written without a server program.
//!
//! Git starts `git-upload-pack` and `git-receive-pack` for such a remote too. For what a sync moves, to start them and
//! to talk to them takes several times as long as their work. All that they would do besides is written in the remote's
//! own repository and configuration: hooks, limits, checks, hidden refs, who may use it. Where anything of that is,
//! [`fitness`] leaves the remote to them. So it is with whatever is large, odd, or fails here: they do it from the
//! beginning, and theirs are the words that the user reads.
//!
//! What is fetched is checked like what arrives over a wire: each object against its id, and all of them for what they
//! lead to. What is pushed was hashed when it was read here, and the walk that has found it has found all that it leads
//! to: as a pack it lands there as it is, see [`landing`](crate::pack::landing).

mod fetch;
mod fitness;
mod push;
mod refs;
mod whole;

use std::{
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

use gix::{Repository, url::Scheme};

pub(crate) use self::{
    fetch::Ask,
    push::{Offer, Taken},
};
use crate::{Direction, History, Remote, Trouble, transport::place::Place};

/// The repository of a remote on this machine.
pub(crate) struct Direct {
    repo: Repository,
    history: History,
    /// How the remote is called in messages.
    pub called: String,
}

/// What was found at a path, so that it need not be looked for again.
#[derive(Default)]
pub(crate) struct Found(Option<(PathBuf, Option<Rc<Direct>>)>);

impl Remote<'_> {
    /// The remote's own repository, where it can do without a server program.
    ///
    /// # Errors
    ///
    /// Those of finding out where the remote is.
    pub(crate) fn direct(&self, direction: Direction) -> Result<Option<Rc<Direct>>, Trouble> {
        let place = Place::of(self, direction)?;
        let (Scheme::File, None, Some(path)) = (&place.url.scheme, &place.program, place.local) else {
            return Ok(None);
        };
        let mut found = self.direct.borrow_mut();
        if found.0.as_ref().is_none_or(|(known, _)| *known != path) {
            let direct = Direct::open(self.repo, &path, place.called).map(Rc::new);
            found.0 = Some((path, direct));
        }
        Ok(found.0.as_ref().and_then(|(_, direct)| direct.clone()))
    }
}

impl Direct {
    fn open(ours: &Repository, path: &Path, called: String) -> Option<Self> {
        if !fitness::is_whole(ours) {
            return None;
        }
        let repo = fitness::open(ours, path)?;
        Some(Self { history: History::of(&repo), repo, called })
    }
}

/// The server program is to do it.
fn left_to_others(why: &'static str) -> gix::Error {
    gix::Error::from_error(io::Error::other(why))
}
