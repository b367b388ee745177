//! `lockstep stress`: stress-tests a part of the project for as long as one likes.

use phase::Console;

use crate::{
    cargo::{self, Workspace},
    steps,
};

/// Stress-test a part of the project.
#[derive(Debug, clap::Args)]
pub struct Stress {
    /// What to test.
    #[arg(value_enum)]
    what: What,

    /// Options of the stress test itself; `-- --help` lists them.
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Many processes that acquire, hold, lose and reclaim one lock, with a witness that detects two owners.
    Lock,
}

/// Builds the stress test with optimisations and runs it.
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
