//! Looks at our own commits, and makes them ready to be sent, while the remote is being asked for its and both are
//! merged.
//!
//! What was committed here since the last sync is known before the remote answers, and the remote takes its time. All
//! that is found out is found out once more by whoever needs it and does not have it: where something goes wrong here,
//! nothing is said of it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
};

use gix::{ObjectId, Repository};
use remote::{Effort, Gathered, History, Passed, Ready, Stretch};
use threads::Place;

use crate::{commits::Commits, undone};

/// Somebody who looks ahead, or nobody.
pub struct Ahead {
    /// Of who looks ahead.
    place: Arc<Place>,
    fine: Receiver<Vec<ObjectId>>,
    ready: Receiver<Ready>,
}

/// From how many commits on it is worth another thread.
const WORTH_IT: usize = 16;

impl Ahead {
    /// Commits that nothing is wrong with; waits until all were looked at.
    pub fn fine(&self) -> Vec<ObjectId> {
        let fine = self.fine.recv().unwrap_or_default();
        // There is more to be done there.
        self.place.avoid();
        fine
    }

    /// The commits and what belongs to them, ready to be sent, as soon as they are.
    pub fn ready(&self) -> Option<Ready> {
        self.ready.recv().ok()
    }
}

/// Does the `work`, and beside it looks at the commits in `own`, and makes them ready with so much `effort`.
pub fn beside<T>(
    commits: Commits<'_>,
    own: Vec<Stretch>,
    effort: Effort,
    work: impl FnOnce(&Ahead) -> T,
) -> T {
    let ((tell_fine, fine), (tell_ready, ready)) = (mpsc::channel(), mpsc::channel());
    let place = Arc::new(Place::default());
    let ahead = Ahead { place: Arc::clone(&place), fine, ready };
    if own.is_empty() || thread::available_parallelism().map_or(1, usize::from) < 2 {
        drop((tell_fine, tell_ready));
        return work(&ahead);
    }
    let unwanted = &AtomicBool::new(false);
    let shared = &commits.repo.clone().into_sync();
    thread::scope(|scope| {
        // Where it ends early, so do the channels.
        threads::spawn(scope, move || {
            let repo = shared.to_thread_local();
            let (gathered, fine) = look(&repo, commits.history, own, unwanted)?;
            place.here();
            tell_fine.send(fine).ok()?;
            tell_ready.send(gathered.encode(&repo, effort).ok()?).ok()
        });
        let done = work(&ahead);
        unwanted.store(true, Ordering::Relaxed);
        done
    })
}

fn look(
    repo: &Repository,
    history: &History,
    own: Vec<Stretch>,
    unwanted: &AtomicBool,
) -> Option<(Gathered, Vec<ObjectId>)> {
    let (tips, known) = own.iter().map(|one| (one.tip, one.known)).unzip();
    if history.between(repo, tips, known).ok()?.len() < WORTH_IT {
        return None;
    }
    let commits = Commits { repo, history };
    let mut fine = Vec::new();
    let passing = &mut |passed: Passed<'_>| {
        if unwanted.load(Ordering::Relaxed) {
            return Err(gix::Error::from_error(io::Error::other("nobody asks for it any more")));
        }
        if undone::is_explained(commits, &passed).unwrap_or(false) {
            fine.push(passed.commit.id);
        }
        Ok(())
    };
    let gathered = Gathered::of(repo, history, own, passing).ok()?;
    Some((gathered, fine))
}
