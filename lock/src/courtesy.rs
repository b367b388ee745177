//! The time that a script gets which may be about to clear a stale lock.
//!
//! A script looks at a stale lock twice and then removes it, and nothing can come between its second look and its `rm`
//! but time. Were that time counted by the clock alone, then on a machine with more to do than it has processors for
//! the script would sleep through it, and remove a lock that has just changed hands.

use std::{num::NonZero, thread, time::Duration};

use crate::platform;

/// What a script gets, in time of a processor. It needs some ten milliseconds, from its first look at a stale lock to
/// the end of clearing it.
const SHARE: Duration = Duration::from_millis(100);

/// No more than this is waited, however busy the machine is: others wait for the guard file meanwhile.
pub const LONGEST: Duration = Duration::from_secs(5);

/// How often one looks how busy the machine is.
const SLICE: Duration = Duration::from_millis(20);

/// How many want a processor at once where the operating system does not tell.
const CROWD: u32 = 4;

/// Waits until a script that wanted to has had its share of a processor.
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

/// What one of `runnable` got of the processors in `time`, where they are shared out evenly.
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
