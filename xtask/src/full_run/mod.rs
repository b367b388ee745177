//! `lockstep full-run`: runs the seven steps as one pipeline, and prints one report at the end.
//!
//! The steps are the same binaries that a user would type, connected by real pipes; nothing is done here that they
//! could not do. The full run adds an owner for the lock that lives as long as the run, one report instead of seven,
//! and an end that leaves nothing behind when the user presses Ctrl-C.

mod ended;
mod options;
mod own_lock;
mod pipeline;
mod signals;
mod team;

use std::{process::ExitCode, sync::Arc, time::Instant};

use anyhow::Context as _;
use contract::Envelope;
use phase::{Console, Page};

use crate::{
    binaries::Binaries,
    demo,
    report::{self, Facts},
};
pub use ended::{End, Ended, StepEnd};
pub use options::FullRun;
pub use pipeline::Surroundings;

/// Runs what the command line asks for, and returns the exit code.
pub fn main(args: &FullRun) -> ExitCode {
    phase::tool(args.color, args.quiet, |console, page| {
        let binaries = Binaries::beside_this()?;
        if !args.demo {
            return run(args, &binaries, &Surroundings::default(), console, page);
        }
        let playground = demo::prepare()?;
        let code = run(&playground.options(args), &binaries, &playground.surroundings(), console, page)?;
        if !args.json {
            playground.say_where_to_look(&binaries, page);
        }
        Ok(code)
    })
}

/// Runs the pipeline, and prints the document or adds the report to `page`.
fn run(
    args: &FullRun,
    binaries: &Binaries,
    surroundings: &Surroundings,
    console: &Console,
    page: &mut Page,
) -> anyhow::Result<u8> {
    let began = Instant::now();
    let show = {
        let console = console.clone();
        move |envelope: &Envelope| show_messages(envelope, &console)
    };
    let plan = args.plan(binaries, std::process::id());
    let ended = pipeline::run(&plan, surroundings, Arc::new(show))?;
    if ended.is_unread {
        // A report would not be read either, and writing it would take forever.
        return Ok(ended.code());
    }
    match &ended.envelope {
        Some(envelope) if args.json => {
            if write(envelope, console)? && has_messages(envelope) {
                pipeline::written(&plan, surroundings, envelope)?;
            }
        }
        None if args.json => {}
        Some(_) if args.dry_run => page.line("dry run: nothing was changed"),
        _ => {
            let facts = Facts {
                ended: &ended,
                took: began.elapsed(),
                quiet: args.quiet,
                kept_messages: args.keep_messages,
            };
            report::draw(&facts, page);
        }
    }
    Ok(ended.code())
}

/// Writes the document, and returns whether stdout still had a reader.
fn write(envelope: &Envelope, console: &Console) -> anyhow::Result<bool> {
    let mut page = console.page();
    page.line(envelope.to_line());
    console.say(&page).context("stdout could not be written")
}

/// Whether the document contains messages. If not, nothing is left to record: the step has done so itself.
fn has_messages(envelope: &Envelope) -> bool {
    envelope.document().phases.notesurface.as_ref().is_some_and(|section| !section.notes.is_empty())
}

/// Prints the messages that the run has fetched, and returns whether there were any, which now count as shown.
fn show_messages(envelope: &Envelope, console: &Console) -> anyhow::Result<bool> {
    let phases = &envelope.document().phases;
    let Some(section) = &phases.notesurface else { return Ok(false) };
    let mut page = console.page();
    report::messages(section, &mut page);
    let read = console.say(&page).context("messages could not be shown")?;
    Ok(read && has_messages(envelope))
}
