//! Looks at our own commits, and makes them ready to be sent, while the remote is being asked for its and both are
//! merged.
//!
//! What was committed here since the last sync is known before the remote answers, and the remote takes its time. All
//! that is found out is found out once more by whoever needs it and does not have it: where something goes wrong here,
//! nothing is said of it.

use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
};

use gix::{ObjectId, Repository};
use remote::{Effort, Gathered, Gathering, History, Near, Passed, Ready, Stretch};
use threads::Place;

use crate::{commits::Commits, undone};

/// Somebody who looks ahead, or nobody.
pub struct Ahead<'a> {
    look: &'a Look<'a>,
    repo: &'a Repository,
    /// Of who looks ahead.
    place: Arc<Place>,
    done: Receiver<()>,
    ready: Receiver<Arc<Ready>>,
}

/// From how many commits on it is worth another thread.
const WORTH_IT: usize = 16;

impl Ahead<'_> {
    /// Commits that nothing is wrong with. Takes part in looking at them until all were looked at.
    pub fn fine(&self) -> Vec<ObjectId> {
        self.look.take_part(self.repo);
        if threads::waiting(|| self.done.recv()).is_err() {
            return Vec::new();
        }
        // There is more to be done there.
        self.place.avoid();
        std::mem::take(&mut self.look.fine.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The commits and what belongs to them, ready to be sent, as soon as they are.
    pub fn ready(&self) -> Option<Arc<Ready>> {
        threads::waiting(|| self.ready.recv()).ok()
    }
}

/// Where the commits are to go.
pub struct Target {
    /// How well they are compressed.
    pub effort: Effort,
    /// The remote, where a push to it may begin ahead of time.
    pub near: Option<Near>,
}

/// Does the `work`, and beside it looks at the commits in `own`, and makes them ready for the `target`.
pub fn beside<T>(
    commits: Commits<'_>,
    own: Vec<Stretch>,
    target: Target,
    work: impl FnOnce(&Ahead<'_>) -> T,
) -> T {
    let ((tell_done, done), (tell_ready, ready)) = (mpsc::channel(), mpsc::channel());
    let place = Arc::new(Place::default());
    let Commits { repo, history } = commits;
    let look = &Look::of(history);
    let ahead = Ahead { look, repo, place: Arc::clone(&place), done, ready };
    if own.is_empty() || threads::free(1) == 0 {
        drop((tell_done, tell_ready));
        return work(&ahead);
    }
    let shared = &repo.clone().into_sync();
    thread::scope(|scope| {
        // Where it ends early, so do the channels.
        threads::spawn(scope, move || {
            let repo = shared.to_thread_local();
            let gathered = look.all(&repo, own)?;
            place.here();
            tell_done.send(()).ok()?;
            let ready = gathered.encode(&repo, target.effort).ok()?;
            let Some(near) = target.near else { return tell_ready.send(Arc::new(ready)).ok() };
            let ready = Arc::new(ready.to_be_begun());
            tell_ready.send(Arc::clone(&ready)).ok()?;
            ready.begin(&near);
            Some(())
        });
        let done = work(&ahead);
        look.unwanted.store(true, Ordering::Relaxed);
        done
    })
}

/// A look at commits, by all who take part in it.
struct Look<'a> {
    history: &'a History,
    /// The commits, as soon as it is known which they are.
    gathering: OnceLock<Gathering<'a>>,
    fine: Mutex<Vec<ObjectId>>,
    unwanted: AtomicBool,
}

impl<'a> Look<'a> {
    fn of(history: &'a History) -> Self {
        let (gathering, fine) = (OnceLock::new(), Mutex::default());
        Self { history, gathering, fine, unwanted: AtomicBool::new(false) }
    }

    /// Looks at all of `own` that nobody else looks at, and waits for the others. `None`: it is not worth it, or cannot
    /// be done.
    fn all(&self, repo: &Repository, own: Vec<Stretch>) -> Option<Gathered> {
        let (tips, known) = own.iter().map(|one| (one.tip, one.known)).unzip();
        if self.history.between(repo, tips, known).ok()?.len() < WORTH_IT {
            return None;
        }
        self.gathering.set(Gathering::of(repo, self.history, own).ok()?).ok()?;
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
        let commits = Commits { repo: passed.repo, history: self.history };
        if undone::is_explained(commits, passed).unwrap_or(false) {
            self.fine.lock().unwrap_or_else(PoisonError::into_inner).push(passed.commit.id);
        }
        Ok(())
    }
}
