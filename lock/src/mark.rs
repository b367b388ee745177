//! How a file of the lock looks: enough to know it again without reading it.
//!
//! Whether the lock is still one's own is asked before each change, and a run may make thousands. What a lock says of
//! itself is never written over: whoever takes it over, or clears it and makes another, puts another file there. So a
//! file with the same number and times has the same words in it. But numbers are given out again and clocks tick: a
//! file that took the place of another within one tick might look like it. So only one that has been there for a while
//! is known by its looks.

use std::time::{Duration, SystemTime};

/// No clock of a file system that tells fractions of a second ticks slower than this.
const TICK: Duration = Duration::from_millis(100);

/// No clock of a file system that tells whole seconds ticks slower than this.
const COARSE_TICK: Duration = Duration::from_millis(2500);

/// How a file looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its file system, and its number there.
    pub file: (u64, u64),
    /// Its length in bytes.
    pub len: u64,
    /// When it was last written, in seconds and nanoseconds.
    pub written: (i64, u32),
    /// When anything about it changed last, its place included.
    pub changed: (i64, u32),
}

impl Mark {
    /// Whether a file that came to the same place after `now` would look different in any case.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let (secs, nanos) = self.changed;
        let Ok(secs) = u64::try_from(secs) else { return false };
        let changed = SystemTime::UNIX_EPOCH + Duration::new(secs, nanos);
        let tick = if nanos == 0 { COARSE_TICK } else { TICK };
        now.duration_since(changed).is_ok_and(|age| age >= tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_just_changed_or_seems_to_come_from_the_future_is_not_settled() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let fine = Mark { file: (1, 2), len: 3, written: (10, 5), changed: (10, 5) };
        assert!(!fine.is_settled(at(10_050)) && fine.is_settled(at(10_101)));
        let coarse = Mark { changed: (10, 0), ..fine };
        assert!(!coarse.is_settled(at(12_000)) && coarse.is_settled(at(12_500)));
        assert!(!fine.is_settled(at(9_000)));
    }
}
