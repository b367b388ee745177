//! A lock that is held: fencing, signs of life and releasing it.
//!
//! An owner that was stopped for longer than others were willing to wait may wake up and find that another process
//! has the lock. So it checks before each change whether the lock still has its token.

mod made;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    Life, LockError, LockPaths, LockRequest, Patience, Process, Record, Term, Token,
    fence::{ours, under_guard},
    file_stamp::Mark,
    give_back::{Release, leave, release},
    look::{OWNER_FILE, Taken},
    platform::Dir,
    take::{self, Holder, Onlookers},
    wait::{Acquired, acquire},
};

/// The minimum time between two signs of life; the contract requires one every 30 s.
const PULSE: Duration = Duration::from_secs(5);

/// A lock that is held. Dropping it releases the lock, or this process's share in it.
#[derive(Debug)]
pub struct Held {
    place: LockPaths,
    token: Token,
    stake: Mutex<Stake>,
    last_sign: Mutex<Option<Instant>>,
    /// The mark of the owner file when it was last found to hold this token, if the file can be recognised by it.
    known: Mutex<Option<Mark>>,
}

/// The share that a holder has in the lock and releases in the end.
#[derive(Debug)]
enum Stake {
    /// The whole lock: this holder took it.
    Whole,
    /// A share, as one of the owners of a lock that another process took.
    Worker(Process),
    /// The right to become an owner, used as soon as there is something to change.
    Guest,
    /// Nothing any more.
    Nothing,
}

impl Held {
    /// Takes the lock for this process, until the value is dropped.
    ///
    /// # Errors
    /// As [`acquire`].
    pub fn take(
        place: LockPaths,
        name: Option<String>,
        patience: &Patience,
        waiting: &mut dyn FnMut(&Holder),
    ) -> Result<Self, LockError> {
        let owner = Some(Process::current());
        let wish =
            LockRequest { owner, worker: None, term: Term::SignsOfLife, lease: patience.stale_after, name };
        let took = acquire(&place, &wish, patience, waiting)?;
        Ok(Self::whole(place, &took))
    }

    /// Wraps the lock that was just taken; it is released when the value is dropped.
    pub fn whole(place: LockPaths, took: &Acquired) -> Self {
        Self::with(place, took.record.token.clone(), Stake::Whole)
    }

    /// Joins a lock that another process took, as one of its owners, until the value is dropped.
    ///
    /// # Errors
    /// [`LockError::Lost`] if the lock no longer has this token.
    pub fn enter(place: LockPaths, token: Token) -> Result<Self, LockError> {
        let me = add_to_owners(&place, &token)?;
        Ok(Self::with(place, token, Stake::Worker(me)))
    }

    /// Joins a lock that another process took. If a living process owns it, this one becomes an owner beside it only
    /// with its first change: until then there is no reason to keep the lock in case the other one dies.
    ///
    /// # Errors
    /// [`LockError::Lost`] if the lock no longer has this token.
    pub fn join(place: LockPaths, token: Token) -> Result<Self, LockError> {
        let (_, record) = ours(&place, &token)?;
        match record.owner.as_ref().map(Process::life) {
            Some(Life::Alive) => Ok(Self::with(place, token, Stake::Guest)),
            _ => Self::enter(place, token),
        }
    }

    fn with(place: LockPaths, token: Token, stake: Stake) -> Self {
        let last_sign = Mutex::new(Some(Instant::now()));
        Self { place, token, stake: Mutex::new(stake), last_sign, known: Mutex::default() }
    }

    /// Returns the token that proves that the lock is held.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Whether this is a share in a lock that another process took.
    pub fn is_shared(&self) -> bool {
        let stake = self.stake.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(*stake, Stake::Worker(_) | Stake::Guest)
    }

    /// Returns the paths of the lock.
    pub fn place(&self) -> &LockPaths {
        &self.place
    }

    /// Checks that the lock is still this one's; to be called before each change. It is a sign of life as well.
    ///
    /// # Errors
    /// [`LockError::Lost`] if it is not: nothing may be changed any more.
    pub fn check(&self) -> Result<(), LockError> {
        self.settle_in()?;
        if !self.sign_is_due() && self.looks_as_before() {
            return Ok(());
        }
        let (taken, record) = ours(&self.place, &self.token)?;
        self.sign(&taken, &record);
        if let Ok(mut known) = self.known.lock() {
            *known = taken.mark.filter(|mark| mark.is_settled(SystemTime::now()));
        }
        Ok(())
    }

    /// Makes a guest an owner.
    fn settle_in(&self) -> Result<(), LockError> {
        let mut stake = self.stake.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*stake, Stake::Guest) {
            *stake = Stake::Worker(add_to_owners(&self.place, &self.token)?);
        }
        Ok(())
    }

    /// Whether the lock's owner file is the same as when it was last read.
    fn looks_as_before(&self) -> bool {
        let Some(known) = self.known.lock().ok().and_then(|known| *known) else { return false };
        let now = Dir::open(&self.place.lock()).and_then(|dir| dir.mark(OWNER_FILE));
        matches!(now, Ok(Some(now)) if now == known)
    }

    /// Gives a sign of life, unless the last one is too recent; to be called whenever the work makes progress.
    pub fn alive(&self) {
        if self.sign_is_due()
            && let Ok((taken, record)) = ours(&self.place, &self.token)
        {
            self.sign(&taken, &record);
        }
    }

    fn sign_is_due(&self) -> bool {
        let last = self.last_sign.lock().map(|last| *last).unwrap_or_default();
        last.is_none_or(|last| last.elapsed() >= PULSE)
    }

    fn sign(&self, taken: &Taken, record: &Record) {
        if !self.sign_is_due() {
            return;
        }
        if taken.dir.touch().is_ok()
            && let Ok(mut last) = self.last_sign.lock()
        {
            *last = Some(Instant::now());
        }
        if record.naming_the_living().is_some() {
            // If it cannot be written, the next sign of life tries again.
            let _ = name_the_living(&self.place, &self.token);
        }
    }

    /// Does something short while no process can take the lock over, if the lock is still this one's.
    ///
    /// # Errors
    /// [`LockError::Lost`] if it is not; `work` was not called then.
    pub fn fenced<T>(&self, work: impl FnOnce() -> T) -> Result<T, LockError> {
        under_guard(&self.place, || {
            ours(&self.place, &self.token)?;
            Ok(work())
        })
    }

    /// Keeps the lock beyond the end of this value: its owner is another process, or none, as the lock itself
    /// records.
    pub fn keep(mut self) -> Token {
        self.stake = Mutex::new(Stake::Nothing);
        self.token.clone()
    }

    /// Releases what is held, and returns whether the lock was still this one's.
    ///
    /// # Errors
    /// If it could not be released.
    pub fn give_back(mut self) -> Result<Release, LockError> {
        self.end()
    }

    fn end(&mut self) -> Result<Release, LockError> {
        let stake = self.stake.get_mut().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(stake, Stake::Nothing) {
            Stake::Whole => release(&self.place, &self.token),
            Stake::Worker(process) => leave(&self.place, &self.token, &process),
            Stake::Guest | Stake::Nothing => Ok(Release::Released),
        }
    }
}

/// Makes this process one of the owners of the lock with this token.
fn add_to_owners(place: &LockPaths, token: &Token) -> Result<Process, LockError> {
    let me = Process::current();
    under_guard(place, || {
        let (taken, record) = ours(place, token)?;
        let onlookers = Onlookers::of(&taken, record.lease());
        let record = record.entered_by(&me);
        take::write(place, &taken.dir, &record, onlookers).map_err(LockError::refused("enter", place))
    })?;
    Ok(me)
}

/// Takes out the workers that were killed, whose number a script would take for a dead owner's.
fn name_the_living(place: &LockPaths, token: &Token) -> Result<(), LockError> {
    under_guard(place, || {
        let (taken, record) = ours(place, token)?;
        let Some(record) = record.naming_the_living() else { return Ok(()) };
        // Until now the lock looked stale to scripts.
        take::write(place, &taken.dir, &record, Onlookers::Scripts).map_err(LockError::refused("hold", place))
    })
}

impl Drop for Held {
    fn drop(&mut self) {
        // If it cannot be released, its owner is soon dead, and the next taker notices that.
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use camino::Utf8Path;

    use super::*;

    pub(super) const PATIENCE: Patience =
        Patience { wait: Duration::ZERO, stale_after: Duration::from_secs(60) };

    pub(super) fn place() -> (tempfile::TempDir, LockPaths) {
        let directory = tempfile::tempdir().unwrap();
        let place = LockPaths::new(directory.path());
        (directory, place)
    }

    pub(super) fn take(place: &LockPaths) -> Held {
        Held::take(place.clone(), None, &PATIENCE, &mut |_| {}).unwrap()
    }

    fn take_lease(place: &LockPaths) -> Acquired {
        let lease = PATIENCE.stale_after;
        let wish = LockRequest { owner: None, worker: None, term: Term::SignsOfLife, lease, name: None };
        acquire(place, &wish, &PATIENCE, &mut |_| {}).unwrap()
    }

    fn lock_is_silent_for(place: &LockPaths, silence: Duration) {
        fs::File::open(place.lock()).unwrap().set_modified(SystemTime::now() - silence).unwrap();
    }

    fn silence(place: &LockPaths) -> Duration {
        fs::metadata(place.lock()).unwrap().modified().unwrap().elapsed().unwrap_or_default()
    }

    #[test]
    fn who_was_overtaken_changes_nothing_any_more() {
        let (_keep, place) = place();
        let sleeper = take(&place);
        sleeper.check().unwrap();
        lock_is_silent_for(&place, Duration::from_secs(61));
        let next = take(&place);

        let lost = sleeper.check().unwrap_err();
        assert!(matches!(&lost, LockError::Lost { by: Some(_), .. }), "{lost}");
        assert_eq!(phase::Fault::from(lost).exit(), contract::Exit::Deferred);
        assert!(sleeper.fenced(|| ()).is_err());
        assert!(sleeper.finished(Utf8Path::new("index.lock")).is_err());
        assert!(matches!(sleeper.give_back(), Ok(Release::NotOurs { held_by: Some(_) })));
        next.check().unwrap();
        assert_eq!(next.give_back().unwrap(), Release::Released);
    }

    #[test]
    fn a_lock_that_a_script_cleared_is_lost() {
        let (_keep, place) = place();
        let held = take(&place);
        fs::remove_dir_all(place.lock()).unwrap();
        assert!(matches!(held.check(), Err(LockError::Lost { by: None, .. })));
        fs::create_dir(place.lock()).unwrap();
        assert!(matches!(held.check(), Err(LockError::Lost { by: Some(_), .. })));
        drop(held);
        assert!(place.lock().exists(), "it is the script's");
    }

    #[test]
    fn a_lock_that_is_known_by_its_looks_is_lost_all_the_same() {
        let loses = |how: &dyn Fn(&LockPaths)| {
            let (_keep, place) = place();
            let held = take(&place);
            std::thread::sleep(Duration::from_millis(150));
            held.check().unwrap();
            #[cfg(unix)]
            assert!(held.looks_as_before());
            how(&place);
            assert!(!held.looks_as_before());
            held.check().unwrap_err()
        };
        let owner_file = |place: &LockPaths| place.lock().join(OWNER_FILE);
        loses(&|place| fs::remove_dir_all(place.lock()).unwrap());
        loses(&|place| {
            lock_is_silent_for(place, Duration::from_secs(61));
            drop(take(place).keep());
        });
        let another = |place: &LockPaths| {
            let words = fs::read_to_string(owner_file(place)).unwrap();
            let token = Record::parse(words.as_bytes()).unwrap().token;
            words.replace(token.as_str(), Token::fresh().as_str())
        };
        loses(&|place| {
            let words = another(place);
            fs::remove_dir_all(place.lock()).unwrap();
            fs::create_dir(place.lock()).unwrap();
            fs::write(owner_file(place), words).unwrap();
        });
        // No process writes the file in place; but if one did, it would be noticed.
        loses(&|place| fs::write(owner_file(place), another(place)).unwrap());
    }

    #[test]
    fn progress_is_a_sign_of_life_but_not_at_every_step() {
        let (_keep, place) = place();
        let held = take(&place);
        for sign in [Held::alive, |held: &Held| held.check().unwrap()] {
            lock_is_silent_for(&place, Duration::from_secs(30));
            sign(&held);
            assert!(silence(&place) >= Duration::from_secs(30), "the last one is too recent");
            *held.last_sign.lock().unwrap() = None;
            sign(&held);
            assert!(silence(&place) < Duration::from_secs(30));
        }
    }

    #[test]
    fn a_sign_of_life_takes_a_killed_worker_out_so_that_scripts_see_a_living_owner() {
        let (_keep, place) = place();
        let held = take(&place);
        let me = Process::current();
        let killed = Process { pid: me.pid + 1, start: me.start.map(|start| start - 1), ..me };
        let (taken, mut record) = ours(&place, held.token()).unwrap();
        record.workers.push(killed.clone());
        take::write(&place, &taken.dir, &record, Onlookers::None).unwrap();
        let pid = || fs::read_to_string(place.lock().join("pid")).unwrap();
        assert_eq!(pid(), format!("{}\n", killed.pid));
        *held.last_sign.lock().unwrap() = None;
        held.alive();
        assert_eq!(pid(), format!("{}\n", std::process::id()));
        held.check().unwrap();
    }

    #[test]
    fn who_was_overtaken_gives_no_sign_of_life_for_another() {
        let (_keep, place) = place();
        let sleeper = take(&place);
        lock_is_silent_for(&place, Duration::from_secs(61));
        let _next = take(&place);
        lock_is_silent_for(&place, Duration::from_secs(30));
        *sleeper.last_sign.lock().unwrap() = None;
        sleeper.alive();
        assert!(silence(&place) >= Duration::from_secs(30));
    }

    #[test]
    fn a_phase_owns_the_lock_of_its_run_while_it_works_and_leaves_a_lease() {
        let (_keep, place) = place();
        let took = take_lease(&place);
        let pid = || fs::read_to_string(place.lock().join("pid")).unwrap();
        assert_eq!(pid(), "0\n");
        let phase = Held::enter(place.clone(), took.record.token.clone()).unwrap();
        assert_eq!(pid(), format!("{}\n", std::process::id()));
        drop(phase);
        assert_eq!(pid(), "0\n");
        assert!(matches!(Held::enter(place, Token::fresh()), Err(LockError::Lost { .. })));
    }

    #[test]
    fn who_joins_a_living_owner_is_one_beside_it_from_the_first_change_on() {
        let (_keep, place) = place();
        let owner = take(&place);
        let workers = || {
            let words = fs::read(place.lock().join(OWNER_FILE)).unwrap();
            Record::parse(&words).unwrap().workers.len()
        };
        let phase = Held::join(place.clone(), owner.token().clone()).unwrap();
        phase.alive();
        assert_eq!(workers(), 0);
        phase.check().unwrap();
        assert_eq!(workers(), 1);
        assert!(matches!(phase.give_back(), Ok(Release::Released)));
        assert_eq!(workers(), 0);

        let guest = Held::join(place.clone(), owner.token().clone()).unwrap();
        drop(owner);
        assert!(matches!(guest.check(), Err(LockError::Lost { .. })), "the lock is gone");
    }

    #[test]
    fn who_joins_a_lease_owns_it_at_once() {
        let (_keep, place) = place();
        let took = take_lease(&place);
        let _phase = Held::join(place.clone(), took.record.token.clone()).unwrap();
        let pid = fs::read_to_string(place.lock().join("pid")).unwrap();
        assert_eq!(pid, format!("{}\n", std::process::id()));
    }
}
