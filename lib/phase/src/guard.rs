//! The lock, as a phase sees it.
//!
//! The runner holds the lock for a phase, and the `lock` crate knows how; but that crate is itself a phase and needs
//! the runner. So the runner names what it needs here, and each `main` hands it the lock crate's answer.

use camino::Utf8Path;

use crate::{Fault, LockArgs};

/// How the runner gets hold of a repository's lock.
pub trait Keeper {
    /// Called while the document is awaited: the place to find out what is the same whatever the document says.
    fn look_ahead(&self) {}

    /// Joins the lock that the document's run holds, and becomes its owner while the phase works.
    ///
    /// # Errors
    /// A fault with exit 75 where the lock no longer has this token.
    fn enter(&self, common_dir: &Utf8Path, token: &str) -> Result<Box<dyn Guard>, Fault>;

    /// Takes the lock for a phase's own duration, or joins the one that `LOCKSTEP_TOKEN` names.
    ///
    /// # Errors
    /// A fault with exit 75 where somebody else holds it for longer than `args.wait`.
    fn take(&self, common_dir: &Utf8Path, args: &LockArgs) -> Result<Box<dyn Guard>, Fault>;

    /// A question that can be asked again and again: whether the process `owner` of this machine holds the lock.
    fn question(&self, common_dir: &Utf8Path, owner: u32) -> Box<dyn Fn() -> bool + Send>;
}

/// A lock that is held; dropping it gives it back, or leaves it to the run as a lease.
pub trait Guard: Send + Sync {
    /// To be called before each change: whether the lock is still this run's.
    ///
    /// # Errors
    /// A fault with exit 75 where somebody took the lock over; nothing may be changed any more.
    fn check(&self) -> Result<(), Fault>;

    /// To be called whenever something moved forward: it keeps the lock from counting as stale. It may be called as
    /// often as one likes.
    fn alive(&self);

    /// The token that stands for this lock, to be handed to programs in `LOCKSTEP_TOKEN`; `None` where no lock is held.
    fn token(&self) -> Option<&str>;

    /// Whether it is a place in somebody else's lock, and others of the run may come into theirs before this one is left.
    fn is_shared(&self) -> bool {
        false
    }

    /// Notes that the file which is at `path` now, of a name that others use too such as `index.lock`, was made by this
    /// process. Should the process be killed, the lock's next holder removes that very file, and none that came later
    /// to the same path.
    ///
    /// # Errors
    /// A fault with exit 75 where somebody took the lock over.
    fn made(&self, _path: &Utf8Path) -> Result<(), Fault> {
        Ok(())
    }

    /// Notes that a file which [`Guard::made`] was told of is gone, or is to stay.
    fn finished(&self, _path: &Utf8Path) {}
}

/// The guard of a phase that works without a lock: one that changes nothing, or was told `--no-lock`.
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
