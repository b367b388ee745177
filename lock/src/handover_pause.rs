//! Waits for a script that may be about to clear a stale lock.
//!
//! A script looks at a stale lock twice and then removes it, and nothing but time can keep the lock from changing
//! hands between the second look and the `rm`. If the wait were measured by the clock alone, a script on a machine
//! with more runnable threads than processors could sleep through it, and remove a lock that has just changed hands.

use std::{num::NonZero, thread, time::Duration};

use crate::platform;

/// The processor time that a script is given. It needs some ten milliseconds, from its first look at a stale lock
/// until the lock is cleared.
const SHARE: Duration = Duration::from_millis(100);

/// The longest wait, however busy the machine is: others wait for the guard file meanwhile.
pub const LONGEST: Duration = Duration::from_secs(5);

/// How often the load of the machine is read.
const SLICE: Duration = Duration::from_millis(20);

/// The assumed number of runnable threads if the operating system does not report it.
const CROWD: u32 = 4;

/// Waits until a script that wanted to run has had its share of a processor.
pub fn linger() {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let mut given = Duration::ZERO;
    let mut waited = Duration::ZERO;
    while given < SHARE && waited < LONGEST {
        thread::sleep(SLICE);
        waited += SLICE;
        given += share(SLICE, platform::runnable().unwrap_or(CROWD), processors);
    }
}

/// Returns how much of `time` each of `runnable` threads got on the processors, if they are shared evenly.
fn share(time: Duration, runnable: u32, processors: usize) -> Duration {
    let processors = u32::try_from(processors).unwrap_or(u32::MAX);
    if runnable <= processors { time } else { time.mul_f64(f64::from(processors) / f64::from(runnable)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_machine_with_a_processor_for_everybody_time_passes_as_by_the_clock() {
        assert_eq!(share(SLICE, 0, 2), SLICE);
        assert_eq!(share(SLICE, 2, 2), SLICE);
    }

    #[test]
    fn where_ten_want_a_processor_that_two_can_have_a_script_gets_a_fifth() {
        assert_eq!(share(SLICE, 10, 2), SLICE / 5);
    }
}
