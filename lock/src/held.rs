//! The lock, as held: fencing, signs of life, and giving it back.
//!
//! An owner that was stopped for longer than others were willing to wait may wake up and find the lock somebody else's.
//! So it looks before each change whether its token is still the lock's.

use std::{
    io,
    sync::Mutex,
    time::{Duration, Instant},
};

use camino::Utf8Path;
use contract::Owner;

use crate::{
    Inherited, Leftover, Patience, Place, Process, Record, Term, Token, Trouble, Wish,
    guard_file::Guarded,
    judge, leftovers,
    look::{Sight, Taken},
    patience::{Took, acquire},
    platform,
    take::{self, Holder},
    wings,
};

/// How often a sign of life is written at most; the contract asks for one in 30 s.
const PULSE: Duration = Duration::from_secs(5);

/// How long entering, leaving and giving back wait for the guard file. It is held for a fraction of a millisecond.
const GUARD_PATIENCE: Duration = Duration::from_secs(10);

/// A lock that is held. Dropping it gives back what was had: the lock itself, or the place in it.
#[derive(Debug)]
pub struct Held {
    place: Place,
    token: Token,
    stake: Stake,
    last_sign: Mutex<Option<Instant>>,
}

/// What a holder has of the lock, and gives back in the end.
#[derive(Debug)]
enum Stake {
    /// The whole lock: it took it.
    Whole,
    /// A place among the owners of a lock that somebody else took.
    Worker(Process),
    /// Nothing any more.
    Nothing,
}

impl Held {
    /// Takes the lock for this process, for as long as the value lives.
    ///
    /// # Errors
    /// As [`acquire`].
    pub fn take(
        place: Place,
        name: Option<String>,
        patience: &Patience,
        waiting: &mut dyn FnMut(&Holder),
    ) -> Result<Self, Trouble> {
        let owner = Some(Process::current());
        let wish = Wish { owner, worker: None, term: Term::SignsOfLife, lease: patience.stale_after, name };
        let took = acquire(&place, &wish, patience, waiting)?;
        Ok(Self::whole(place, &took))
    }

    /// The lock that was just taken, to be given back when the value is dropped.
    pub fn whole(place: Place, took: &Took) -> Self {
        Self::with(place, took.record.token.clone(), Stake::Whole)
    }

    /// Joins a lock that somebody else took, as one of its owners, for as long as the value lives.
    ///
    /// # Errors
    /// [`Trouble::Lost`] where the lock no longer has this token.
    pub fn enter(place: Place, token: Token) -> Result<Self, Trouble> {
        let me = Process::current();
        under_guard(&place, || {
            let (taken, record) = ours(&place, &token)?;
            let before = judge(&taken.facts(), record.lease());
            let record = record.entered_by(&me);
            take::write(&place, &taken.dir, &record, before).map_err(Trouble::refused("enter", &place))
        })?;
        Ok(Self::with(place, token, Stake::Worker(me)))
    }

    fn with(place: Place, token: Token, stake: Stake) -> Self {
        Self { place, token, stake, last_sign: Mutex::new(Some(Instant::now())) }
    }

    /// The token that proves that the lock is held.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Where the lock lies.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the lock is still this one's; to be called before each change. It is a sign of life as well.
    ///
    /// # Errors
    /// [`Trouble::Lost`] where it is not: nothing may be changed any more.
    pub fn check(&self) -> Result<(), Trouble> {
        let (taken, _) = ours(&self.place, &self.token)?;
        self.sign(&taken);
        Ok(())
    }

    /// Gives a sign of life, where the last one is not too recent; to be called whenever something moved forward.
    pub fn alive(&self) {
        if self.sign_is_due()
            && let Ok((taken, _)) = ours(&self.place, &self.token)
        {
            self.sign(&taken);
        }
    }

    fn sign_is_due(&self) -> bool {
        let last = self.last_sign.lock().map(|last| *last).unwrap_or_default();
        last.is_none_or(|last| last.elapsed() >= PULSE)
    }

    fn sign(&self, taken: &Taken) {
        if self.sign_is_due()
            && taken.dir.touch().is_ok()
            && let Ok(mut last) = self.last_sign.lock()
        {
            *last = Some(Instant::now());
        }
    }

    /// Notes that the file which is at `path` now is this process's, and is to be removed by the next owner should this
    /// process be killed. Says whether the file system tells files apart well enough for that.
    ///
    /// # Errors
    /// [`Trouble::Lost`] where the lock is no longer this one's.
    pub fn made(&self, path: &Utf8Path) -> Result<bool, Trouble> {
        let leftover = Leftover::of(path, &Process::current())
            .map_err(Trouble::refused("note a file in", &self.place))?;
        let Some(leftover) = leftover else { return Ok(false) };
        under_guard(&self.place, || {
            let (taken, _) = ours(&self.place, &self.token)?;
            leftovers::note(&self.place, &taken.dir, &self.token, leftover)
                .map_err(Trouble::refused("note a file in", &self.place))
        })?;
        Ok(true)
    }

    /// Notes that this process has finished with the file at `path`.
    ///
    /// # Errors
    /// [`Trouble::Lost`] where the lock is no longer this one's.
    pub fn finished(&self, path: &Utf8Path) -> Result<(), Trouble> {
        under_guard(&self.place, || {
            let (taken, _) = ours(&self.place, &self.token)?;
            leftovers::forget(&self.place, &taken.dir, &self.token, path)
                .map_err(Trouble::refused("note a file in", &self.place))
        })
    }

    /// Does something short while nobody can take the lock over, where it is still this one's.
    ///
    /// # Errors
    /// [`Trouble::Lost`] where it is not; `work` was not called then.
    pub fn fenced<T>(&self, work: impl FnOnce() -> T) -> Result<T, Trouble> {
        under_guard(&self.place, || {
            ours(&self.place, &self.token)?;
            Ok(work())
        })
    }

    /// Keeps the lock beyond the end of this value: its owner is another process, or nobody, as the lock itself says.
    pub fn keep(mut self) -> Token {
        self.stake = Stake::Nothing;
        self.token.clone()
    }

    /// Gives back what is held, and says whether the lock was still this one's.
    ///
    /// # Errors
    /// Where it could not be given back.
    pub fn give_back(mut self) -> Result<Release, Trouble> {
        self.end()
    }

    fn end(&mut self) -> Result<Release, Trouble> {
        match std::mem::replace(&mut self.stake, Stake::Nothing) {
            Stake::Whole => release(&self.place, &self.token),
            Stake::Worker(process) => leave(&self.place, &self.token, &process),
            Stake::Nothing => Ok(Release::Released),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Where it cannot be given back, its owner is soon dead, and the next taker sees that.
        let _ = self.end();
    }
}

/// Whether a lock was still the one that was to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// It was, and is given back.
    Released,
    /// It was not, and stays as it is.
    NotOurs {
        /// Whose it is; `None` where it is nobody's.
        held_by: Option<Owner>,
    },
}

/// Removes the lock where it has this token.
///
/// # Errors
/// Where it cannot be removed.
pub fn release(place: &Place, token: &Token) -> Result<Release, Trouble> {
    let gone = under_guard(place, || match ours(place, token) {
        Ok((taken, _)) => {
            leftovers::clean(place, &taken.dir, token);
            set_aside(place, token).map(Ok).map_err(Trouble::refused("release", place))
        }
        Err(Trouble::Lost { by, .. }) => Ok(Err(by)),
        Err(trouble) => Err(trouble),
    })?;
    match gone {
        Ok(gone) => {
            // The lock is free; what it was made of may as well be removed by the next one.
            let _ = wings::remove(&gone);
            Ok(Release::Released)
        }
        Err(held_by) => Ok(Release::NotOurs { held_by }),
    }
}

/// Frees the lock in one step, by giving its directory another name: were its files removed one by one, a process
/// killed in the middle would leave a lock without an owner.
fn set_aside(place: &Place, token: &Token) -> io::Result<std::path::PathBuf> {
    let gone = wings::name_for_gone(place, token)?;
    platform::set_aside(&place.lock(), &gone)?;
    Ok(gone)
}

/// The token of the lock at `place`, where it is the lock of one of this process's callers.
///
/// # Errors
/// Where the lock cannot be looked at.
pub fn joinable(place: &Place, inherited: &Inherited) -> Result<Option<Record>, Trouble> {
    match Sight::look(place).map_err(Trouble::refused("look at", place))? {
        Sight::Taken(taken) => Ok(taken.record.filter(|record| inherited.contains(&record.token))),
        Sight::Free | Sight::Obstacle(_) => Ok(None),
    }
}

/// Takes a worker off the lock: where it was the last one of a lease, the lease begins anew.
pub fn leave(place: &Place, token: &Token, worker: &Process) -> Result<Release, Trouble> {
    under_guard(place, || match ours(place, token) {
        Ok((taken, record)) => {
            let before = judge(&taken.facts(), record.lease());
            let written = take::write(place, &taken.dir, &record.left_by(worker), before);
            written.map(|()| Release::Released).map_err(Trouble::refused("leave", place))
        }
        Err(Trouble::Lost { by, .. }) => Ok(Release::NotOurs { held_by: by }),
        Err(trouble) => Err(trouble),
    })
}

/// The lock, where it has this token.
fn ours(place: &Place, token: &Token) -> Result<(Taken, Record), Trouble> {
    let lost = |by| Trouble::Lost { path: place.lock(), by };
    match Sight::look(place).map_err(Trouble::refused("look at", place))? {
        Sight::Free | Sight::Obstacle(_) => Err(lost(None)),
        Sight::Taken(taken) => match &taken.record {
            Some(record) if record.token == *token => {
                let record = record.clone();
                Ok((taken, record))
            }
            _ => Err(lost(Some(taken.owner()))),
        },
    }
}

fn under_guard<T>(place: &Place, work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    let guarded = Guarded::enter(place, Instant::now() + GUARD_PATIENCE)
        .map_err(Trouble::refused("guard", place))?
        .ok_or_else(|| Trouble::Stuck { path: place.guard() })?;
    let done = work();
    drop(guarded);
    done
}
