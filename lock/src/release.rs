//! `lock release`: gives the lock back, at the end of a run.

use contract::{Document, LockSection, Owner};
use phase::{CommonArgs, Done, Holding, Page, Phase, Run, plain};

use crate::{Inherited, Place, Release, Sight, Token, describe, release};

/// Gives the lock back where it is still the run's, and exits with the code of the run's outcome.
#[derive(Debug, clap::Args)]
pub struct ReleaseArgs {
    #[command(flatten)]
    common: CommonArgs,

    /// The token of the lock [default: the document's].
    #[arg(long)]
    token: Option<String>,
}

impl Phase for ReleaseArgs {
    type Section = LockSection;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn holding(&self) -> Holding<'_> {
        Holding::Itself
    }

    fn takes_part(&self, document: &Document) -> bool {
        // However the run went, its lock is to be given back; a run that ended without one leaves nothing to do.
        let took_a_lock = document.phases.lock.as_ref().is_some_and(|lock| !lock.token.is_empty());
        took_a_lock || self.token.is_some() || !document.has_ended()
    }

    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<LockSection>> {
        let mut section = run.document().phases.lock.clone().unwrap_or_default();
        let place = Place::new(run.common_dir());
        let token = self.token.as_deref().unwrap_or(&section.token);
        if !token.is_empty() {
            section.released = give_back(&place, &token.into())?;
        }
        if !section.released {
            section.held_by = holder(&place);
        }
        Ok(Done::ok(section))
    }

    fn report(&self, section: &LockSection, page: &mut Page) {
        match (&section.held_by, section.released) {
            (_, true) => page.line("lock: released"),
            (Some(owner), false) => {
                page.line(format_args!("lock: left as it is, held by {}", plain::line(&describe(owner))));
                if section.token.is_empty() && self.token.is_none() {
                    page.line("  no token was given; --token takes that of owner.json in the lock");
                }
            }
            (None, false) => page.line("lock: nothing to release"),
        }
    }

    /// The run died on its way here, and nobody else gives its lock back.
    fn despite_bad_input(&self) -> anyhow::Result<()> {
        if let Some(token) = &self.token {
            let directory = self.common.repo.as_deref().unwrap_or(camino::Utf8Path::new("."));
            let repo = phase::place(&phase::discover(directory)?)?;
            give_back(&Place::new(repo.common_dir), &token.as_str().into())?;
        }
        Ok(())
    }
}

/// Who has the lock that is not given back. Somebody who released nothing is not to take the lock for free.
fn holder(place: &Place) -> Option<Owner> {
    match Sight::look(place) {
        Ok(Sight::Taken(taken)) => Some(taken.owner()),
        Ok(Sight::Free | Sight::Obstacle(_)) | Err(_) => None,
    }
}

/// Gives the lock back, unless it is that of a caller, who gives it back by himself. Says whether it is released.
fn give_back(place: &Place, token: &Token) -> anyhow::Result<bool> {
    if Inherited::from_environment().contains(token) {
        return Ok(false);
    }
    match release(place, token) {
        Ok(Release::Released) => Ok(true),
        Ok(Release::NotOurs { .. }) => Ok(false),
        Err(trouble) => Err(phase::Fault::from(trouble).into()),
    }
}
