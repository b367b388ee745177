//! How fast the lock goes from hand to hand, what waiting costs, and whether anybody is left out.

use std::{
    fs,
    time::{Duration, Instant},
};

use lock::{Held, LockPaths, Patience};

use crate::{
    account, chaos,
    worker::{self, Habits},
};

/// The lock is held for up to 10 ms each time.
const HABITS: Habits = Habits { dwell_us: 10_000, jumps: 0, impatience: 0, stale_ms: 60_000 };

/// What was measured, in Markdown.
pub fn run(time: Duration, workers: usize) -> String {
    let directory = chaos::folder();
    let mut running: Vec<_> = (0..workers).map(|_| chaos::start(directory.path(), &HABITS)).collect();
    std::thread::sleep(time);
    for child in &mut running {
        let _ = child.kill();
        let _ = child.wait();
    }
    let logs = worker::logs(directory.path());
    let times = account::handovers(&logs);
    let turns = logs.iter().map(|log| log.lines().filter(|line| line.starts_with("acquired")).count());
    let (least, most) = (turns.clone().min().unwrap_or(0), turns.max().unwrap_or(0));
    format!(
        "Hand-over among {workers} that wait ({} times): median {:.2} ms, 99 % within {:.2} ms, longest {:.2} ms. \
         Turns of each: {least} to {most}.\n\
         Waiting costs {:.2} % of a processor.",
        times.len(),
        milliseconds(&times, 50),
        milliseconds(&times, 99),
        milliseconds(&times, 100),
        cost_of_waiting(time.min(Duration::from_secs(10))),
    )
}

fn milliseconds(times: &[Duration], percent: usize) -> f64 {
    let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// How much of a processor one process takes while it waits, in percent.
fn cost_of_waiting(time: Duration) -> f64 {
    let directory = chaos::folder();
    let patience = Patience { wait: Duration::ZERO, stale_after: Duration::from_secs(600) };
    let held = Held::take(LockPaths::new(directory.path()), None, &patience, &mut |_| {});
    let mut waiter = chaos::start(directory.path(), &HABITS);
    std::thread::sleep(Duration::from_millis(200));
    let (began, before) = (Instant::now(), processor_time(waiter.id()));
    std::thread::sleep(time);
    let cost = (processor_time(waiter.id()) - before) / began.elapsed().as_secs_f64() * 100.0;
    let _ = waiter.kill();
    let _ = waiter.wait();
    drop(held);
    cost
}

/// The seconds that a process has spent on the processor, from the first field of `/proc/<pid>/schedstat`.
fn processor_time(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let nanoseconds: u64 = text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0);
    Duration::from_nanos(nanoseconds).as_secs_f64()
}
