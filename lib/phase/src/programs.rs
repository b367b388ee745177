//! Starts other programs; every crate but `lib/remote` uses this module for that.
//!
//! No phase starts `git`. What may be started is what git itself would start on the user's behalf, such as hooks and
//! merge drivers, and besides that the save command and the command of `lock run`. A lint bans `Command::new`
//! everywhere else, so that this list stays complete. It does not cover what is started through gix: filters, signing
//! programs and credential helpers, and `lib/remote`'s `ssh` and git server programs.

use std::{ffi::OsStr, path::Path, process::Command};

/// Returns a command that starts a program by its path or name, without a shell.
#[allow(clippy::disallowed_methods, reason = "this is the one place that starts programs")]
pub fn program(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// Returns a command that runs a line in the shell, as git does with commands in its configuration: `sh -c LINE` in
/// `directory`.
pub fn shell(line: impl AsRef<OsStr>, directory: &Path) -> Command {
    let mut command = program(if cfg!(windows) { "sh.exe" } else { "sh" });
    command.arg("-c").arg(line).current_dir(directory);
    command
}

/// Makes sure that child processes can be waited for and their exit codes be read. If the parent process ignores
/// `SIGCHLD`, this process inherits that, and the system then reports no child's end. Must be called at the start of
/// `main`.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library cannot set what a signal does")]
pub(crate) fn will_be_waited_for() {
    // SAFETY: this installs no handler, but restores the default disposition, which does nothing.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
}

/// Other systems have no such signal to ignore.
#[cfg(not(unix))]
pub(crate) fn will_be_waited_for() {}
