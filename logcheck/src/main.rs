//! The `logcheck` binary: finds session logs that are not committed yet.

use std::process::ExitCode;

fn main() -> ExitCode {
    phase::main::<logcheck::Logcheck>(&lock::LockManager)
}
