//! Hammers the lock: many processes that take it as fast as they can, while they are killed, stopped and misled about
//! the time. A witness inside the section shows that there never are two.
//!
//!     cargo run -p lock --example stress -- [--seconds N] [--workers N]
//!
//! Prints a table of what happened; exits with 1 where two were ever inside. Unix only: it lives on signals.

#![allow(clippy::print_stdout, reason = "a tool for developers that prints what it found")]
#![allow(clippy::print_stderr, reason = "a tool for developers that prints what it found")]

#[cfg(unix)]
mod account;
#[cfg(unix)]
mod chaos;
#[cfg(unix)]
mod handover;
#[cfg(unix)]
mod random;
#[cfg(unix)]
mod witness;
#[cfg(unix)]
mod worker;

use std::process::ExitCode;

use clap::Parser;

/// Hammers the lock.
#[derive(Debug, Parser)]
struct Args {
    /// How many seconds each of the three parts takes.
    #[arg(long, default_value_t = 10)]
    seconds: u64,

    /// How many processes want the lock at once.
    #[arg(long, default_value_t = 24)]
    workers: usize,

    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, clap::Subcommand)]
enum Role {
    /// One of the processes that want the lock; started by the hammer itself.
    #[command(hide = true)]
    Worker {
        /// The folder in which the lock lies.
        directory: std::path::PathBuf,
        /// How long it stays inside, in microseconds at most.
        dwell_us: u64,
        /// How often it misleads the others about the time, in 10,000.
        jumps: u64,
        /// How often it does not wait for the lock but tries again a moment later, in 10,000.
        impatience: u64,
        /// After how many milliseconds without a sign of life it takes a lock over.
        stale_ms: u64,
    },
}

#[cfg(unix)]
fn main() -> ExitCode {
    let args = Args::parse();
    match args.role {
        Some(Role::Worker { directory, dwell_us, jumps, impatience, stale_ms }) => {
            worker::work(&directory, &worker::Habits { dwell_us, jumps, impatience, stale_ms })
        }
        None => hammer(args.seconds, args.workers),
    }
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    let _ = Args::parse();
    eprintln!("this hammer needs Unix signals");
    ExitCode::FAILURE
}

#[cfg(unix)]
fn hammer(seconds: u64, workers: usize) -> ExitCode {
    let time = std::time::Duration::from_secs(seconds);
    println!("{workers} processes, {seconds} s each\n");
    println!("{}", account::HEADER);
    let (mut whole, mut acquisitions) = (true, 0);
    for kind in [chaos::KILLS, chaos::EVERYTHING] {
        let account = chaos::run(&kind, time, workers);
        println!("{}", account.row(kind.name));
        whole &= account.is_whole();
        acquisitions += account.acquisitions;
    }
    println!("\n{}", handover::run(time, workers.min(8)));
    // Where nobody ever got in, nothing was tried.
    if whole && acquisitions > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
