//! The `cmdcopy` binary: copies a repository's agent commands to the user's own directory.

use std::process::ExitCode;

fn main() -> ExitCode {
    phase::main::<cmdcopy::Cmdcopy>(&lock::LockManager)
}
