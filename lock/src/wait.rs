//! Waits for the lock.
//!
//! A waiter sleeps until a name beside the lock is removed, or a tenth of a second has passed, since no event reports
//! that an owner has died. The first in the queue then tries to take the lock; the others let it, unless it does not
//! seem to want to.

use std::time::{Duration, Instant};

use contract::Reclaimed;

use crate::{
    LockError, LockPaths, LockRequest, Record, Token, Verdict,
    error::Remedy,
    guard_file::Guarded,
    judge,
    look::LockState,
    platform::Watch,
    process::Life,
    queue::{self, Ticket},
    take::{Attempt, Holder, attempt},
};

/// How long a process is willing to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long it waits for a lock that another process holds.
    pub wait: Duration,
    /// How long a lock's owner may give no sign of life before the lock counts as stale.
    pub stale_after: Duration,
}

/// How often a waiter checks whether the lock is stale.
const PULSE: Duration = Duration::from_millis(100);

/// How long the lock has to be left untaken, for each waiter ahead in the queue, before it is taken out of turn.
const COURTESY: Duration = Duration::from_millis(50);

/// The minimum wait for the guard file, even for a caller that does not wait for the lock.
const GUARD_PATIENCE: Duration = Duration::from_secs(2);

/// A lock that was acquired.
#[derive(Debug)]
pub struct Acquired {
    /// The content of its owner file.
    pub record: Record,
    /// The stale lock that it replaced, if any.
    pub reclaimed: Option<Reclaimed>,
    /// How long the caller waited for it.
    pub waited: Duration,
    /// Whether the file system has kernel locks; without them a stale lock is not cleared automatically.
    pub guarded: bool,
}

/// Takes the lock, waiting for it. `waiting` is called with the current holder whenever that changes.
///
/// # Errors
/// [`LockError::Deferred`] if it was not acquired in time; [`LockError::OwnerEnded`], [`LockError::Obstacle`] and
/// [`LockError::Refused`].
pub fn acquire(
    place: &LockPaths,
    wish: &LockRequest,
    patience: &Patience,
    waiting: &mut dyn FnMut(&Holder),
) -> Result<Acquired, LockError> {
    let began = Instant::now();
    let deadline = later(began, patience.wait);
    let token = Token::fresh();
    let mut ticket = None;
    let mut watch = None;
    let mut known: Option<Holder> = None;
    let mut newly_come = true;
    loop {
        let guard_deadline = deadline.max(later(Instant::now(), GUARD_PATIENCE));
        let guarded = Guarded::enter(place, guard_deadline).map_err(LockError::refused("guard", place))?;
        let Some(guarded) = guarded else { return Err(deferred(place, known, began)) };
        // A caller that does not want to wait does not queue either.
        let lets_others_go_first = newly_come && !patience.wait.is_zero() && queue::length(place) != 0;
        newly_come = false;
        if let Some(owner) = wish.owner.as_ref().filter(|owner| owner.life() == Life::Dead) {
            // Nobody would give it back, and a script's `mkdir` does not know that it is stale.
            return Err(LockError::OwnerEnded { pid: owner.pid });
        }
        if !lets_others_go_first {
            match attempt(place, &guarded, &token, wish, patience)? {
                Attempt::Acquired { record, reclaimed } => {
                    let guarded = guarded.excludes_others();
                    return Ok(Acquired { record: *record, reclaimed, waited: began.elapsed(), guarded });
                }
                Attempt::Held(holder) => {
                    if known.as_ref() != Some(&holder) {
                        waiting(&holder);
                    }
                    known = Some(holder);
                }
            }
        }
        if Instant::now() >= deadline {
            return Err(deferred(place, known, began));
        }
        if ticket.is_none() && guarded.excludes_others() {
            ticket = Ticket::draw(place, &token);
        }
        drop(guarded);
        let watch = watch.get_or_insert_with(|| Watch::new(place.common_dir()));
        sleep_until_it_may_be_had(place, patience, watch, ticket.as_ref(), deadline);
    }
}

/// Sleeps until the lock is free or stale and it is this waiter's turn, but not beyond `deadline`.
fn sleep_until_it_may_be_had(
    place: &LockPaths,
    patience: &Patience,
    watch: &Watch,
    ticket: Option<&Ticket>,
    deadline: Instant,
) {
    let mut pulse = later(Instant::now(), PULSE);
    let mut stale = false;
    let mut to_be_had_since = None;
    loop {
        let now = Instant::now();
        if now >= deadline {
            return;
        }
        if now >= pulse {
            stale = is_stale(place, patience);
            pulse = later(now, PULSE);
        }
        if stale || !place.lock().exists() {
            let since = *to_be_had_since.get_or_insert(now);
            let rank = ticket.map_or(0, Ticket::rank);
            let courtesy = COURTESY * u32::try_from(rank).unwrap_or(u32::MAX).min(20);
            if now.duration_since(since) >= courtesy {
                return;
            }
        } else {
            to_be_had_since = None;
        }
        watch.wait(pulse.min(deadline).saturating_duration_since(now));
    }
}

fn is_stale(place: &LockPaths, patience: &Patience) -> bool {
    match LockState::look(place) {
        Ok(LockState::Taken(taken)) => {
            taken.is_ahead_of_time()
                || matches!(judge(&taken.facts(), patience.stale_after), Verdict::Stale(_))
        }
        // If it is free, obstructed or cannot be read, the next attempt finds out.
        Ok(LockState::Free | LockState::Obstacle(_)) | Err(_) => true,
    }
}

fn deferred(place: &LockPaths, holder: Option<Holder>, began: Instant) -> LockError {
    let remedy = match &holder {
        Some(Holder { stale: true, .. }) => Remedy::ClearByHand,
        _ => Remedy::NextRun,
    };
    let held_by = holder.map(|holder| holder.owner);
    LockError::Deferred { path: place.lock(), held_by, waited: began.elapsed(), remedy }
}

/// Returns the time `by` after `from`; if the clock cannot represent that, a time beyond any run.
fn later(from: Instant, by: Duration) -> Instant {
    let far = Duration::from_secs(10 * 365 * 24 * 3600);
    from.checked_add(by).unwrap_or_else(|| from + far)
}
