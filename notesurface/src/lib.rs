//! `notesurface`: shows what other people wrote to this user in their session logs, once, and before anything else.
//!
//! A note in a file that nobody opens is not a message. A note that is shown at every sync is soon ignored. So a
//! pointer records what was shown, and moves only after that.

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
use phase::{CommonArgs, Done, Fault, LockUse, Page, Phase, Run};

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

    fn holding(&self) -> LockUse<'_> {
        LockUse::Joins
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
        // A run that only looks back or ahead does not mark notes as shown. With --pending, though, if there is
        // nothing to show, the pointer may move: the next run would have nothing to show either.
        let leaves_some = self.pending && (!notes.is_empty() || section.user.is_none());
        if asked == Asked::New && !leaves_some && !self.dry_run {
            self.advance_to(run, pointer.as_ref(), range.tip)?;
        }
        let section = NotesurfaceSection { upto: Some(range.tip.to_string()), notes, ..section };
        if unnameable.is_empty() {
            return Ok(Done::ok(section));
        }
        // The notes in those logs are shown nevertheless.
        let fault =
            Fault::failed(format!("session logs with names that are not UTF-8: {}", unnameable.join(", ")))
                .help("give them names that are UTF-8, so that they can be synced");
        Ok(Done::fault(section, fault))
    }

    /// Marks what was shown in this run, or else everything, as shown. The document's own list of notes is kept.
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

    /// Schedules the pointer's move to `tip` for when everything was written out.
    fn advance_to(&self, run: &Run<'_>, pointer: Option<&Pointer>, tip: gix::ObjectId) -> anyhow::Result<()> {
        if let Some(advance) = Advance::to(run.repo(), pointer, tip)? {
            // It is set only once, since a phase works once.
            let _ = self.advance.set(advance);
        }
        Ok(())
    }
}

/// Creates the pointer where this run's news begin, so that if the run dies before showing them, the next run shows
/// them.
fn begin(run: &Run<'_>, seen: gix::ObjectId) -> anyhow::Result<Option<Pointer>> {
    let repo = run.repo();
    if let Some(beginning) = Advance::to(repo, None, seen)? {
        beginning.apply(repo, run.guard())?;
    }
    Pointer::id(repo)?.map(|id| Pointer::at(repo, id, None)).transpose()
}
