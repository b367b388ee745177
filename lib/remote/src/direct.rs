//! Reads and writes a remote in a directory of this machine without a server program.
//!
//! Git starts `git-upload-pack` and `git-receive-pack` for such a remote too. For the amounts that a sync moves,
//! starting these programs and talking to them takes several times as long as their actual work. Everything else that
//! they would do is determined by the remote's repository and configuration: hooks, limits, checks, hidden refs,
//! permissions. Where any of these is set, [`eligibility`] leaves the remote to the server programs. The same goes for
//! anything large or unusual, and for any failure here: the programs then do the whole operation, and the user sees
//! their messages.
//!
//! What is fetched is checked like what arrives over a connection: each object against its id, and all of them for
//! connectivity. What is pushed was hashed when it was read here, and the walk that found it has found everything
//! reachable from it: a pack is stored in the remote as it is, see [`write_local`](store::pack::write_local).

mod copy_packs;
mod eligibility;
mod fetch;
mod push;
mod refs;

use std::{
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

use gix::{Repository, url::Scheme};
use store::History;

pub(crate) use self::{
    fetch::Ask,
    push::{Offer, Taken},
};
use crate::{Direction, Remote, RemoteError, transport::endpoint::Endpoint};

/// A remote's repository on this machine.
pub(crate) struct LocalRepo {
    repo: Repository,
    history: History,
    /// How messages refer to the remote.
    pub called: String,
}

/// What was found at a path, so that it is looked up only once.
#[derive(Default)]
pub(crate) struct Found(Option<(PathBuf, Option<Rc<LocalRepo>>)>);

impl Remote<'_> {
    /// Returns the remote's own repository, if it can be accessed without a server program.
    ///
    /// # Errors
    ///
    /// Those of determining where the remote is.
    pub(crate) fn direct(&self, direction: Direction) -> Result<Option<Rc<LocalRepo>>, RemoteError> {
        let place = Endpoint::of(self, direction)?;
        let (Scheme::File, None, Some(path)) = (&place.url.scheme, &place.program, place.local) else {
            return Ok(None);
        };
        let mut found = self.direct.borrow_mut();
        if found.0.as_ref().is_none_or(|(known, _)| *known != path) {
            let direct = LocalRepo::open(self.repo, &path, place.called).map(Rc::new);
            found.0 = Some((path, direct));
        }
        Ok(found.0.as_ref().and_then(|(_, direct)| direct.clone()))
    }
}

impl LocalRepo {
    fn open(ours: &Repository, path: &Path, called: String) -> Option<Self> {
        if !eligibility::is_whole(ours) {
            return None;
        }
        let repo = eligibility::open(ours, path)?;
        Some(Self { history: History::of(&repo), repo, called })
    }
}

/// The error that leaves the operation to the server program.
fn left_to_others(why: &'static str) -> gix::Error {
    gix::Error::from_error(io::Error::other(why))
}
