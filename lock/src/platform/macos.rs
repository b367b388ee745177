//! The macOS implementation: finds processes in the process table and waits by polling.

use std::{path::Path, time::Duration};

use super::{Found, process_table, unix};

pub use super::process_table::{boot_id, same_boot};

/// Looks up a process.
pub fn find(pid: u32) -> Found {
    match process_table::find(pid) {
        // The process table may hide another user's process; sending a signal still shows that it exists.
        Found::Nothing if unix::is_foreign(pid) => Found::Running { start: None },
        found => found,
    }
}

/// Returns the pid namespace; macOS has only one.
pub fn pid_space() -> Option<String> {
    Some("macos".into())
}

/// Returns how many threads want a processor: the load average of the last minute, which is all that macOS reports.
pub fn runnable() -> Option<u32> {
    // The value is small and not negative, and the cast saturates.
    Some(sysinfo::System::load_average().ok()?.one.ceil() as u32)
}

/// Sleeps until something in a directory may have changed.
#[derive(Debug)]
pub struct Watch;

impl Watch {
    /// Watches `directory`.
    pub fn new(_directory: &Path) -> Self {
        Self
    }

    /// Sleeps for `at_most`, but no longer than 10 ms, since no event would end the sleep.
    pub fn wait(&self, at_most: Duration) {
        std::thread::sleep(at_most.min(Duration::from_millis(10)));
    }
}
