//! The `logcheck` binary: finds session logs that nobody has committed yet.

use std::process::ExitCode;

fn main() -> ExitCode {
    phase::main::<logcheck::Logcheck>(&lock::Keeper)
}
