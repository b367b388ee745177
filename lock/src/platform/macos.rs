//! macOS: processes through the process table, waiting by polling.

use std::{path::Path, time::Duration};

use super::{Found, process_table, unix};

pub use super::process_table::{boot_id, same_boot};

/// Looks a process up.
pub fn find(pid: u32) -> Found {
    match process_table::find(pid) {
        // The process table of another user's process may be closed to us; the signal tells that it exists.
        Found::Nothing if unix::is_foreign(pid) => Found::Running { start: None },
        found => found,
    }
}

/// macOS has one space of process numbers.
pub fn pid_space() -> Option<String> {
    Some("macos".into())
}

/// How many threads want a processor: the average of the last minute, which is all that macOS tells.
pub fn runnable() -> Option<u32> {
    // Small and not negative; a cast saturates.
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

    /// Sleeps for `at_most`, and no longer than 10 ms: nothing would wake it.
    pub fn wait(&self, at_most: Duration) {
        std::thread::sleep(at_most.min(Duration::from_millis(10)));
    }
}
