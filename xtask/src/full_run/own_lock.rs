//! Gives back the lock that belongs to this process, if none of its steps did.
//!
//! The lock is taken by a step, but for this process. A step that is killed just after it has taken the lock leaves no
//! document that says so: only the lock itself tells whose it is. Scripts that use the same lock know nothing of
//! processes, and would wait until it expires.

use anyhow::Context as _;
use camino::Utf8Path;
use lock::{Inherited, Life, LockPaths, LockState, Process, Record, release};

/// Releases the lock of the repository around `directory` if it was taken for this process.
///
/// Every step must have ended: one that still ran could take the lock after this.
///
/// # Errors
/// The lock cannot be read or removed.
pub fn give_back(directory: &Utf8Path) -> anyhow::Result<()> {
    // Where no repository is found, no step can have locked one.
    let Ok(repo) = phase::discover(directory).and_then(|repo| phase::place(&repo)) else { return Ok(()) };
    let place = LockPaths::new(repo.common_dir);
    let LockState::Taken(taken) = LockState::look(&place).context("the lock cannot be read")? else {
        return Ok(());
    };
    match taken.record.filter(is_ours) {
        // The lock is released, or was taken over meanwhile: either way it is no longer this process's.
        Some(record) => release(&place, &record.token).map(drop).context("the lock cannot be removed"),
        None => Ok(()),
    }
}

/// Whether the lock was taken for this very process, and not for an earlier one with the same pid. `lock run` may have
/// become this process: then it has the same pid, but the lock is the caller's, who knows its token.
fn is_ours(record: &Record) -> bool {
    let me = Process::current();
    let is_me =
        |owner: &Process| owner.pid == me.pid && owner.start == me.start && owner.life() == Life::Alive;
    record.owner.as_ref().is_some_and(is_me) && !Inherited::from_environment().contains(&record.token)
}
