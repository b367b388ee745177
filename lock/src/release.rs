//! `lock release`: releases the lock at the end of a run.

use contract::{Document, Exit, LockSection, Owner};
use phase::{CommonArgs, Done, Fault, LockUse, Page, Phase, Run, escape};

use crate::{
    Claim, Facts, Inherited, LockPaths, LockState, Release, Token, Verdict, describe, judge, release,
};

/// Release the lock if it is still the run's, and exit with the code of the run's outcome.
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

    fn holding(&self) -> LockUse<'_> {
        LockUse::Itself
    }

    fn takes_part(&self, document: &Document) -> bool {
        // However the run went, its lock is to be released; a run that ended without one leaves nothing to do.
        let took_a_lock = document.phases.lock.as_ref().is_some_and(|lock| !lock.token.is_empty());
        took_a_lock || self.token.is_some() || !document.has_ended()
    }

    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<LockSection>> {
        let mut section = run.document().phases.lock.clone().unwrap_or_default();
        let place = LockPaths::new(run.common_dir());
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
                page.line(format_args!("lock: left as it is, held by {}", escape::line(&describe(owner))));
                if section.token.is_empty() && self.token.is_none() {
                    page.line("  no token was given; --token takes that of owner.json in the lock");
                }
            }
            (None, false) => page.line("lock: nothing to release"),
        }
    }

    /// Reports a lock that may have been left behind: a phase before the one that wrote the document died, so the
    /// document does not contain that run's lock.
    fn aside(&self, document: &Document) -> Option<Fault> {
        let is_dead = document.error.as_ref().is_some_and(|error| error.code == Exit::BadInput.code());
        if is_dead { left_behind(&self.place().ok()?) } else { None }
    }

    /// Releases the lock of a run that died before this phase, or whose repository cannot be opened any more, since
    /// nothing else will. Without its token, the user is told how to do it.
    fn despite_refusal(&self, document: Option<&Document>) -> anyhow::Result<()> {
        let of_document = document.and_then(|document| {
            let lock = document.phases.lock.as_ref().filter(|lock| !lock.token.is_empty())?;
            Some((document.repo.as_ref()?.common_dir.as_str(), lock.token.as_str()))
        });
        let place =
            of_document.map_or_else(|| self.place(), |(common_dir, _)| Ok(LockPaths::new(common_dir)));
        match self.token.as_deref().or(of_document.map(|(_, token)| token)) {
            Some(token) => give_back(&place?, &token.into()).map(|_| ()),
            None => match place.ok().as_ref().and_then(left_behind) {
                Some(fault) => Err(fault.into()),
                None => Ok(()),
            },
        }
    }
}

impl ReleaseArgs {
    /// Returns the paths of the lock if no document names them, also for a repository whose settings are wrong.
    fn place(&self) -> anyhow::Result<LockPaths> {
        let directory = self.common.repo.as_deref().unwrap_or(camino::Utf8Path::new("."));
        let opened = phase::discover(directory).and_then(|repo| phase::place(&repo));
        match (opened, phase::common_dir(directory)) {
            (Ok(place), _) => Ok(LockPaths::new(place.common_dir)),
            (Err(_), Some(common_dir)) => Ok(LockPaths::new(common_dir)),
            (Err(fault), None) => Err(fault.into()),
        }
    }
}

/// Returns a message about a lock that a run of this machine may have left because it died between two phases: it is
/// kept until its lease expires.
fn left_behind(place: &LockPaths) -> Option<Fault> {
    let Ok(LockState::Taken(taken)) = LockState::look(place) else { return None };
    let record = taken.record.as_ref().filter(|record| record.host == phase::host_name())?;
    let facts = taken.facts();
    let Facts { claim: Claim::Lease { length }, .. } = facts else { return None };
    if judge(&facts, length) != Verdict::Held {
        return None;
    }
    let until = phase::clock::system_time(taken.sign_of_life.checked_add(length)?);
    let (owner, token) = (describe(&taken.owner()), &record.token);
    Some(Fault::failed(format!("the lock is held by {owner}, and expires at {until}")).help(format!(
        "if no other run is under way here, give the lock back: `lock release --token {token}`"
    )))
}

/// Returns who has the lock if it was not released, so that a user who released nothing does not believe that it is
/// free.
fn holder(place: &LockPaths) -> Option<Owner> {
    match LockState::look(place) {
        Ok(LockState::Taken(taken)) => Some(taken.owner()),
        Ok(LockState::Free | LockState::Obstacle(_)) | Err(_) => None,
    }
}

/// Releases the lock, unless it belongs to a caller of this process, which releases it itself. Returns whether it was
/// released.
fn give_back(place: &LockPaths, token: &Token) -> anyhow::Result<bool> {
    if Inherited::from_environment().contains(token) {
        return Ok(false);
    }
    match release(place, token) {
        Ok(Release::Released) => Ok(true),
        Ok(Release::NotOurs { .. }) => Ok(false),
        Err(trouble) => Err(Fault::from(trouble).into()),
    }
}
