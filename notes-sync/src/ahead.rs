//! Looks at our own commits, and makes them ready to be sent, while the remote is being asked for its.
//!
//! What was committed here since the last sync is known before the remote answers, and the remote takes its time. All
//! that is found out is found out once more by whoever needs it and does not have it: where something goes wrong here,
//! nothing is said of it.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use gix::{ObjectId, Repository};
use remote::{History, Passed, Ready, Stretch};

use crate::{commits::Commits, undone};

/// What was found out.
pub struct Ahead {
    /// The commits and what belongs to them, ready to be sent.
    pub ready: Ready,
    /// Commits that nothing is wrong with.
    pub fine: Vec<ObjectId>,
}

/// From how many commits on it is worth another thread.
const WORTH_IT: usize = 16;

/// Talks to the remote, and meanwhile looks at the commits in `own`.
pub fn beside<T, E>(
    commits: Commits<'_>,
    own: Vec<Stretch>,
    talk: impl FnOnce() -> Result<T, E>,
) -> (Result<T, E>, Option<Ahead>) {
    if own.is_empty() || thread::available_parallelism().map_or(1, usize::from) < 2 {
        return (talk(), None);
    }
    let unwanted = AtomicBool::new(false);
    let shared = commits.repo.clone().into_sync();
    thread::scope(|scope| {
        let looking = scope.spawn(|| look(&shared.to_thread_local(), commits.history, own, &unwanted));
        let said = talk();
        unwanted.store(said.is_err(), Ordering::Relaxed);
        (said, looking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn look(repo: &Repository, history: &History, own: Vec<Stretch>, unwanted: &AtomicBool) -> Option<Ahead> {
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
    // One processor is the remote's, be it this machine's.
    let ready = Ready::make(repo, history, own, 1, passing).ok()?;
    Some(Ahead { ready, fine })
}
