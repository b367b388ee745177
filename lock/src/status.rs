//! `lock status`: shows who holds the lock.

use camino::Utf8PathBuf;
use phase::{Color, Page, escape};
use serde::Serialize;

use crate::{Facts, LockError, LockPaths, LockState, Verdict, describe, judge, queue};

/// Show who holds the lock; exit with 0 whether or not it is held.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The repository [default: the one around the current directory].
    #[arg(long, value_name = "DIR")]
    repo: Option<Utf8PathBuf>,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// How long the lock may show no sign of life before it counts as stale.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = phase::duration)]
    stale_after: std::time::Duration,

    /// When to use colour.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
}

/// The state of a lock.
#[derive(Debug, Serialize)]
struct Status {
    /// The path of the lock directory.
    path: String,
    /// Its owner; null if it is free.
    held_by: Option<contract::Owner>,
    /// Why the next taker will clear it; null if it is not stale.
    stale: Option<contract::ReclaimReason>,
    /// How many seconds ago it last gave a sign of life; null if it is free.
    silent_for_s: Option<u64>,
    /// How many processes wait for it.
    waiting: usize,
}

impl StatusArgs {
    /// Writes the state of the lock to the page.
    ///
    /// # Errors
    /// If there is no repository, or the lock cannot be read.
    pub fn run(&self, page: &mut Page) -> anyhow::Result<u8> {
        let directory = self.repo.as_deref().unwrap_or(camino::Utf8Path::new("."));
        let repo = phase::place(&phase::discover(directory)?)?;
        let place = LockPaths::new(repo.common_dir);
        let status = self.look(&place).map_err(phase::Fault::from)?;
        if self.json {
            page.line(serde_json::to_string(&status)?);
        } else {
            report(&status, page);
        }
        Ok(0)
    }

    fn look(&self, place: &LockPaths) -> Result<Status, LockError> {
        let path = place.lock().to_string_lossy().into_owned();
        let free =
            Status { path, held_by: None, stale: None, silent_for_s: None, waiting: queue::length(place) };
        match LockState::look(place).map_err(LockError::refused("look at", place))? {
            LockState::Free => Ok(free),
            LockState::Obstacle(kind) => Err(LockError::Obstacle { path: place.lock(), kind }),
            LockState::Taken(taken) => {
                let facts @ Facts { silence, .. } = taken.facts();
                let stale = match judge(&facts, self.stale_after) {
                    Verdict::Held => None,
                    Verdict::Stale(reason) => Some(reason),
                };
                Ok(Status {
                    held_by: Some(taken.owner()),
                    stale,
                    silent_for_s: Some(silence.as_secs()),
                    ..free
                })
            }
        }
    }
}

fn report(status: &Status, page: &mut Page) {
    match &status.held_by {
        None => page.line("the lock is free"),
        Some(owner) => page.line(format_args!("the lock is held by {}", escape::line(&describe(owner)))),
    }
    if let Some(silent) = status.silent_for_s {
        page.line(format_args!("last sign of life {silent} s ago"));
    }
    match status.stale {
        None => {}
        Some(contract::ReclaimReason::OwnerDead) => {
            page.line("it is stale, its owner is dead: the next run clears it")
        }
        Some(contract::ReclaimReason::Expired) => {
            page.line("it is stale, for want of a sign of life: the next run clears it")
        }
    }
    if status.waiting > 0 {
        page.line(format_args!("waiting for it: {}", status.waiting));
    }
}
