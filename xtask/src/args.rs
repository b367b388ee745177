//! The subcommands of `lockstep`; each is defined in its own file.

use std::process::ExitCode;

use phase::Color;

use crate::{
    bench::{self, Bench},
    ci,
    doctor::{self, Doctor},
    full_run::{self, FullRun},
    generate,
    hooks::{self, Hooks},
    install::{self, Install},
    schema::{self, Schema},
    stress::{self, Stress},
    test::{self, Test},
};

/// Keep a repository, its vault and its notes in sync with their remotes.
///
/// `full-run`, `doctor`, `hooks` and `install` are for users; the rest are chores of the project's own workspace,
/// where they are run as `cargo xtask` instead of `lockstep`.
#[derive(Debug, clap::Parser)]
#[command(name = "lockstep", version, after_help = EXAMPLES)]
pub struct Lockstep {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  lockstep full-run             sync the repository around you
  lockstep full-run --demo      see first what that does, on a playground
  lockstep doctor               is everything set up, and what to do if not
  lockstep hooks install        let runs start by themselves";

#[derive(Debug, clap::Subcommand)]
enum Command {
    FullRun(Box<FullRun>),
    Doctor(Doctor),
    Hooks(Hooks),
    Install(Install),
    Test(Test),
    Bench(Bench),
    /// Check everything that must hold before a change lands: format, lints, generated files, dependencies, tests.
    Ci,
    Schema(Schema),
    /// Write the man pages of all binaries.
    Man(generate::Into),
    /// Write the completions of all binaries for bash, zsh and fish.
    Completions(generate::Into),
    Stress(Stress),
}

impl Lockstep {
    /// Runs the subcommand and returns the exit code.
    pub fn run(self) -> ExitCode {
        match self.command {
            Command::FullRun(args) => full_run::main(&args),
            Command::Doctor(args) => chore(|console| doctor::run(&args, console)),
            Command::Hooks(args) => chore(|console| hooks::run(&args, console)),
            Command::Install(args) => chore(|console| install::run(&args, console)),
            Command::Test(args) => chore(|console| test::run(&args, console)),
            Command::Bench(args) => chore(|console| bench::run(&args, console)),
            Command::Ci => chore(ci::run),
            Command::Schema(args) => chore(|console| schema::run(args, console)),
            Command::Man(into) => chore(|console| generate::man(&into, console)),
            Command::Completions(into) => chore(|console| generate::completions(&into, console)),
            Command::Stress(args) => chore(|console| stress::run(&args, console)),
        }
    }
}

/// Runs a chore. Its messages are printed immediately.
fn chore(work: impl FnOnce(&phase::Console) -> anyhow::Result<u8>) -> ExitCode {
    phase::tool(Color::Auto, false, |console, _| work(console))
}
