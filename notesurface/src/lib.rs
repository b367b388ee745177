//! `notesurface`: what other people wrote to this user in their session logs is shown, once, before anything else.
//!
//! A note that sits in a file nobody opens is not a message. And one that is shown at every sync is soon read by nobody:
//! a pointer remembers what was shown, and moves only when it was.

mod args;
mod heading;
mod incoming;
mod logs;
mod look;
mod markdown;
mod note;
mod person;
mod pointer;
mod range;
mod report;
mod trace;

use contract::NotesurfaceSection;
use phase::{CommonArgs, Done, Fault, Holding, Page, Phase, Run};

pub use args::{Command, Notesurface};
use look::Found;
use pointer::{Advance, Pointer};
use range::{Asked, Range};

impl Phase for Notesurface {
    type Section = NotesurfaceSection;

    fn common(&self) -> &CommonArgs {
        match &self.command {
            Some(Command::Ack { common }) => common,
            None => &self.common,
        }
    }

    fn holding(&self) -> Holding<'_> {
        Holding::Joins
    }

    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<NotesurfaceSection>> {
        let section = NotesurfaceSection { user: run.identity().user.clone(), ..Default::default() };
        let pointer = Pointer::read(run.repo())?;
        let Some(range) = Range::of(&look::facts(run, pointer.as_ref())?, self.asked(run)?) else {
            return Ok(Done::ok(section));
        };
        if self.moves_pointer() {
            let pointer = match (pointer, range.seen.as_slice()) {
                (None, [seen]) if *seen != range.tip => self.begin(run, *seen)?,
                (pointer, _) => pointer,
            };
            if let Some(advance) = Advance::to(run.repo(), pointer.as_ref(), range.tip)? {
                // It is set once for each run of the phase.
                let _ = self.advance.set(advance);
            }
        }
        if self.command.is_some() {
            return Ok(Done::ok(section));
        }
        let Found { notes, unnameable } = look::notes(run, &range)?;
        let section = NotesurfaceSection { notes, ..section };
        if unnameable.is_empty() {
            return Ok(Done::ok(section));
        }
        // The notes in them are shown all the same.
        let fault =
            Fault::failed(format!("session logs with names that are not UTF-8: {}", unnameable.join(", ")))
                .help("give them names that are UTF-8, so that they can be synced");
        Ok(Done::fault(section, fault))
    }

    fn report(&self, section: &NotesurfaceSection, page: &mut Page) {
        match self.command {
            Some(Command::Ack { .. }) => report::acknowledged(page),
            None => report::notes(section, page),
        }
    }

    fn after_delivery(&self, run: &Run<'_>, _: &NotesurfaceSection) -> anyhow::Result<()> {
        match self.advance.get() {
            Some(advance) => advance.apply(run.repo(), run.guard()),
            None => Ok(()),
        }
    }
}

impl Notesurface {
    fn asked(&self, run: &Run<'_>) -> anyhow::Result<Asked> {
        Ok(match &self.since {
            Some(revision) => Asked::Since(look::commit(run.repo(), revision)?),
            None if self.all => Asked::All,
            None => Asked::New,
        })
    }

    /// Looking back, or looking ahead, shows nothing in the sense of the pointer.
    fn moves_pointer(&self) -> bool {
        !(self.pending || self.all || self.since.is_some())
    }

    /// Lets the pointer begin where this run's news begin, so that a run which dies before it has shown them leaves
    /// them to the next one.
    fn begin(&self, run: &Run<'_>, seen: gix::ObjectId) -> anyhow::Result<Option<Pointer>> {
        if let Some(beginning) = Advance::to(run.repo(), None, seen)? {
            beginning.apply(run.repo(), run.guard())?;
        }
        Pointer::read(run.repo())
    }
}
