//! The hammering itself: workers are killed, stopped and misled, and new ones take their place.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    account::Account,
    random::Random,
    worker::{self, Habits},
};

/// What is done to the workers.
pub struct Kind {
    pub name: &'static str,
    habits: Habits,
    /// Whether workers are stopped until others take over.
    stops: bool,
    /// Whether scripts take part: they know of no fencing, so nobody is overtaken in their company.
    scripts: bool,
}

/// Workers are killed at any instant, among scripts.
pub const KILLS: Kind = Kind {
    name: "kills, among scripts",
    habits: Habits { dwell_us: 300, jumps: 0, impatience: 9_000, stale_ms: 1500 },
    stops: false,
    scripts: true,
};

/// Workers are killed, stopped for longer than the others wait, and misled about the time.
pub const EVERYTHING: Kind = Kind {
    name: "kills, stops and clock jumps",
    habits: Habits { dwell_us: 300, jumps: 30, impatience: 9_000, stale_ms: 1000 },
    stops: true,
    scripts: false,
};

pub fn run(kind: &Kind, time: Duration, workers: usize) -> Account {
    let directory = folder();
    let over = AtomicBool::new(false);
    let (mut account, scripts) = thread::scope(|scope| {
        let script = kind.scripts.then(|| scope.spawn(|| script(directory.path(), &over)));
        let (kills, stops) = torment(kind, directory.path(), time, workers);
        over.store(true, Ordering::Relaxed);
        let scripts = script.map(|script| script.join().expect("a script ends")).unwrap_or_default();
        let mut account = Account::of(&worker::logs(directory.path()));
        (account.kills, account.stops) = (kills, stops);
        (account, scripts)
    });
    account.scripts = scripts.entered;
    account.add_violations(scripts.violations);
    account
}

/// Keeps the workers going, and does to them what is to be done. Says how many were killed, and stopped.
fn torment(kind: &Kind, directory: &Path, time: Duration, workers: usize) -> (u64, u64) {
    let mut random = Random::new();
    let mut running: Vec<Child> = (0..workers).map(|_| start(directory, &kind.habits)).collect();
    let mut stopped: Vec<(u32, Instant)> = Vec::new();
    let (mut kills, mut stops) = (0, 0);
    let end = Instant::now() + time;
    while Instant::now() < end {
        thread::sleep(random.time_below(Duration::from_millis(40)));
        let index = usize::try_from(random.below(workers as u64)).unwrap_or(0);
        if random.happens(5_000) {
            let mut victim = std::mem::replace(&mut running[index], start(directory, &kind.habits));
            // Both succeed, or it has ended by itself, which the account will tell.
            let _ = victim.kill();
            let _ = victim.wait();
            kills += 1;
        } else if kind.stops && random.happens(3_000) {
            let pid = running[index].id();
            signal(pid, Signal::STOP);
            let long = random.happens(1_000);
            let long_enough = Duration::from_millis(kind.habits.stale_ms * 2);
            let pause = if long { long_enough } else { Duration::from_millis(10) };
            stopped.push((pid, Instant::now() + random.time_below(pause * 2)));
            stops += 1;
        }
        stopped.retain(|(pid, until)| {
            let wakes = Instant::now() >= *until;
            if wakes {
                signal(*pid, Signal::CONT);
            }
            !wakes
        });
    }
    for mut child in running {
        let _ = child.kill();
        let _ = child.wait();
    }
    (kills, stops)
}

/// An empty folder for a lock and for what the workers leave.
pub fn folder() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(worker::inside(directory.path())).expect("a folder in it");
    directory
}

/// One more worker.
#[allow(clippy::disallowed_methods, reason = "the hammer starts its own workers")]
pub fn start(directory: &Path, habits: &Habits) -> Child {
    let this = std::env::current_exe().expect("the hammer knows where it is");
    Command::new(this)
        .arg("worker")
        .arg(directory)
        .args(
            [habits.dwell_us, habits.jumps, habits.impatience, habits.stale_ms]
                .map(|number| number.to_string()),
        )
        .stdin(Stdio::null())
        .spawn()
        .expect("a worker can be started")
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have been killed in the meantime.
        let _ = kill_process(pid, signal);
    }
}

#[derive(Default)]
struct Scripts {
    entered: u64,
    violations: Vec<String>,
}

/// A peer that does what shell scripts do: `mkdir`, a plain number in `pid`, `rm -rf`. It looks whether anybody is
/// inside, before and after.
fn script(directory: &Path, over: &AtomicBool) -> Scripts {
    let place = lock::LockPaths::new(directory);
    let witness = worker::inside(directory).join("witness");
    let mut scripts = Scripts::default();
    while !over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(2));
        if fs::create_dir(place.lock()).is_err() {
            continue;
        }
        scripts.entered += 1;
        let _ = fs::write(place.lock().join("pid"), std::process::id().to_string());
        if let Ok(maker) = fs::read_to_string(&witness) {
            // Whoever was killed inside had the lock then, and only its next owner removes it.
            scripts.violations.push(format!("a script found this inside: {maker}"));
        }
        thread::sleep(Duration::from_micros(200));
        if witness.exists() {
            scripts.violations.push("somebody came in beside a script".into());
        }
        let _ = fs::remove_dir_all(place.lock());
    }
    scripts
}
