//! Giving the lock back: all of it, or one's place among its owners.
//!
//! Only a lock with the right token is touched: who was overtaken must not free what is another's by now.

use std::{io, path::PathBuf};

use contract::Owner;

use crate::{
    Place, Process, Token, Trouble,
    fence::{ours, under_guard},
    leftovers, platform,
    take::{self, Onlookers},
    wings,
};

/// Whether a lock was still the one that was to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// It was, and is given back.
    Released,
    /// It was not, and stays as it is.
    NotOurs {
        /// Whose it is; `None` where it is nobody's.
        held_by: Option<Owner>,
    },
}

/// Removes the lock where it has this token.
///
/// # Errors
/// Where it cannot be removed.
pub fn release(place: &Place, token: &Token) -> Result<Release, Trouble> {
    let gone = under_guard(place, || match ours(place, token) {
        Ok((taken, _)) => {
            leftovers::clean(place, &taken.dir, token);
            set_aside(place, token).map(Ok).map_err(Trouble::refused("release", place))
        }
        Err(Trouble::Lost { by, .. }) => Ok(Err(by)),
        Err(trouble) => Err(trouble),
    })?;
    match gone {
        Ok(gone) => {
            // The lock is free; what it was made of may as well be removed by the next one.
            let _ = wings::remove(&gone);
            Ok(Release::Released)
        }
        Err(held_by) => Ok(Release::NotOurs { held_by }),
    }
}

/// Frees the lock in one step, by giving its directory another name: were its files removed one by one, a process
/// killed in the middle would leave a lock without an owner.
fn set_aside(place: &Place, token: &Token) -> io::Result<PathBuf> {
    let gone = wings::name_for_gone(place, token)?;
    platform::set_aside(&place.lock(), &gone)?;
    Ok(gone)
}

/// Takes a worker off the lock: where it was the last one of a lease, the lease begins anew.
pub fn leave(place: &Place, token: &Token, worker: &Process) -> Result<Release, Trouble> {
    under_guard(place, || match ours(place, token) {
        Ok((taken, record)) => {
            let onlookers = Onlookers::of(&taken, record.lease());
            let written = take::write(place, &taken.dir, &record.left_by(worker), onlookers);
            written.map(|()| Release::Released).map_err(Trouble::refused("leave", place))
        }
        Err(Trouble::Lost { by, .. }) => Ok(Release::NotOurs { held_by: by }),
        Err(trouble) => Err(trouble),
    })
}
