//! `lockstep`: runs all phases as one run with one report, and does the chores of the workspace.

mod args;
mod bench;
mod binaries;
mod cargo;
mod checks;
mod ci;
mod demo;
mod doctor;
mod full_run;
mod generate;
mod hooks;
mod install;
mod reference;
mod report;
mod schema;
mod servers;
mod steps;
mod stress;
mod test;
mod windows;

use std::process::ExitCode;

fn main() -> ExitCode {
    match phase::parse::<args::Lockstep>() {
        Ok(lockstep) => lockstep.run(),
        Err(code) => code,
    }
}
