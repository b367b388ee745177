//! Decides whether a file is racy: changed so recently that another change might leave the same timestamp.

use std::time::{Duration, SystemTime};

use gix::index::entry::stat::Time;

/// The coarsest clock tick of file systems whose timestamps have fractions of a second.
const TICK: Duration = Duration::from_millis(100);

/// The coarsest clock tick of file systems whose timestamps have whole seconds: FAT counts in steps of two.
const COARSE_TICK: Duration = Duration::from_millis(2500);

/// Whether a file changed at `changed` may be changed once more after `now` and still have the same timestamp.
pub fn is_young(changed: Time, now: SystemTime) -> bool {
    let tick = if changed.nsecs == 0 { COARSE_TICK } else { TICK };
    let changed = SystemTime::UNIX_EPOCH + Duration::new(changed.secs.into(), changed.nsecs);
    now.duration_since(changed).map_or(true, |age| age < tick)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_young_for_a_tick_of_its_clock() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(10_050);
        let is_young = |secs, nsecs| is_young(Time { secs, nsecs }, now);
        assert!(is_young(10, 1) && is_young(10, 0) && is_young(8, 0) && is_young(11, 1));
        assert!(!is_young(9, 1) && !is_young(7, 0));
    }
}
