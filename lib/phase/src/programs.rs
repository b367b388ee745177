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
