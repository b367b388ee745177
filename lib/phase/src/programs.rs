//! The one door to other programs.
//!
//! No phase starts `git`. What may be started is what git itself would start on the user's behalf: hooks, filters,
//! signers, the save command, the command of `lock run`. A lint bans `Command::new` everywhere else, so that this list
//! stays complete.

use std::{ffi::OsStr, path::Path, process::Command};

/// A program by its path or name, without a shell.
#[allow(clippy::disallowed_methods, reason = "this is the one place that starts programs")]
pub fn program(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// A line for the shell, as git's own command settings are: `sh -c LINE`, run in `directory`.
pub fn shell(line: impl AsRef<OsStr>, directory: &Path) -> Command {
    let mut command = program(if cfg!(windows) { "sh.exe" } else { "sh" });
    command.arg("-c").arg(line).current_dir(directory);
    command
}

/// Sees to it that the end of a program can be waited for, and its exit code be had. Whoever started this process may have
/// made it ignore the ends of others (`SIGCHLD`): that is handed down, and then the system tells of none. For the begin
/// of `main`.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library cannot set what a signal does")]
pub(crate) fn will_be_waited_for() {
    // SAFETY: no handler is set, but what the system does by itself: nothing.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
}

/// Elsewhere nobody can ignore it.
#[cfg(not(unix))]
pub(crate) fn will_be_waited_for() {}
