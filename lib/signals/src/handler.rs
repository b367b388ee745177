//! Handles signals: ends the process at once, or at the end of the last section.

use std::{
    process,
    sync::{
        OnceLock,
        atomic::{AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    low_level::{emulate_default_handler, register},
};

use crate::{IMPATIENCE, listed, lock_file, terminal};

/// The number of sections, and whether the process is to end.
static STATE: AtomicUsize = AtomicUsize::new(0);
/// The flag in `STATE` that the process is to end.
const ENDING: usize = 1 << (usize::BITS - 1);
/// The signal that waits for the end of the last section; 0 if there is none.
static WAITING: AtomicI32 = AtomicI32::new(0);
/// When the first signal came in, in milliseconds after `WATCHED`.
static ASKED: AtomicU64 = AtomicU64::new(NOT_YET);
const NOT_YET: u64 = u64::MAX;
/// When the handlers were installed.
static WATCHED: OnceLock<Instant> = OnceLock::new();
/// The id of this process. A child is a copy of it until it executes its program; if it is ended before, it must not
/// clean up.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Begins a section.
pub fn enter() {
    watch();
    let entered = STATE.fetch_update(SeqCst, SeqCst, |state| (state != ENDING).then_some(state + 1));
    while entered.is_err() {
        // Another thread is ending the process.
        thread::sleep(Duration::from_secs(1));
    }
}

/// Ends a section; ends the process with the last one, if a signal waits for that.
pub fn leave() {
    if STATE.fetch_sub(1, SeqCst) == ENDING + 1 {
        end(WAITING.load(SeqCst));
    }
}

/// Installs the signal handlers, once.
pub fn watch() {
    WATCHED.get_or_init(|| {
        PROCESS.store(process::id(), SeqCst);
        let ignored = crate::ignored();
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            // Signals that the parent made us ignore stay ignored: a handler would undo `nohup`.
            if ignored & (1 << (signal - 1)) == 0 {
                handle(signal);
            }
        }
        Instant::now()
    });
}

#[allow(unsafe_code, reason = "the standard library has no way to handle a signal")]
fn handle(signal: i32) {
    // SAFETY: the handler changes atomic integers and makes system calls that POSIX allows in a handler; it neither
    // allocates nor blocks, and cannot panic.
    // If it cannot be registered, signals end the process as they would without this crate.
    let _ = unsafe { register(signal, move || came_in(signal)) };
}

fn came_in(signal: i32) {
    let _ = WAITING.compare_exchange(0, signal, SeqCst, SeqCst);
    let since_first = since_first();
    match STATE.fetch_or(ENDING, SeqCst) {
        0 => end(signal),
        before if before & ENDING == 0 => listed::pass_on(signal),
        _ if since_first >= IMPATIENCE => end(signal),
        _ => {}
    }
}

/// Returns the time since the first signal; zero for the first one.
fn since_first() -> Duration {
    // Until the handlers are installed, no time has passed.
    let now =
        WATCHED.get().map_or(0, |watched| u64::try_from(watched.elapsed().as_millis()).unwrap_or(NOT_YET));
    let first = ASKED.compare_exchange(NOT_YET, now, SeqCst, SeqCst).map_or_else(|first| first, |_| now);
    Duration::from_millis(now.saturating_sub(first))
}

/// Returns the signal that waits for the end of the last section; 0 if there is none.
pub fn waiting() -> i32 {
    WAITING.load(SeqCst)
}

/// Cleans up, and ends the process as `signal` does.
fn end(signal: i32) {
    if process::id() == PROCESS.load(SeqCst) {
        lock_file::settle_all();
        terminal::restore();
    }
    // Does not return.
    let _ = emulate_default_handler(signal);
}
