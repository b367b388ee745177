//! Whether the lock is still one's own: the question before each change.

use std::time::{Duration, Instant};

use crate::{
    Inherited, Place, Record, Token, Trouble, courtesy,
    guard_file::Guarded,
    look::{Sight, Taken},
};

/// How long entering, leaving and giving back wait for the guard file. It is held for
/// a tenth of a second, and for [`courtesy::LONGEST`] where the machine is very busy.
const GUARD_PATIENCE: Duration = courtesy::LONGEST.saturating_mul(4);

/// The token of the lock at `place`, where it is the lock of one of this process's callers.
///
/// # Errors
/// Where the lock cannot be looked at.
pub fn joinable(place: &Place, inherited: &Inherited) -> Result<Option<Record>, Trouble> {
    match Sight::look(place).map_err(Trouble::refused("look at", place))? {
        Sight::Taken(taken) => Ok(taken.record.filter(|record| inherited.contains(&record.token))),
        Sight::Free | Sight::Obstacle(_) => Ok(None),
    }
}

/// The lock, where it has this token.
///
/// # Errors
/// [`Trouble::Lost`] where it has not.
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

/// Does something while nobody can take the lock over.
///
/// # Errors
/// [`Trouble::Stuck`] where somebody else has the guard file for longer than its use ever takes.
pub fn under_guard<T>(place: &Place, work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    let guarded = Guarded::enter(place, Instant::now() + GUARD_PATIENCE)
        .map_err(Trouble::refused("guard", place))?
        .ok_or_else(|| Trouble::Stuck { path: place.guard() })?;
    let done = work();
    drop(guarded);
    done
}
