//! Decides whether a lock is stale, as a pure function on which the rest of the crate relies.
//!
//! The model in `tests/model/` uses the same function.

use std::time::Duration;

use contract::ReclaimReason;

use crate::{Life, Term};

/// All that is known about an existing lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// How long ago its last sign of life was.
    pub silence: Duration,
    /// What it says about its owner.
    pub claim: Claim,
}

/// What a lock says about its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nothing that could be read: a script made it, or its maker was killed before it could write.
    Unreadable,
    /// No process owns it; it is kept for the next phase of a run.
    Lease {
        /// How long it outlasts its last sign of life.
        length: Duration,
    },
    /// It is owned by processes.
    Owned {
        /// Whether any of them lives.
        life: Life,
        /// How long it lasts.
        term: Term,
    },
}

/// The judgement about an existing lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is held.
    Held,
    /// It is stale and may be taken over.
    Stale(ReclaimReason),
}

/// Judges a lock. `stale_after` is the longest silence that the taker accepts.
pub fn judge(facts: &Facts, stale_after: Duration) -> Verdict {
    let limit = match facts.claim {
        Claim::Owned { life: Life::Dead, .. } => return Verdict::Stale(ReclaimReason::OwnerDead),
        // That the command lives is the sign of life; it could not find out that it was overtaken.
        Claim::Owned { life: Life::Alive, term: Term::OwnersLife } => return Verdict::Held,
        Claim::Lease { length } => length.min(stale_after),
        Claim::Unreadable | Claim::Owned { life: Life::Alive | Life::Unknown, .. } => stale_after,
    };
    if facts.silence > limit { Verdict::Stale(ReclaimReason::Expired) } else { Verdict::Held }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(600);
    const MOMENT: Duration = Duration::from_secs(1);
    const AGES: Duration = Duration::from_secs(3600);

    fn verdict(silence: Duration, claim: Claim) -> Verdict {
        judge(&Facts { silence, claim }, PATIENCE)
    }

    fn owned(life: Life, term: Term) -> Claim {
        Claim::Owned { life, term }
    }

    #[test]
    fn a_lock_whose_owner_is_dead_is_stale_at_once() {
        for term in [Term::SignsOfLife, Term::OwnersLife] {
            let dead = owned(Life::Dead, term);
            assert_eq!(verdict(Duration::ZERO, dead), Verdict::Stale(ReclaimReason::OwnerDead));
        }
    }

    #[test]
    fn a_living_owner_that_gives_no_sign_of_life_is_overtaken() {
        let alive = owned(Life::Alive, Term::SignsOfLife);
        assert_eq!(verdict(MOMENT, alive), Verdict::Held);
        assert_eq!(verdict(AGES, alive), Verdict::Stale(ReclaimReason::Expired));
    }

    #[test]
    fn a_command_is_never_overtaken_while_it_lives() {
        assert_eq!(verdict(AGES, owned(Life::Alive, Term::OwnersLife)), Verdict::Held);
    }

    #[test]
    fn an_owner_that_cannot_be_judged_goes_by_its_silence_alone() {
        for term in [Term::SignsOfLife, Term::OwnersLife] {
            let unknown = owned(Life::Unknown, term);
            assert_eq!(verdict(MOMENT, unknown), Verdict::Held);
            assert_eq!(verdict(AGES, unknown), Verdict::Stale(ReclaimReason::Expired));
        }
    }

    #[test]
    fn a_lock_without_a_readable_owner_goes_by_its_silence_alone() {
        assert_eq!(verdict(MOMENT, Claim::Unreadable), Verdict::Held);
        assert_eq!(verdict(AGES, Claim::Unreadable), Verdict::Stale(ReclaimReason::Expired));
    }

    #[test]
    fn a_lease_ends_when_it_is_over_or_the_taker_has_had_enough() {
        let short = Claim::Lease { length: Duration::from_millis(500) };
        let long = Claim::Lease { length: AGES };
        assert_eq!(verdict(Duration::ZERO, short), Verdict::Held);
        assert_eq!(verdict(MOMENT, short), Verdict::Stale(ReclaimReason::Expired));
        assert_eq!(verdict(PATIENCE, long), Verdict::Held);
        assert_eq!(verdict(PATIENCE + MOMENT, long), Verdict::Stale(ReclaimReason::Expired));
    }
}
