//! Checks whether the lock still belongs to this process's run, as is done before each change.

use std::time::{Duration, Instant};

use crate::{
    Inherited, LockError, LockPaths, Record, Token,
    guard_file::Guarded,
    handover_pause,
    look::{LockState, Taken},
};

/// How long entering, leaving and releasing wait for the guard file. It may be held for a tenth of a second, or for
/// [`handover_pause::LONGEST`] if the machine is very busy.
const GUARD_PATIENCE: Duration = handover_pause::LONGEST.saturating_mul(4);

/// Returns the record of the lock at `place` if it is the lock of one of this process's callers.
///
/// # Errors
/// If the lock cannot be read.
pub fn joinable(place: &LockPaths, inherited: &Inherited) -> Result<Option<Record>, LockError> {
    match LockState::look(place).map_err(LockError::refused("look at", place))? {
        LockState::Taken(taken) => Ok(taken.record.filter(|record| inherited.contains(&record.token))),
        LockState::Free | LockState::Obstacle(_) => Ok(None),
    }
}

/// Returns the lock if it has this token.
///
/// # Errors
/// [`LockError::Lost`] if it has not.
pub fn ours(place: &LockPaths, token: &Token) -> Result<(Box<Taken>, Record), LockError> {
    let lost = |by| LockError::Lost { path: place.lock(), by };
    match LockState::look(place).map_err(LockError::refused("look at", place))? {
        LockState::Free | LockState::Obstacle(_) => Err(lost(None)),
        LockState::Taken(taken) => match &taken.record {
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
/// [`LockError::Stuck`] if another process has the guard file for longer than its use ever takes.
pub fn under_guard<T>(
    place: &LockPaths,
    work: impl FnOnce() -> Result<T, LockError>,
) -> Result<T, LockError> {
    let guarded = Guarded::enter(place, Instant::now() + GUARD_PATIENCE)
        .map_err(LockError::refused("guard", place))?
        .ok_or_else(|| LockError::Stuck { path: place.guard() })?;
    let done = work();
    drop(guarded);
    done
}
