//! Prefetches the local commits that are to be pushed.
//!
//! They are walked, checked and encoded for sending on another thread, while earlier phases run, while the remote is
//! asked for its commits, and during the merge: which commits were made here since the last sync is known before all
//! that. The result is only a cache: a caller that does not get it computes it again, so errors are not reported
//! here. Until [`Ahead::is_asked_for`] is called, the thread yields the processor to the steps that the user is
//! waiting for.

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
use remote::{Remote, RemoteName};
use store::{
    CommitRange, History, ObjectWalk, PreparedPack, Receiver, RecentObjects, VisitedCommit, WalkedObjects,
};
use threads::ProcessorHint;

use crate::{clobbered, commits::Commits, exchange, globs::Globs, look, refs};

/// A prefetch of local commits on another thread. Dropping it makes that thread end soon, without waiting for it.
pub struct Ahead {
    own: Vec<CommitRange>,
    look: Arc<Look>,
    /// The processor that the prefetching thread runs on.
    place: Arc<ProcessorHint>,
    done: mpsc::Receiver<RecentObjects>,
    ready: mpsc::Receiver<PreparedPack>,
}

/// What was found out about commits.
#[derive(Default)]
pub struct Seen {
    /// Commits that did not undo another writer's notes.
    pub fine: Vec<ObjectId>,
    /// Some of their newest trees and notes.
    pub latest: RecentObjects,
}

/// The number of commits from which on another thread pays.
const WORTH_IT: usize = 16;

impl Ahead {
    /// Starts prefetching what was committed to the matching refs since `remote` was last known to be in sync. `None`
    /// if there is nothing to do, or no idle processor.
    ///
    /// # Errors
    /// If the refs cannot be read, or there is no such remote.
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

    /// Starts prefetching the commits in `own`, which are to be pushed to `remote`. `None` if there are none, or no
    /// idle processor.
    pub fn begin(remote: &Remote<'_>, own: Vec<CommitRange>) -> Option<Self> {
        if own.is_empty() || threads::free(1) == 0 {
            return None;
        }
        let ((tell_done, done), (tell_ready, ready)) = (mpsc::channel(), mpsc::channel());
        let (look, place) = (Arc::new(Look::of(remote)), Arc::new(ProcessorHint::default()));
        let (its_look, its_place, its_own) = (Arc::clone(&look), Arc::clone(&place), own.clone());
        let shared = remote.repo().clone().into_sync();
        // If the thread ends early, the channels are closed.
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

    /// Returns the commit cache that the prefetch fills.
    pub fn history(&self) -> &History {
        &self.look.history
    }

    /// Whether it prefetches exactly these commits.
    pub fn is_about(&self, own: &[CommitRange]) -> bool {
        self.own == own
    }

    /// Marks the result as waited for: from now on the thread does not yield the processor.
    pub fn is_asked_for(&self) {
        self.look.asked.store(true, Ordering::Relaxed);
    }

    /// Returns what was found out about the commits. The calling thread helps with the walk until it is complete.
    pub fn seen(&self, repo: &Repository) -> Seen {
        self.look.take_part(repo);
        let Ok(latest) = self.done.recv() else { return Seen::default() };
        // The prefetching thread goes on to encode the objects, so leave its processor to it.
        self.place.avoid();
        let fine = std::mem::take(&mut *self.look.fine.lock().unwrap_or_else(PoisonError::into_inner));
        Seen { fine, latest }
    }

    /// Waits for the commits and their objects to be encoded, and returns them ready for sending.
    pub fn ready(&self) -> Option<PreparedPack> {
        threads::waiting(|| self.ready.recv()).ok()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.look.unwanted.store(true, Ordering::Relaxed);
    }
}

/// Returns the range of commits from what the remote was `known` to have up to `tip`; `None` if it is empty or has no
/// such ends.
pub fn stretch(known: Option<ObjectId>, tip: Option<ObjectId>) -> Option<CommitRange> {
    let (known, tip) = (known?, tip?);
    (known != tip).then_some(CommitRange { known, tip })
}

/// The walk over commits, shared by all threads that take part in it.
struct Look {
    history: History,
    receiver: Receiver,
    /// The walk's work queue, set as soon as the commits are known.
    gathering: OnceLock<ObjectWalk>,
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

    /// Walks all commits of `own`, together with the other threads that take part, and waits for those. `None` if
    /// there are too few commits to pay, or on an error.
    fn all(&self, repo: &Repository, own: Vec<CommitRange>) -> Option<WalkedObjects> {
        let (tips, known) = own.iter().map(|one| (one.tip, one.known)).unzip();
        if self.history.between(repo, tips, known).ok()?.len() < WORTH_IT {
            return None;
        }
        self.gathering.set(ObjectWalk::of(repo, &self.history, own, self.receiver).ok()?).ok()?;
        self.take_part(repo);
        self.gathering.get()?.gathered().ok()
    }

    /// Walks commits of the queue while there are some left.
    fn take_part(&self, repo: &Repository) {
        if let Some(gathering) = self.gathering.get() {
            gathering.take_part(repo, &|passed| self.pass(&passed));
        }
    }

    fn pass(&self, passed: &VisitedCommit<'_>) -> gix::Result<()> {
        if self.unwanted.load(Ordering::Relaxed) {
            return Err(gix::Error::from_error(io::Error::other("nobody asks for it any more")));
        }
        if !self.asked.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let commits =
            Commits { repo: passed.repo, history: &self.history, latest: &RecentObjects::default() };
        if clobbered::is_explained(commits, passed).unwrap_or(false) {
            self.fine.lock().unwrap_or_else(PoisonError::into_inner).push(passed.commit.id);
        }
        Ok(())
    }
}
