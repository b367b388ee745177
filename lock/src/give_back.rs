//! Releases the lock, or one process's share in it.
//!
//! Only a lock with the right token is touched: a process that was overtaken must not release what belongs to another
//! by now.

use std::{io, path::PathBuf};

use contract::Owner;

use crate::{
    LockError, LockPaths, Process, Token,
    fence::{ours, under_guard},
    leftovers, platform, staging,
    take::{self, Onlookers},
};

/// Whether a lock was still the one that was to be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// It was, and is released.
    Released,
    /// It was not, and is left unchanged.
    NotOurs {
        /// Its owner; `None` if there is no lock.
        held_by: Option<Owner>,
    },
}

/// Removes the lock if it has this token.
///
/// # Errors
/// If it cannot be removed.
pub fn release(place: &LockPaths, token: &Token) -> Result<Release, LockError> {
    let gone = under_guard(place, || match ours(place, token) {
        Ok((taken, _)) => {
            leftovers::clean(place, &taken.dir, token);
            set_aside(place, token).map(Ok).map_err(LockError::refused("release", place))
        }
        Err(LockError::Lost { by, .. }) => Ok(Err(by)),
        Err(trouble) => Err(trouble),
    })?;
    match gone {
        Ok(gone) => {
            // The lock is free already; the next taker may as well remove what is left of its directory.
            let _ = staging::remove(&gone);
            Ok(Release::Released)
        }
        Err(held_by) => Ok(Release::NotOurs { held_by }),
    }
}

/// Frees the lock in one step by renaming its directory: if its files were removed one by one, a process killed in
/// between would leave a lock without an owner.
fn set_aside(place: &LockPaths, token: &Token) -> io::Result<PathBuf> {
    let gone = staging::name_for_gone(place, token)?;
    platform::set_aside(&place.lock(), &gone)?;
    Ok(gone)
}

/// Removes a worker from the lock; if it was the last one of a lease, the lease begins anew.
pub fn leave(place: &LockPaths, token: &Token, worker: &Process) -> Result<Release, LockError> {
    under_guard(place, || match ours(place, token) {
        Ok((taken, record)) => {
            let onlookers = Onlookers::of(&taken, record.lease());
            let written = take::write(place, &taken.dir, &record.left_by(worker), onlookers);
            written.map(|()| Release::Released).map_err(LockError::refused("leave", place))
        }
        Err(LockError::Lost { by, .. }) => Ok(Release::NotOurs { held_by: by }),
        Err(trouble) => Err(trouble),
    })
}
