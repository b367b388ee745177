//! How long to wait for the lock, and how.
//!
//! Who waits sleeps until a name goes away beside the lock, or a tenth of a second has passed: no event tells that an
//! owner has died. Who is first in the queue then tries; the others let it, unless it does not seem to want to.

use std::time::{Duration, Instant};

use contract::Reclaimed;

use crate::{
    Place, Record, Token, Trouble, Verdict, Wish,
    guard_file::Guarded,
    judge,
    look::Sight,
    platform::Watch,
    queue::{self, Ticket},
    take::{Attempt, Holder, attempt},
    trouble::Remedy,
};

/// How long one is willing to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a lock that somebody else holds.
    pub wait: Duration,
    /// For a sign of life of a lock's owner, before it counts as stale.
    pub stale_after: Duration,
}

/// How often the owner's pulse is felt while waiting.
const PULSE: Duration = Duration::from_millis(100);

/// For how long the lock has to be left lying before one passes by each of those who are first.
const COURTESY: Duration = Duration::from_millis(50);

/// How long one waits for the guard file at least, also where one does not wait for the lock.
const GUARD_PATIENCE: Duration = Duration::from_secs(2);

/// A lock that was had.
#[derive(Debug)]
pub struct Took {
    /// What it says of itself.
    pub record: Record,
    /// The stale lock that it was before.
    pub reclaimed: Option<Reclaimed>,
    /// How long it was waited for.
    pub waited: Duration,
    /// Whether the file system has kernel locks; without them a stale lock is not cleared by itself.
    pub guarded: bool,
}

/// Takes the lock, waiting for it. `waiting` is told whom one waits for, whenever that changes.
///
/// # Errors
/// [`Trouble::Deferred`] where it was not had in time; [`Trouble::Obstacle`] and [`Trouble::Refused`].
pub fn acquire(
    place: &Place,
    wish: &Wish,
    patience: &Patience,
    waiting: &mut dyn FnMut(&Holder),
) -> Result<Took, Trouble> {
    let began = Instant::now();
    let deadline = later(began, patience.wait);
    let token = Token::fresh();
    let mut ticket = None;
    let mut watch = None;
    let mut known: Option<Holder> = None;
    let mut newly_come = true;
    loop {
        let guard_deadline = deadline.max(later(Instant::now(), GUARD_PATIENCE));
        let guarded = Guarded::enter(place, guard_deadline).map_err(Trouble::refused("guard", place))?;
        let Some(guarded) = guarded else { return Err(deferred(place, known, began)) };
        // Who does not want to wait does not stand in line either.
        let lets_others_go_first = newly_come && !patience.wait.is_zero() && queue::length(place) != 0;
        newly_come = false;
        if !lets_others_go_first {
            match attempt(place, &guarded, &token, wish, patience)? {
                Attempt::Took { record, reclaimed } => {
                    let guarded = guarded.excludes_others();
                    return Ok(Took { record: *record, reclaimed, waited: began.elapsed(), guarded });
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

/// Sleeps until the lock is free or stale and it is this one's turn, but not beyond `deadline`.
fn sleep_until_it_may_be_had(
    place: &Place,
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

fn is_stale(place: &Place, patience: &Patience) -> bool {
    match Sight::look(place) {
        Ok(Sight::Taken(taken)) => {
            taken.is_ahead_of_time()
                || matches!(judge(&taken.facts(), patience.stale_after), Verdict::Stale(_))
        }
        // What is free or in the way, or cannot be looked at, is for the next attempt to say.
        Ok(Sight::Free | Sight::Obstacle(_)) | Err(_) => true,
    }
}

fn deferred(place: &Place, holder: Option<Holder>, began: Instant) -> Trouble {
    let remedy = match &holder {
        Some(Holder { stale: true, .. }) => Remedy::ClearByHand,
        _ => Remedy::NextRun,
    };
    let held_by = holder.map(|holder| holder.owner);
    Trouble::Deferred { path: place.lock(), held_by, waited: began.elapsed(), remedy }
}

/// A moment that far from now; where the clock cannot count that far, one far enough away that nobody sees it.
fn later(from: Instant, by: Duration) -> Instant {
    let far = Duration::from_secs(10 * 365 * 24 * 3600);
    from.checked_add(by).unwrap_or_else(|| from + far)
}
