//! The binary `lock`; see the library of the same name.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    lock::Cli::parse().run()
}
