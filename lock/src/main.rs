//! The binary `lock`; see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    match phase::parse::<lock::Cli>() {
        Ok(cli) => cli.run(),
        Err(code) => code,
    }
}
