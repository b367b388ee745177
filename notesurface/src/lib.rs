//! `notesurface`: what other people wrote to this user in their session logs is shown, once, before anything else.
//!
//! A note that sits in a file nobody opens is not a message. And one that is shown at every sync is soon read by
//! nobody: a pointer remembers what was shown, and moves only when it was.

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
mod text;
mod trace;

use contract::NotesurfaceSection;
use phase::{CommonArgs, Done, Fault, Holding, Page, Phase, Run};

pub use args::{Command, Notesurface};
use look::Found;
use pointer::{Advance, Pointer};
use range::{Asked, Facts, Range};

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
        let (pointer, facts) = look::facts(run)?;
        match &self.command {
            Some(Command::Ack { .. }) => self.acknowledge(run, pointer.as_ref(), &facts),
            None => self.show(run, pointer, &facts),
        }
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
    fn show(
        &self,
        run: &Run<'_>,
        pointer: Option<Pointer>,
        facts: &Facts,
    ) -> anyhow::Result<Done<NotesurfaceSection>> {
        let section = NotesurfaceSection { user: run.identity().user.clone(), ..Default::default() };
        let asked = self.asked(run)?;
        let Some(range) = Range::of(facts, asked) else { return Ok(Done::ok(section)) };
        let pointer = match (pointer, range.seen.as_slice()) {
            (None, [seen]) if asked == Asked::New && !self.dry_run && *seen != range.tip => {
                begin(run, *seen)?
            }
            (pointer, _) => pointer,
        };
        let Found { notes, unnameable } = look::notes(run, &range)?;
        // Looking back, or looking ahead, shows nothing in the sense of the pointer. Where there is nothing to be
        // shown, though, there is nothing that the next run would have to show.
        let leaves_some = self.pending && (!notes.is_empty() || section.user.is_none());
        if asked == Asked::New && !leaves_some && !self.dry_run {
            self.advance_to(run, pointer.as_ref(), range.tip)?;
        }
        let section = NotesurfaceSection { upto: Some(range.tip.to_string()), notes, ..section };
        if unnameable.is_empty() {
            return Ok(Done::ok(section));
        }
        // The notes in them are shown all the same.
        let fault =
            Fault::failed(format!("session logs with names that are not UTF-8: {}", unnameable.join(", ")))
                .help("give them names that are UTF-8, so that they can be synced");
        Ok(Done::fault(section, fault))
    }

    /// What was shown in this run, or everything, counts as shown. What the document says of notes stays.
    fn acknowledge(
        &self,
        run: &Run<'_>,
        pointer: Option<&Pointer>,
        facts: &Facts,
    ) -> anyhow::Result<Done<NotesurfaceSection>> {
        let tip = match look::looked_at(run)? {
            Some(upto) => Some(upto),
            None => Range::of(facts, Asked::New).map(|range| range.tip),
        };
        if let Some(tip) = tip {
            self.advance_to(run, pointer, tip)?;
        }
        let section = run.document().phases.notesurface.clone();
        let user = run.identity().user.clone();
        Ok(Done::ok(section.unwrap_or_else(|| NotesurfaceSection { user, ..Default::default() })))
    }

    fn asked(&self, run: &Run<'_>) -> anyhow::Result<Asked> {
        Ok(match &self.since {
            Some(revision) => Asked::Since(look::commit(run.repo(), revision)?),
            None if self.all => Asked::All,
            None => Asked::New,
        })
    }

    /// Lets the pointer move to `tip` once everything was written out.
    fn advance_to(&self, run: &Run<'_>, pointer: Option<&Pointer>, tip: gix::ObjectId) -> anyhow::Result<()> {
        if let Some(advance) = Advance::to(run.repo(), pointer, tip)? {
            // A phase works once.
            let _ = self.advance.set(advance);
        }
        Ok(())
    }
}

/// Lets the pointer begin where this run's news begin, so that a run which dies before it has shown them leaves them to
/// the next one.
fn begin(run: &Run<'_>, seen: gix::ObjectId) -> anyhow::Result<Option<Pointer>> {
    let repo = run.repo();
    if let Some(beginning) = Advance::to(repo, None, seen)? {
        beginning.apply(repo, run.guard())?;
    }
    Pointer::id(repo)?.map(|id| Pointer::at(repo, id, None)).transpose()
}
