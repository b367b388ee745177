//! One of the processes that want the lock, over and over, until it is killed.
//!
//! What happens goes line by line into a log of its own, from which the account is drawn up at the end. Entering and
//! leaving the section are fenced, so that the account holds whenever the process is stopped.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, SystemTime},
};

use lock::{Held, LockError, LockPaths, LockRequest, Patience, Process, Term, acquire};

use crate::{
    account::Event,
    random::Random,
    witness::{Entry, Witness},
};

/// What a worker does inside, and how patient it is.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// How long it stays inside at most, in microseconds.
    pub dwell_us: u64,
    /// How often it misleads the others about the time, in 10,000.
    pub jumps: u64,
    /// How often it does not wait for the lock but tries again a moment later, in 10,000.
    pub impatience: u64,
    /// After how many milliseconds without a sign of life it takes a lock over.
    pub stale_ms: u64,
}

pub fn work(directory: &Path, habits: &Habits) -> ExitCode {
    let inside = inside(directory);
    let log = inside.join(format!("log-{}-{}", std::process::id(), lock::Token::fresh()));
    let log = OpenOptions::new().create(true).append(true).open(log);
    let Ok(log) = log else { return ExitCode::FAILURE };
    let mut worker = Worker {
        place: LockPaths::new(directory),
        witness: Witness::new(&inside),
        dwell: Duration::from_micros(habits.dwell_us),
        jumps: habits.jumps,
        impatience: habits.impatience,
        stale_after: Duration::from_millis(habits.stale_ms),
        log,
        random: Random::new(),
    };
    loop {
        if let Err(trouble) = worker.once() {
            worker.note(&Event::LockError(trouble));
        }
    }
}

struct Worker {
    place: LockPaths,
    witness: Witness,
    dwell: Duration,
    jumps: u64,
    impatience: u64,
    stale_after: Duration,
    log: File,
    random: Random,
}

impl Worker {
    /// Takes the lock, goes in, stays a while, goes out, gives it back.
    fn once(&mut self) -> Result<(), String> {
        let wait = Duration::from_secs(if self.random.happens(self.impatience) { 0 } else { 60 });
        let patience = Patience { wait, stale_after: self.stale_after };
        let owner = Some(Process::current());
        let wish =
            LockRequest { owner, worker: None, term: Term::SignsOfLife, lease: self.stale_after, name: None };
        let took = match acquire(&self.place, &wish, &patience, &mut |_| {}) {
            Ok(took) => took,
            Err(LockError::Deferred { .. }) if wait.is_zero() => {
                std::thread::sleep(self.random.time_below(Duration::from_millis(2)));
                return Ok(());
            }
            Err(trouble) => return Err(trouble.to_string()),
        };
        let now = SystemTime::now();
        let held = Held::whole(self.place.clone(), &took);
        let token = held.token().clone();
        self.note(&Event::Acquired { at: now, reason: took.reclaimed.map(|reclaimed| reclaimed.reason) });
        match held.fenced(|| self.witness.enter(&token)) {
            Ok(Ok(Entry::Alone)) => {}
            Ok(Ok(Entry::OverTheDead)) => self.note(&Event::OverTheDead),
            Ok(Ok(Entry::OverTheLiving(other))) => self.note(&Event::Overtook(other)),
            Ok(Err(error)) => return Err(format!("the witness: {error}")),
            Err(LockError::Lost { .. }) => {
                self.note(&Event::Lost(token));
                return Ok(());
            }
            Err(other) => return Err(other.to_string()),
        }
        std::thread::sleep(self.random.time_below(self.dwell));
        if self.random.happens(self.jumps) {
            self.jump();
        }
        match held.fenced(|| self.witness.leave(&token)) {
            Ok(Ok(true)) => self.note(&Event::Left(token)),
            Ok(Ok(false)) => self.note(&Event::Intruded(token)),
            Ok(Err(error)) => return Err(format!("the witness: {error}")),
            Err(LockError::Lost { .. }) => {
                self.note(&Event::Lost(token));
                return Ok(());
            }
            Err(other) => return Err(other.to_string()),
        }
        let released = SystemTime::now();
        held.give_back().map_err(|error| error.to_string())?;
        self.note(&Event::Released { at: released });
        Ok(())
    }

    /// Misleads everybody about when the lock last gave a sign of life.
    fn jump(&mut self) {
        let far = self.random.time_below(Duration::from_secs(7200));
        let now = SystemTime::now();
        let time = if self.random.happens(5_000) { now - far } else { now + far };
        // The lock may be somebody else's by now, or nobody's.
        let _ = File::open(self.place.lock()).and_then(|lock| lock.set_modified(time));
    }

    fn note(&mut self, event: &Event) {
        // One write, so that a killed worker leaves at most half of its last line.
        let _ = self.log.write_all(format!("{event}\n").as_bytes());
    }
}

/// The folder for what is not the lock's own: who waits for the lock is woken by whatever goes away beside it.
pub fn inside(directory: &Path) -> PathBuf {
    directory.join("inside")
}

/// The logs that the workers have written.
pub fn logs(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(inside(directory)).into_iter().flatten().flatten();
    let logs = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("log-"));
    logs.filter_map(|log| fs::read_to_string(log.path()).ok()).collect()
}
