//! Defines the interface to the lock that the runner uses.
//!
//! The runner holds the lock for a phase, and the `lock` crate implements it; but that crate also contains phases and
//! depends on the runner. So the runner defines the traits here, and each `main` passes in the lock crate's
//! implementation.

use camino::Utf8Path;

use crate::{Fault, LockArgs};

/// Acquires a repository's lock for the runner.
pub trait LockManager {
    /// Called while the document is awaited: the place to find out what does not depend on the document.
    fn look_ahead(&self) {}

    /// Joins the lock of the document's run and becomes one of its owners while the phase works.
    ///
    /// # Errors
    /// A fault with exit 75 if the lock no longer has this token.
    fn enter(&self, common_dir: &Utf8Path, token: &str) -> Result<Box<dyn Guard>, Fault>;

    /// Takes the lock for the duration of a phase, or joins the one that `LOCKSTEP_TOKEN` names.
    ///
    /// # Errors
    /// A fault with exit 75 if another run holds it for longer than `args.wait`.
    fn take(&self, common_dir: &Utf8Path, args: &LockArgs) -> Result<Box<dyn Guard>, Fault>;

    /// Returns a function that can be called any number of times and tells whether the process `owner` of this
    /// machine holds the lock.
    fn question(&self, common_dir: &Utf8Path, owner: u32) -> Box<dyn Fn() -> bool + Send>;
}

/// A lock that is held; dropping it releases the lock, or leaves it to the run as a lease.
pub trait Guard: Send + Sync {
    /// Checks that the lock is still this run's. To be called before each change.
    ///
    /// # Errors
    /// A fault with exit 75 if another run took the lock over; nothing may be changed after that.
    fn check(&self) -> Result<(), Fault>;

    /// Gives a sign of life, so that the lock does not become stale. To be called whenever the work makes progress,
    /// as often as one likes.
    fn alive(&self);

    /// Returns the token of this lock, to be passed to programs in `LOCKSTEP_TOKEN`; `None` if no lock is held.
    fn token(&self) -> Option<&str>;

    /// Whether this guard shares a lock that another process took, so that other phases of the run may join before
    /// this one leaves.
    fn is_shared(&self) -> bool {
        false
    }

    /// Records that this process made the file that is now at `path`, which has a name that other programs use too,
    /// such as `index.lock`. If the process is killed, the next holder of the lock removes that very file, but not a
    /// later one at the same path.
    ///
    /// # Errors
    /// A fault with exit 75 if another run took the lock over.
    fn made(&self, _path: &Utf8Path) -> Result<(), Fault> {
        Ok(())
    }

    /// Records that a file passed to [`Guard::made`] is gone, or is to stay.
    fn finished(&self, _path: &Utf8Path) {}
}

/// The guard of a phase that works without a lock: one that changes nothing, or was given `--no-lock`.
#[derive(Debug, Clone, Copy)]
pub struct Unlocked;

impl Guard for Unlocked {
    fn check(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn alive(&self) {}

    fn token(&self) -> Option<&str> {
        None
    }
}
