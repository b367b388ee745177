//! Checks whether the lock still belongs to this process's run, as is done before each change.

use std::time::{Duration, Instant};

use crate::{
    Inherited, Place, Record, Token, Trouble, courtesy,
    guard_file::Guarded,
    look::{Sight, Taken},
};

/// How long entering, leaving and releasing wait for the guard file. It may be held for a tenth of a second, or for
/// [`courtesy::LONGEST`] if the machine is very busy.
const GUARD_PATIENCE: Duration = courtesy::LONGEST.saturating_mul(4);

/// Returns the record of the lock at `place` if it is the lock of one of this process's callers.
///
/// # Errors
/// If the lock cannot be read.
pub fn joinable(place: &Place, inherited: &Inherited) -> Result<Option<Record>, Trouble> {
    match Sight::look(place).map_err(Trouble::refused("look at", place))? {
        Sight::Taken(taken) => Ok(taken.record.filter(|record| inherited.contains(&record.token))),
        Sight::Free | Sight::Obstacle(_) => Ok(None),
    }
}

/// Returns the lock if it has this token.
///
/// # Errors
/// [`Trouble::Lost`] if it has not.
pub fn ours(place: &Place, token: &Token) -> Result<(Box<Taken>, Record), Trouble> {
    let lost = |by| Trouble::Lost { path: place.lock(), by };
    match Sight::look(place).map_err(Trouble::refused("look at", place))? {
        Sight::Free | Sight::Obstacle(_) => Err(lost(None)),
        Sight::Taken(taken) => match &taken.record {
            Some(record) if record.token == *token => {
                let record = record.clone();
                Ok((taken, record))
            }
            _ => Err(lost(Some(taken.owner()))),
        },
    }
}

/// Does something while no process can take the lock over.
///
/// # Errors
/// [`Trouble::Stuck`] if another process has the guard file for longer than its use ever takes.
pub fn under_guard<T>(place: &Place, work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    let guarded = Guarded::enter(place, Instant::now() + GUARD_PATIENCE)
        .map_err(Trouble::refused("guard", place))?
        .ok_or_else(|| Trouble::Stuck { path: place.guard() })?;
    let done = work();
    drop(guarded);
    done
}
