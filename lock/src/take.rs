//! Taking the lock: one attempt, by who has the guard file.
//!
//! A free lock is taken by making its directory, which only one can. A stale one is taken over where it stands: its
//! files are replaced and the directory stays, so that no moment comes in which it is nobody's.
//!
//! A taker may be killed between any two steps, and what it leaves has to say that its taker is dead: else everybody
//! waits for it until it counts as silent. So the directory comes to its name with its files in it, in one step that
//! fails where there is something. (A plain rename would replace an empty directory, which a script has just made.)
//! Where the file system has no such step, the file that says whose the lock is comes first.

use std::{fs, io, io::ErrorKind, time::Duration};

use contract::{Owner, ReclaimReason, Reclaimed};

use crate::{
    Place, Record, Token, Trouble, Verdict, Wish, courtesy,
    guard_file::Guarded,
    judge, leftovers,
    look::{OWNER_FILE, PID_FILE, Sight, Taken},
    patience::Patience,
    platform::Dir,
    wings::{self, Prepared, PreparedLock},
};

/// How an attempt ended.
#[derive(Debug)]
pub enum Attempt {
    /// The lock is ours.
    Took {
        /// What it says of itself now.
        record: Box<Record>,
        /// The stale lock that it was before.
        reclaimed: Option<Reclaimed>,
    },
    /// It is somebody else's.
    Held(Holder),
}

/// Who holds a lock that was not had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Whose it is.
    pub owner: Owner,
    /// Whether it is nobody's any more, and merely cannot be cleared safely on this file system.
    pub stale: bool,
}

/// Takes the lock where it is free or stale.
///
/// # Errors
/// [`Trouble::Obstacle`] and [`Trouble::Refused`]; nothing of ours stays behind then.
pub fn attempt(
    place: &Place,
    guarded: &Guarded,
    token: &Token,
    wish: &Wish,
    patience: &Patience,
) -> Result<Attempt, Trouble> {
    if guarded.excludes_others() {
        wings::sweep(place);
    }
    let record = Record::new(token.clone(), wish);
    match Sight::look(place).map_err(Trouble::refused("look at", place))? {
        Sight::Obstacle(kind) => Err(Trouble::Obstacle { path: place.lock(), kind }),
        Sight::Free => make(place, record),
        Sight::Taken(taken) => match judge(&taken.facts(), patience.stale_after) {
            Verdict::Stale(reason) if guarded.excludes_others() => take_over(place, &taken, reason, record),
            Verdict::Stale(_) => Ok(Attempt::Held(Holder { owner: taken.owner(), stale: true })),
            Verdict::Held => {
                if taken.is_ahead_of_time() {
                    // From now on its silence can be told. Where it is not ours to touch, it goes without.
                    let _ = taken.dir.touch();
                }
                Ok(Attempt::Held(Holder { owner: taken.owner(), stale: false }))
            }
        },
    }
}

/// Makes the directory, which only one can, with the files in it that say whose it is.
fn make(place: &Place, record: Record) -> Result<Attempt, Trouble> {
    let (pid, owner) = (pid_content(&record), record.to_json());
    let files = [(PID_FILE, pid.as_str()), (OWNER_FILE, owner.as_str())];
    let lock = PreparedLock::write(place, &record.token, &files).map_err(Trouble::refused("take", place))?;
    match lock.put(place) {
        Ok(()) => Ok(Attempt::Took { record: record.into(), reclaimed: None }),
        // A script was faster. Whose it is will be seen at the next look.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => held_by_the_faster(place),
        Err(_) => make_step_by_step(place, record),
    }
}

/// The same where the file system cannot put a directory only where there is nothing. The files are written before, so
/// that there is hardly a moment in which the lock says nothing; and nobody clears what has just been made, so the
/// number for scripts need not come first.
fn make_step_by_step(place: &Place, record: Record) -> Result<Attempt, Trouble> {
    let files = Files::prepare(place, &record).map_err(Trouble::refused("take", place))?;
    match fs::create_dir(place.lock()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return held_by_the_faster(place),
        Err(error) => return Err(Trouble::refused("take", place)(error)),
    }
    let put =
        Dir::open(&place.lock()).and_then(|dir| files.owner.put(&dir).and_then(|()| files.pid.put(&dir)));
    match put {
        Ok(()) => Ok(Attempt::Took { record: record.into(), reclaimed: None }),
        Err(error) => {
            unmake(place);
            Err(Trouble::refused("take", place)(error))
        }
    }
}

fn held_by_the_faster(place: &Place) -> Result<Attempt, Trouble> {
    let owner = match Sight::look(place).map_err(Trouble::refused("look at", place))? {
        Sight::Taken(taken) => taken.owner(),
        Sight::Free => Owner { pid: 0, host: None, since: phase::clock::now(), name: None },
        Sight::Obstacle(kind) => return Err(Trouble::Obstacle { path: place.lock(), kind }),
    };
    Ok(Attempt::Held(Holder { owner, stale: false }))
}

/// Undoes [`make_step_by_step`] where the files could not be written. The directory goes only where nothing else is in it.
fn unmake(place: &Place) {
    if let Ok(dir) = Dir::open(&place.lock()) {
        // They may not be there; the directory then still goes.
        let _ = dir.remove(OWNER_FILE);
        let _ = dir.remove(PID_FILE);
    }
    let _ = fs::remove_dir(place.lock());
}

/// Replaces what a stale lock says of itself, in the very directory that was found stale: should a script have cleared
/// it meanwhile, this fails, and what the script made stays the script's.
fn take_over(
    place: &Place,
    stale: &Taken,
    reason: ReclaimReason,
    record: Record,
) -> Result<Attempt, Trouble> {
    let change_hands = || {
        let files = Files::prepare(place, &record)?;
        announce(place, &stale.dir, reason, &record)?;
        files.put(&stale.dir, Onlookers::Scripts)
    };
    match change_hands() {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return held_by_the_faster(place),
        Err(error) => return Err(Trouble::refused("take over", place)(error)),
    }
    leftovers::clean(place, &stale.dir, &record.token);
    let owner = Some(stale.owner()).filter(|owner| stale.record.is_some() || owner.pid != 0);
    Ok(Attempt::Took { record: record.into(), reclaimed: Some(Reclaimed { reason, owner }) })
}

/// Says beforehand who is taking a silent lock over. Its new number is a sign of life: were the taker killed before the
/// lock has changed hands, it would look like one that its last owner looks after. (Where that owner is dead, it is stale
/// whatever the number says.) The lock is not the taker's by that: a script may yet clear it.
fn announce(place: &Place, stale: &Dir, reason: ReclaimReason, record: &Record) -> io::Result<()> {
    match reason {
        ReclaimReason::OwnerDead => Ok(()),
        ReclaimReason::Expired => {
            Prepared::write_beside(place, "taker", OWNER_FILE, &record.token, &record.to_json())?.put(stale)
        }
    }
}

/// Who may have an eye on the lock that is being written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onlookers {
    /// Nobody who would clear it.
    None,
    /// Scripts that found it stale.
    Scripts,
}

impl Onlookers {
    /// Those of a lock that looks like this; `patience` is how long a silence they put up with.
    pub fn of(taken: &Taken, patience: Duration) -> Self {
        if taken.may_look_stale(patience) { Self::Scripts } else { Self::None }
    }
}

/// Writes who the lock belongs to.
///
/// # Errors
/// Where the files cannot be written; `NotFound` where the directory was removed meanwhile.
pub fn write(place: &Place, dir: &Dir, record: &Record, onlookers: Onlookers) -> io::Result<()> {
    Files::prepare(place, record)?.put(dir, onlookers)
}

/// The files that say who the lock belongs to.
struct Files {
    pid: Prepared,
    owner: Prepared,
}

impl Files {
    fn prepare(place: &Place, record: &Record) -> io::Result<Self> {
        let pid = Prepared::write(place, PID_FILE, &record.token, &pid_content(record))?;
        let owner = Prepared::write(place, OWNER_FILE, &record.token, &record.to_json())?;
        Ok(Self { pid, owner })
    }

    /// Puts them into the lock.
    ///
    /// The number for scripts comes first, and the lock changes hands with the second file. Where the lock looked
    /// stale, a script may just have seen the old number for the second time, and be about to clear it: it gets the
    /// time to do so, and the second file finds the directory gone.
    fn put(self, dir: &Dir, onlookers: Onlookers) -> io::Result<()> {
        self.pid.put(dir)?;
        match onlookers {
            Onlookers::None => {}
            Onlookers::Scripts => courtesy::linger(),
        }
        self.owner.put(dir)
    }
}

/// What the file for scripts says.
fn pid_content(record: &Record) -> String {
    format!("{}\n", record.pid())
}
