//! Lets a test intervene at named points: edit a file, move the remote or kill the run, between any two steps.
//!
//! Races that happen once in a thousand runs cannot be tested by running a thousand times. A debug build that finds
//! `LOCKSTEP_FAILPOINT=name=command` in its environment runs `command` in a shell, in the working tree, each time the
//! point called `name` is reached; `kill -9 $PPID` ends the run there. A release build has no such points.

use std::path::Path;

/// Runs the command that is configured for the point `name`, if any, in `directory`.
#[cfg(debug_assertions)]
pub fn reach(name: &str, directory: &Path) {
    let Some(armed) = std::env::var_os("LOCKSTEP_FAILPOINT") else { return };
    let Some(armed) = armed.to_str() else { return };
    for (place, command) in armed.split(";;").filter_map(|one| one.split_once('=')) {
        if place == name {
            // What the command does, and whether it succeeds, is up to the test.
            let _ = phase::programs::shell(command, directory).stdout(std::process::Stdio::null()).status();
        }
    }
}

/// Does nothing in a release build.
#[cfg(not(debug_assertions))]
pub fn reach(_name: &str, _directory: &Path) {}
