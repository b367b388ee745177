//! `lockstep full-run`: the seven steps as one pipeline, and one report at the end.
//!
//! The steps are the very binaries that a user would type, fed by real pipes; nothing is done here that they could not do.
//! What this adds is an owner for the lock that lives as long as the run, one report instead of seven, and an end that
//! leaves nothing behind when somebody presses Ctrl-C.

mod ended;
mod options;
mod pipeline;
mod relay;
mod signals;

use std::{process::ExitCode, time::Instant};

use crate::{
    binaries::Binaries,
    demo,
    report::{self, Facts},
};
pub use ended::{End, Ended, StepEnd};
pub use options::FullRun;
pub use pipeline::Surroundings;

/// Runs what the command line asks for, and says what to exit with.
pub fn main(args: &FullRun) -> ExitCode {
    phase::tool(args.color, args.quiet, |_, page| {
        let binaries = Binaries::beside_this()?;
        if !args.demo {
            let (ended, took) = run(args, &binaries, &Surroundings::default())?;
            show(args, &ended, took, page);
            return Ok(ended.code());
        }
        let playground = demo::prepare()?;
        let args = playground.options(args);
        let (ended, took) = run(&args, &binaries, &playground.surroundings())?;
        show(&args, &ended, took, page);
        if !args.json {
            playground.say_where_to_look(page);
        }
        Ok(ended.code())
    })
}

/// The run itself: the pipeline from its first process to its last, and the lock given back whatever happened.
fn run(
    args: &FullRun,
    binaries: &Binaries,
    surroundings: &Surroundings,
) -> anyhow::Result<(Ended, std::time::Duration)> {
    let began = Instant::now();
    let ended = pipeline::run(&args.steps(binaries, std::process::id()), surroundings)?;
    Ok((ended, began.elapsed()))
}

fn show(args: &FullRun, ended: &Ended, took: std::time::Duration, page: &mut phase::Page) {
    match &ended.envelope {
        Some(envelope) if args.json => page.line(envelope.to_line()),
        _ if args.json => {}
        _ => report::draw(&Facts { ended, took, quiet: args.quiet }, page),
    }
}
