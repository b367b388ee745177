//! Looks at our own commits, and makes them ready to be sent, while the steps before this one are at work, the remote is
//! being asked for its commits, and both are merged.
//!
//! What was committed here since the last sync is known before all that. What is found out is found out once more by
//! whoever needs it and does not have it: where something goes wrong here, nothing is said of it. Until it is asked for,
//! it gives way to whoever wants the processor: the steps that are waited for.

use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use anyhow::Result;
use gix::{ObjectId, Repository};
use remote::{Gathered, Gathering, History, Passed, Ready, Receiver, Recent, Remote, RemoteName, Stretch};
use threads::Place;

use crate::{commits::Commits, exchange, globs::Globs, look, refs, undone};

/// Somebody who looks ahead. Dropping it leaves it to itself, and it soon ends.
pub struct Ahead {
    own: Vec<Stretch>,
    look: Arc<Look>,
    /// Of who looks ahead.
    place: Arc<Place>,
    done: mpsc::Receiver<Recent>,
    ready: mpsc::Receiver<Ready>,
}

/// What was seen of commits.
#[derive(Default)]
pub struct Seen {
    /// Those that nothing is wrong with.
    pub fine: Vec<ObjectId>,
    /// Some of their newest trees and notes.
    pub latest: Recent,
}

/// From how many commits on it is worth another thread.
const WORTH_IT: usize = 16;

impl Ahead {
    /// Begins to look at what was committed to the refs that match since `remote` was last known to be in step, before
    /// anybody asks for it. `None`: there is nothing, or no processor for it.
    ///
    /// # Errors
    /// Where the refs cannot be read, or there is no such remote.
    pub fn early(repo: &Repository, globs: &Globs, remote: &RemoteName) -> Result<Option<Self>> {
        let mut own = Vec::new();
        for name in look::local_refs(repo, globs)? {
            let tip = refs::read(repo, name.full().as_ref())?.commit;
            own.extend(stretch(look::tracked(repo, &name, remote)?, tip));
        }
        if own.is_empty() {
            return Ok(None);
        }
        let remote = Remote::named(repo, remote).map_err(exchange::fault)?;
        Ok(Self::begin(&remote, own))
    }

    /// Begins to look at the commits in `own`, which are to go to `remote`. `None`: there are none, or there is no
    /// processor for it.
    pub fn begin(remote: &Remote<'_>, own: Vec<Stretch>) -> Option<Self> {
        if own.is_empty() || threads::free(1) == 0 {
            return None;
        }
        let ((tell_done, done), (tell_ready, ready)) = (mpsc::channel(), mpsc::channel());
        let (look, place) = (Arc::new(Look::of(remote)), Arc::new(Place::default()));
        let (its_look, its_place, its_own) = (Arc::clone(&look), Arc::clone(&place), own.clone());
        let shared = remote.repo().clone().into_sync();
        // Where it ends early, so do the channels.
        let work = move || -> Option<()> {
            let repo = shared.to_thread_local();
            let gathered = its_look.all(&repo, its_own)?;
            its_place.here();
            tell_done.send(gathered.latest().clone()).ok()?;
            tell_ready.send(gathered.encode(&repo).ok()?).ok()
        };
        threads::start("ahead", work).ok()?;
        Some(Self { own, look, place, done, ready })
    }

    /// What was read of the history on the way.
    pub fn history(&self) -> &History {
        &self.look.history
    }

    /// Whether these are the commits that it is about.
    pub fn is_about(&self, own: &[Stretch]) -> bool {
        self.own == own
    }

    /// From now on it is waited for.
    pub fn is_asked_for(&self) {
        self.look.asked.store(true, Ordering::Relaxed);
    }

    /// What was seen of the commits. Takes part in looking at them until all were looked at.
    pub fn seen(&self, repo: &Repository) -> Seen {
        self.look.take_part(repo);
        let Ok(latest) = self.done.recv() else { return Seen::default() };
        // There is more to be done there.
        self.place.avoid();
        let fine = std::mem::take(&mut *self.look.fine.lock().unwrap_or_else(PoisonError::into_inner));
        Seen { fine, latest }
    }

    /// The commits and what belongs to them, ready to be sent, as soon as they are.
    pub fn ready(&self) -> Option<Ready> {
        threads::waiting(|| self.ready.recv()).ok()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.look.unwanted.store(true, Ordering::Relaxed);
    }
}

/// What leads from what the remote was `known` to have to the `tip`.
pub fn stretch(known: Option<ObjectId>, tip: Option<ObjectId>) -> Option<Stretch> {
    let (known, tip) = (known?, tip?);
    (known != tip).then_some(Stretch { known, tip })
}

/// A look at commits, by all who take part in it.
struct Look {
    history: History,
    receiver: Receiver,
    /// The commits, as soon as it is known which they are.
    gathering: OnceLock<Gathering>,
    fine: Mutex<Vec<ObjectId>>,
    asked: AtomicBool,
    unwanted: AtomicBool,
}

impl Look {
    fn of(remote: &Remote<'_>) -> Self {
        Self {
            history: remote.history().clone(),
            receiver: remote.receiver(),
            gathering: OnceLock::new(),
            fine: Mutex::default(),
            asked: AtomicBool::new(false),
            unwanted: AtomicBool::new(false),
        }
    }

    /// Looks at all of `own` that nobody else looks at, and waits for the others. `None`: it is not worth it, or cannot
    /// be done.
    fn all(&self, repo: &Repository, own: Vec<Stretch>) -> Option<Gathered> {
        let (tips, known) = own.iter().map(|one| (one.tip, one.known)).unzip();
        if self.history.between(repo, tips, known).ok()?.len() < WORTH_IT {
            return None;
        }
        self.gathering.set(Gathering::of(repo, &self.history, own, self.receiver).ok()?).ok()?;
        self.take_part(repo);
        self.gathering.get()?.gathered().ok()
    }

    /// Looks at some of them, where there are some left.
    fn take_part(&self, repo: &Repository) {
        if let Some(gathering) = self.gathering.get() {
            gathering.take_part(repo, &|passed| self.pass(&passed));
        }
    }

    fn pass(&self, passed: &Passed<'_>) -> gix::Result<()> {
        if self.unwanted.load(Ordering::Relaxed) {
            return Err(gix::Error::from_error(io::Error::other("nobody asks for it any more")));
        }
        if !self.asked.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let commits = Commits { repo: passed.repo, history: &self.history, latest: &Recent::default() };
        if undone::is_explained(commits, passed).unwrap_or(false) {
            self.fine.lock().unwrap_or_else(PoisonError::into_inner).push(passed.commit.id);
        }
        Ok(())
    }
}
