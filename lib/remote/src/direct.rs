//! A remote in a folder of this machine, read and written without a server program.
//!
//! Git starts `git-upload-pack` and `git-receive-pack` for such a remote too. For what a sync moves, to start them and
//! to talk to them takes several times as long as their work. All that they would do besides is written in the remote's
//! own repository and configuration: hooks, limits, checks, hidden refs, who may use it. Where anything of that is,
//! [`fitness`] leaves the remote to them. So it is with whatever is large, odd, or fails here: they do it from the
//! beginning, and theirs are the words that the user reads.
//!
//! What arrives on either side is checked like what arrives over a wire: each object against its id, and all of them
//! for what they lead to. Only of a push that was begun ahead of time what it leads to is known already.

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

use gix::{Repository, ThreadSafeRepository, url::Scheme};

pub(crate) use self::{
    fetch::Ask,
    push::{Offer, Taken},
};
use crate::{
    Direction, History, Ready, Remote, Trouble,
    pack::{arrive::Begun, ready::Started},
    transport::place::Place,
};

/// The repository of a remote on this machine.
pub(crate) struct Direct {
    repo: Repository,
    history: History,
    /// How the remote is called in messages.
    pub called: String,
}

/// The repository of a remote on this machine, for any thread.
pub struct Near(ThreadSafeRepository);

/// What was found at a path, so that it need not be looked for again.
#[derive(Default)]
pub(crate) struct Found(Option<(PathBuf, Option<Rc<Direct>>)>);

impl Remote<'_> {
    /// Where a push may begin ahead of time: a remote in a folder of this machine that does without a server program.
    #[must_use]
    pub fn near(&self) -> Option<Near> {
        let direct = self.direct(Direction::Push).ok()??;
        Some(Near(direct.repo.clone().into_sync()))
    }

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

impl Near {
    /// Takes apart what is `ready`, as a push does, and keeps nothing of it yet. `None`: something is wrong with it.
    ///
    /// Whether all is there that belongs to the commits need not be looked at once more: the walk that has found the
    /// objects has found all of them, and they come as what they are called, or not at all.
    pub(crate) fn begin(&self, ready: &Ready) -> Option<Started> {
        let repo = self.0.to_thread_local();
        let pack = fetch::in_memory(&repo, ready.encoded(), &[], &mut |_, _| ()).ok()?;
        let pack = Begun::of(&repo, pack)?;
        let is_what_was_found =
            pack.ids().len() == ready.encoded().len() && pack.ids().all(|id| ready.has(id));
        is_what_was_found.then(|| Started { at: repo.git_dir().to_owned(), pack })
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
