//! `lockstep stress`: what hammers a part of the project for as long as one likes.

use phase::Console;

use crate::{
    cargo::{self, Workspace},
    steps,
};

/// Hammer a part of the project, to see that it holds.
#[derive(Debug, clap::Args)]
pub struct Stress {
    /// What to hammer.
    #[arg(value_enum)]
    what: What,

    /// Options of the stress itself; `-- --help` lists them.
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Many processes that take, hold, lose and reclaim one lock, under a witness that sees two owners.
    Lock,
}

/// Builds the stress for speed and runs it.
pub fn run(args: &Stress, console: &Console) -> anyhow::Result<u8> {
    let package = match args.what {
        What::Lock => "lock",
    };
    steps::begin(console, &format!("stress of {package}"))?;
    let mut stress =
        Workspace::find()?.cargo(["run", "--release", "--package", package, "--example", "stress", "--"]);
    cargo::run(stress.args(&args.options))?;
    Ok(0)
}
