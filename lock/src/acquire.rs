//! `lock acquire`: takes the lock for a new run.

use std::time::Duration;

use contract::{LockSection, Owner, Reclaimed};
use phase::{CommonArgs, Done, Fault, LockUse, Page, Phase, Run};

use crate::{
    Inherited, LockError, LockPaths, LockRequest, Patience, Process, Record, Term, acquire, describe,
    fence::joinable, give_back::leave, release,
};

/// Take the lock and begin a run document with it.
#[derive(Debug, clap::Args)]
pub struct Acquire {
    #[command(flatten)]
    common: CommonArgs,

    #[command(flatten)]
    waiting: Waiting,

    /// The process that owns the lock [default: none; the lock is a lease that each phase renews].
    #[arg(long, value_name = "PID")]
    owner_pid: Option<u32>,
}

/// How to wait for the lock.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Lock options")]
pub struct Waiting {
    /// How long to wait while another run holds the lock.
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = phase::duration)]
    pub wait: Duration,

    /// How long another run's lock may show no sign of life before it counts as stale.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = phase::duration)]
    pub stale_after: Duration,

    /// A label for the lock, shown to others who wait for it and by lock status [default for lock run: the command].
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub name: Option<String>,
}

impl Waiting {
    /// Returns how long to wait.
    pub fn patience(&self) -> Patience {
        Patience { wait: self.wait, stale_after: self.stale_after }
    }
}

impl Phase for Acquire {
    type Section = LockSection;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn holding(&self) -> LockUse<'_> {
        LockUse::Itself
    }

    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<LockSection>> {
        let place = LockPaths::new(run.common_dir());
        if let Some(held) = &run.document().phases.lock
            && !held.released
            && !held.token.is_empty()
        {
            // The document already has its lock.
            return Ok(Done::ok(held.clone()));
        }
        if let Some(record) = joinable(&place, &Inherited::from_environment())? {
            return Ok(Done::ok(section(&place, &record, Duration::ZERO, None)));
        }
        let wish = self.wish()?;
        let mut waiting = |holder: &crate::Holder| {
            run.progress().set(|| format!("waiting for the lock: it is held by {}", describe(&holder.owner)));
        };
        match acquire(&place, &wish, &self.waiting.patience(), &mut waiting) {
            Ok(took) => {
                if !took.guarded {
                    let mut page = run.page();
                    page.warning(
                        "the file system has no file locks: should this run be killed, its lock is not cleared by itself",
                    );
                    run.say(&page)?;
                }
                Ok(Done::ok(section(&place, &took.record, took.waited, took.reclaimed)))
            }
            Err(LockError::Deferred { path, held_by, waited, remedy }) => {
                let section = LockSection {
                    path: place.lock().to_string_lossy().into_owned(),
                    waited_ms: milliseconds(waited),
                    held_by: held_by.clone(),
                    ..LockSection::default()
                };
                Ok(Done::fault(section, Fault::from(LockError::Deferred { path, held_by, waited, remedy })))
            }
            Err(trouble) => Err(Fault::from(trouble).ending_the_run().into()),
        }
    }

    fn report(&self, section: &LockSection, page: &mut Page) {
        if let Some(Reclaimed { reason, owner }) = &section.reclaimed {
            let whose = owner.as_ref().map_or_else(|| "a lock without an owner".into(), describe);
            let why = match reason {
                contract::ReclaimReason::OwnerDead => "its owner is dead",
                contract::ReclaimReason::Expired => "it gave no sign of life",
            };
            page.line(format_args!("lock: cleared a stale one, {why}: {}", phase::escape::line(&whose)));
        }
        match (&section.owner, section.waited_ms / 1000) {
            (None, _) => {}
            (Some(_), 0) => page.line("lock: taken"),
            (Some(_), waited) => page.line(format_args!("lock: taken after {waited} s")),
        }
        let is_joined = Inherited::from_environment().contains(&section.token.as_str().into());
        if section.owner.is_some() && !is_joined && !self.common.document_to_stdout() {
            // The document, from which `lock release` would take the token, is not written to stdout.
            let repo = self
                .common
                .repo
                .as_ref()
                .map(|repo| format!(" --repo {}", sanitize::quoted(repo.as_str())))
                .unwrap_or_default();
            let command = format!("lock release --token {}{repo}", section.token);
            page.line(format_args!("  to give it back: {}", phase::escape::line(&command)));
        }
    }

    /// Turns the lock into a lease: its token has now reached a reader with the document, so the lock can outlast
    /// this process. Until here this process is one of the lock's owners, so that a lock whose token reached nobody
    /// is reclaimed at once.
    fn after_delivery(&self, run: &Run<'_>, section: &LockSection) -> anyhow::Result<()> {
        let was_had = !section.token.is_empty();
        if was_had && self.owner_pid.is_none() {
            leave(&LockPaths::new(run.common_dir()), &section.token.as_str().into(), &Process::current())
                .map_err(Fault::from)?;
        }
        Ok(())
    }

    /// Gives back a lock that was taken for another process: nobody has its token, and everybody would wait for as long
    /// as that process lives.
    fn after_failed_delivery(&self, run: &Run<'_>, section: &LockSection) -> anyhow::Result<()> {
        let token = section.token.as_str().into();
        let is_older = run.document().held_lock().is_some() || Inherited::from_environment().contains(&token);
        if self.owner_pid.is_some() && !section.token.is_empty() && !is_older {
            release(&LockPaths::new(run.common_dir()), &token).map_err(Fault::from)?;
        }
        Ok(())
    }
}

impl Acquire {
    fn wish(&self) -> Result<LockRequest, Fault> {
        let (owner, worker) = match self.owner_pid {
            None => (None, Some(Process::current())),
            Some(pid) => match Process::running(pid) {
                Some(process) => (Some(process), None),
                None => {
                    return Err(Fault::failed(format!(
                        "there is no process {pid} for the lock to belong to"
                    ))
                    .help("--owner-pid takes the number of a living process, such as a script's own $$")
                    .ending_the_run());
                }
            },
        };
        let lease = self.waiting.stale_after;
        Ok(LockRequest { owner, worker, term: Term::SignsOfLife, lease, name: self.waiting.name.clone() })
    }
}

fn section(
    place: &LockPaths,
    record: &Record,
    waited: Duration,
    reclaimed: Option<Reclaimed>,
) -> LockSection {
    // This process is one of the owners for a moment longer; the document describes the state after it.
    let owner: Owner = record.clone().left_by(&Process::current()).to_owner();
    LockSection {
        path: place.lock().to_string_lossy().into_owned(),
        token: record.token.to_string(),
        waited_ms: milliseconds(waited),
        owner: Some(owner),
        reclaimed,
        ..LockSection::default()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
