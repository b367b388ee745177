//! Identifies a file of the lock by its metadata, so that it can be recognised without reading it.
//!
//! Whether the lock is still held is checked before each change, and a run may make thousands. The owner file is
//! never overwritten in place: a process that takes the lock over, or clears it and makes another, puts another file
//! there. So a file with the same inode number and times has the same content. But inode numbers are reused and
//! clocks advance in ticks: a file that replaced another within one tick might look like it. So only a file that has
//! been there for a while is recognised in this way.

use std::time::{Duration, SystemTime};

/// No file system clock with fractions of a second has longer ticks than this.
const TICK: Duration = Duration::from_millis(100);

/// No file system clock with whole seconds has longer ticks than this.
const COARSE_TICK: Duration = Duration::from_millis(2500);

/// The metadata that identifies a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its device number and its inode number.
    pub file: (u64, u64),
    /// Its length in bytes.
    pub len: u64,
    /// Its mtime, in seconds and nanoseconds.
    pub written: (i64, u32),
    /// Its ctime, in seconds and nanoseconds: also changed by a rename.
    pub changed: (i64, u32),
}

impl Mark {
    /// Whether any file that replaced this one after `now` would have a different mark.
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
