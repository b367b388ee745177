//! The command line of `lock`: two phases of a run and two standalone commands.

use std::process::ExitCode;

use crate::{
    LockManager,
    acquire::Acquire,
    release::ReleaseArgs,
    run::{BecomeArgs, RunArgs},
    status::StatusArgs,
};

/// Allow one run at a time per repository and machine.
#[derive(Debug, clap::Parser)]
#[command(name = "lock", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  lock run -- ./save.sh                    any script, under the runs' lock
  lock run --wait 0 -- ./checkpoint.sh     exit 75 where somebody has it
  lock acquire | gitsync | lock release    a run of one's own
  lock status                              who holds it";

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Take the lock and begin a run document with it.
    Acquire(Acquire),
    /// Release the lock and exit with the code of the run's outcome.
    Release(ReleaseArgs),
    /// Hold the lock while a command runs.
    Run(RunArgs),
    /// Show who holds the lock.
    Status(StatusArgs),
    #[command(hide = true)]
    Become(BecomeArgs),
}

impl Cli {
    /// Runs the command and returns the exit code.
    pub fn run(&self) -> ExitCode {
        match &self.command {
            Command::Acquire(phase) => phase::drive(phase, &LockManager),
            Command::Release(phase) => phase::drive(phase, &LockManager),
            Command::Run(run) => phase::tool(run.color, run.quiet, |console, _| run.run(console)),
            Command::Status(status) => phase::tool(status.color, false, |_, page| status.run(page)),
            Command::Become(become_) => {
                phase::tool(phase::Color::Auto, true, |console, _| become_.run(console))
            }
        }
    }
}
