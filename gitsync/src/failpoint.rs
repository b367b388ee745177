//! Places at which a test can step in: to edit a file, move the remote or kill the run, between any two steps.
//!
//! Races that happen once in a thousand runs cannot be tested by running a thousand times. A debug build that finds
//! `LOCKSTEP_FAILPOINT=name=command` in its environment runs `command` in a shell, in the work tree, each time the
//! place called `name` is reached; `kill -9 $PPID` ends the run there. A release build has no such places.

use std::path::Path;

/// The run reached the place called `name`, at work in `directory`.
#[cfg(debug_assertions)]
pub fn reach(name: &str, directory: &Path) {
    let Some(armed) = std::env::var_os("LOCKSTEP_FAILPOINT") else { return };
    let Some(armed) = armed.to_str() else { return };
    for (place, command) in armed.split(";;").filter_map(|one| one.split_once('=')) {
        if place == name {
            // What the command does is the test's business, and so is whether it works.
            let _ = phase::programs::shell(command, directory).stdout(std::process::Stdio::null()).status();
        }
    }
}

/// The run reached the place called `name`: nothing to do.
#[cfg(not(debug_assertions))]
pub fn reach(_name: &str, _directory: &Path) {}
