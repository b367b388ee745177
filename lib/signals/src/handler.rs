//! What happens when a signal comes in.

use std::{
    process,
    sync::{
        Once,
        atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    low_level::{emulate_default_handler, register},
};

use crate::{lock_file, terminal};

/// How many sections there are, and whether the process is to end.
static STATE: AtomicUsize = AtomicUsize::new(0);
/// Set in `STATE` where the process is to end.
const ENDING: usize = 1 << (usize::BITS - 1);
/// The signal that waits for the end of the last section; 0 where none does.
static WAITING: AtomicI32 = AtomicI32::new(0);
/// This process. What it starts is for a moment a copy of it, whose end puts nothing right.
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

/// Ends a section, and with the last one the process, where a signal waits for that.
pub fn leave() {
    if STATE.fetch_sub(1, SeqCst) == ENDING + 1 {
        end(WAITING.load(SeqCst));
    }
}

/// From now on signals are handled here.
pub fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        PROCESS.store(process::id(), SeqCst);
        let ignored = crate::ignored();
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            // What the caller made us ignore stays ignored: a handler would undo `nohup`.
            if ignored & (1 << (signal - 1)) == 0 {
                handle(signal);
            }
        }
    });
}

#[allow(unsafe_code, reason = "the standard library has no way to handle a signal")]
fn handle(signal: i32) {
    // SAFETY: what is called changes atomic integers and asks the system for what POSIX allows in a handler; it neither
    // allocates nor waits for anybody, nor can it panic.
    // Where it cannot be registered, signals end the process as they would without this library.
    let _ = unsafe { register(signal, move || came_in(signal)) };
}

fn came_in(signal: i32) {
    let _ = WAITING.compare_exchange(0, signal, SeqCst, SeqCst);
    let before = STATE.fetch_or(ENDING, SeqCst);
    if before == 0 || before & ENDING != 0 {
        end(signal);
    }
}

/// Ends the process as `signal` does.
fn end(signal: i32) {
    if process::id() == PROCESS.load(SeqCst) {
        lock_file::settle_all();
        terminal::restore();
    }
    // It does not come back.
    let _ = emulate_default_handler(signal);
}
