//! Makes one attempt at taking the lock; the caller must hold the guard file.
//!
//! A free lock is taken by creating its directory, which only one process can. A stale one is taken over in place:
//! its files are replaced and the directory stays, so that there is no moment in which nobody has it.
//!
//! A taker may be killed between any two steps, and what it leaves must show that the taker is dead; otherwise
//! everyone would wait until the lock counts as silent. So the directory gets its name with the files already in it,
//! in one step that fails if the name exists. (A plain rename would replace an empty directory that a script has just
//! made.) If the file system has no such step, the file that says who owns the lock is written first.

use std::{fs, io, io::ErrorKind, time::Duration};

use contract::{Owner, ReclaimReason, Reclaimed};

use crate::{
    LockError, LockPaths, LockRequest, Record, Token, Verdict,
    guard_file::Guarded,
    handover_pause, judge, leftovers,
    look::{LockState, OWNER_FILE, PID_FILE, Taken},
    platform::{self, Dir},
    staging::{self, Prepared, PreparedLock},
    wait::Patience,
};

/// How an attempt ended.
#[derive(Debug)]
pub enum Attempt {
    /// The lock is ours.
    Acquired {
        /// The content of its owner file now.
        record: Box<Record>,
        /// The stale lock that it replaced, if any.
        reclaimed: Option<Reclaimed>,
    },
    /// Another process has it.
    Held(Holder),
}

/// The holder of a lock that was not acquired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its owner.
    pub owner: Owner,
    /// Whether it is stale, and merely cannot be cleared safely on this file system.
    pub stale: bool,
}

/// Takes the lock if it is free or stale.
///
/// # Errors
/// [`LockError::Obstacle`] and [`LockError::Refused`]; nothing of ours is left then.
pub fn attempt(
    place: &LockPaths,
    guarded: &Guarded,
    token: &Token,
    wish: &LockRequest,
    patience: &Patience,
) -> Result<Attempt, LockError> {
    if guarded.excludes_others() {
        staging::sweep(place);
    }
    let record = Record::new(token.clone(), wish);
    match LockState::look(place).map_err(LockError::refused("look at", place))? {
        LockState::Obstacle(kind) => Err(LockError::Obstacle { path: place.lock(), kind }),
        LockState::Free => make(place, record),
        LockState::Taken(taken) => match judge(&taken.facts(), patience.stale_after) {
            Verdict::Stale(reason) if guarded.excludes_others() => take_over(place, &taken, reason, record),
            Verdict::Stale(_) => Ok(Attempt::Held(Holder { owner: taken.owner(), stale: true })),
            Verdict::Held => {
                if taken.is_ahead_of_time() {
                    // From now on its silence can be measured. If we may not touch it, it stays as it is.
                    let _ = taken.dir.touch();
                }
                Ok(Attempt::Held(Holder { owner: taken.owner(), stale: false }))
            }
        },
    }
}

/// Creates the directory, which only one process can, with the files in it that say who owns it.
fn make(place: &LockPaths, record: Record) -> Result<Attempt, LockError> {
    let (pid, owner) = (pid_content(&record), record.to_json());
    let files = [(PID_FILE, pid.as_str()), (OWNER_FILE, owner.as_str())];
    let lock =
        PreparedLock::write(place, &record.token, &files).map_err(LockError::refused("take", place))?;
    match lock.put(place) {
        Ok(()) => Ok(Attempt::Acquired { record: record.into(), reclaimed: None }),
        // A script was faster. The next look shows who owns it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => held_by_the_faster(place),
        Err(_) => make_step_by_step(place, record),
    }
}

/// Creates the lock on a file system that cannot rename a directory without replacing another. The files are written
/// before, so that there is hardly a moment in which the lock is empty; and since no script clears a lock that has
/// just been made, the file for scripts need not come first.
fn make_step_by_step(place: &LockPaths, record: Record) -> Result<Attempt, LockError> {
    let files = Files::prepare(place, &record).map_err(LockError::refused("take", place))?;
    match fs::create_dir(place.lock()) {
        Ok(()) => platform::share_directory(&place.lock(), place.common_dir()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return held_by_the_faster(place),
        Err(error) => return Err(LockError::refused("take", place)(error)),
    }
    let put =
        Dir::open(&place.lock()).and_then(|dir| files.owner.put(&dir).and_then(|()| files.pid.put(&dir)));
    match put {
        Ok(()) => Ok(Attempt::Acquired { record: record.into(), reclaimed: None }),
        Err(error) => {
            unmake(place);
            Err(LockError::refused("take", place)(error))
        }
    }
}

fn held_by_the_faster(place: &LockPaths) -> Result<Attempt, LockError> {
    let owner = match LockState::look(place).map_err(LockError::refused("look at", place))? {
        LockState::Taken(taken) => taken.owner(),
        LockState::Free => Owner { pid: 0, host: None, since: phase::clock::now(), name: None },
        LockState::Obstacle(kind) => return Err(LockError::Obstacle { path: place.lock(), kind }),
    };
    Ok(Attempt::Held(Holder { owner, stale: false }))
}

/// Undoes [`make_step_by_step`] if the files could not be written. The directory is removed only if nothing else is
/// in it.
fn unmake(place: &LockPaths) {
    if let Ok(dir) = Dir::open(&place.lock()) {
        // They may not exist; the directory is removed all the same.
        let _ = dir.remove(OWNER_FILE);
        let _ = dir.remove(PID_FILE);
    }
    let _ = fs::remove_dir(place.lock());
}

/// Replaces the files of a stale lock in the very directory that was found stale: if a script has cleared it
/// meanwhile, this fails, and the lock that the script made stays the script's.
fn take_over(
    place: &LockPaths,
    stale: &Taken,
    reason: ReclaimReason,
    record: Record,
) -> Result<Attempt, LockError> {
    let change_hands = || {
        let files = Files::prepare(place, &record)?;
        announce(place, &stale.dir, reason, &record)?;
        files.put(&stale.dir, Onlookers::Scripts)
    };
    match change_hands() {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return held_by_the_faster(place),
        Err(error) => return Err(LockError::refused("take over", place)(error)),
    }
    leftovers::clean(place, &stale.dir, &record.token);
    let owner = Some(stale.owner()).filter(|owner| stale.record.is_some() || owner.pid != 0);
    Ok(Attempt::Acquired { record: record.into(), reclaimed: Some(Reclaimed { reason, owner }) })
}

/// Writes the taker's record into a silent lock before taking it over. Writing the new `pid` file counts as a sign of
/// life: if the taker were killed after that, before the lock has changed hands, the lock would look as if its last
/// owner still kept it alive. (If that owner is dead, the lock is stale whatever the `pid` file says.) The record
/// does not make the lock the taker's yet: a script may still clear it.
fn announce(place: &LockPaths, stale: &Dir, reason: ReclaimReason, record: &Record) -> io::Result<()> {
    match reason {
        ReclaimReason::OwnerDead => Ok(()),
        ReclaimReason::Expired => {
            Prepared::write_beside(place, "taker", OWNER_FILE, &record.token, &record.to_json())?.put(stale)
        }
    }
}

/// Who may be about to clear the lock that is being written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onlookers {
    /// Nobody.
    None,
    /// Scripts that found it stale.
    Scripts,
}

impl Onlookers {
    /// Returns who may be about to clear this lock; `patience` is the longest silence that they accept.
    pub fn of(taken: &Taken, patience: Duration) -> Self {
        if taken.may_look_stale(patience) { Self::Scripts } else { Self::None }
    }
}

/// Writes who owns the lock.
///
/// # Errors
/// If the files cannot be written; `NotFound` if the directory was removed meanwhile.
pub fn write(place: &LockPaths, dir: &Dir, record: &Record, onlookers: Onlookers) -> io::Result<()> {
    Files::prepare(place, record)?.put(dir, onlookers)
}

/// The files that say who owns the lock.
struct Files {
    pid: Prepared,
    owner: Prepared,
}

impl Files {
    fn prepare(place: &LockPaths, record: &Record) -> io::Result<Self> {
        let pid = Prepared::write(place, PID_FILE, &record.token, &pid_content(record))?;
        let owner = Prepared::write(place, OWNER_FILE, &record.token, &record.to_json())?;
        Ok(Self { pid, owner })
    }

    /// Moves them into the lock.
    ///
    /// The file for scripts comes first, and the lock changes hands with the second file. If the lock looked stale, a
    /// script may just have read the old number for the second time and be about to clear it: it is given the time to
    /// do so, and the second file then finds the directory gone.
    fn put(self, dir: &Dir, onlookers: Onlookers) -> io::Result<()> {
        self.pid.put(dir)?;
        match onlookers {
            Onlookers::None => {}
            Onlookers::Scripts => handover_pause::linger(),
        }
        self.owner.put(dir)
    }
}

/// Returns the content of the file for scripts.
fn pid_content(record: &Record) -> String {
    format!("{}\n", record.pid())
}
