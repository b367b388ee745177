//! Draws random, growing pauses between attempts.
//!
//! Without the randomness, machines that lost the same race would collide again in the next. The schedule is pure, so
//! that it can be tested without waiting; the caller sleeps.

use std::time::Duration;

/// The pauses between attempts: each is drawn between half of a ceiling and the ceiling, which doubles with every
/// attempt up to a limit.
#[derive(Debug, Clone)]
pub struct Backoff {
    ceiling: Duration,
    limit: Duration,
    random: u64,
}

impl Backoff {
    /// Returns a schedule that starts with pauses below `first` and never exceeds `limit`. Equal seeds give equal
    /// schedules; use [`Backoff::seed`] where that is not wanted.
    #[must_use]
    pub fn new(first: Duration, limit: Duration, seed: u64) -> Self {
        Self { ceiling: first.min(limit), limit, random: seed | 1 }
    }

    /// Returns the schedule for a lost push race: from 50 ms up to 5 s.
    #[must_use]
    pub fn for_races() -> Self {
        Self::new(Duration::from_millis(50), Duration::from_secs(5), Self::seed())
    }

    /// Returns a number that differs between processes and between calls.
    #[must_use]
    pub fn seed() -> u64 {
        use std::hash::{BuildHasher, Hasher};
        std::collections::hash_map::RandomState::new().build_hasher().finish()
    }

    /// Returns how long to pause before the next attempt.
    pub fn pause(&mut self) -> Duration {
        // xorshift64: only the spread matters here.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let half = self.ceiling / 2;
        let share = (self.random >> 32) as u32;
        let drawn = half + half.mul_f64(f64::from(share) / f64::from(u32::MAX));
        self.ceiling = (self.ceiling * 2).min(self.limit);
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_limit_and_stay_within_half_of_it() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1), 42);
        let pauses: Vec<_> = (0..8).map(|_| backoff.pause()).collect();
        assert!(pauses[0] >= Duration::from_millis(50) && pauses[0] <= Duration::from_millis(100));
        assert!(pauses[7] >= Duration::from_millis(500) && pauses[7] <= Duration::from_secs(1));
        assert!(pauses.windows(2).take(3).all(|pair| pair[1] >= pair[0]), "{pauses:?}");
    }

    #[test]
    fn two_machines_do_not_pause_alike() {
        let pauses = |seed| {
            let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1), seed);
            (0..4).map(|_| backoff.pause()).collect::<Vec<_>>()
        };
        assert_eq!(pauses(7), pauses(7));
        assert_ne!(pauses(7), pauses(8_000_000_003));
    }
}
