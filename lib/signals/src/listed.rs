//! Keeps a list of the programs that end with this process, in a form that a signal handler may read.
//!
//! A handler must not block, not even to allocate memory: entries are never freed, but used again.

use std::{
    io,
    process::Child,
    sync::{
        OnceLock,
        atomic::{AtomicI32, Ordering::SeqCst},
    },
};

use rustix::{
    io::retry_on_intr,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid},
};
use signal_hook::consts::{SIGHUP, SIGTERM};

use crate::handler;

/// The first entry of the list.
static FIRST: Entry = Entry::unused();

/// A place in the list.
#[derive(Debug)]
struct Entry {
    /// The program's process id; 0 if there is none.
    pid: AtomicI32,
    next: OnceLock<&'static Self>,
}

impl Entry {
    const fn unused() -> Self {
        Self { pid: AtomicI32::new(0), next: OnceLock::new() }
    }
}

/// A program's place in the list. It is vacated before the program is waited for, since its process id may then become
/// another program's.
#[derive(Debug)]
pub struct Listed {
    pid: Pid,
    entry: Option<&'static Entry>,
}

impl Listed {
    /// Adds a program to the list. A signal that came in while it was started is passed on to it now.
    pub fn new(child: &Child) -> Self {
        let pid = Pid::from_child(child);
        let mut entry = &FIRST;
        while entry.pid.compare_exchange(0, pid.as_raw_nonzero().get(), SeqCst, SeqCst).is_err() {
            entry = entry.next.get_or_init(|| Box::leak(Box::new(Entry::unused())));
        }
        send(pid, handler::waiting());
        Self { pid, entry: Some(entry) }
    }

    /// Waits until the program has ended.
    pub fn await_end(&mut self) -> io::Result<()> {
        self.look(WaitIdOptions::empty()).map(drop)
    }

    /// Returns whether the program has ended.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        self.look(WaitIdOptions::NOHANG)
    }

    fn look(&mut self, how: WaitIdOptions) -> io::Result<bool> {
        if self.entry.is_some() {
            let how = how | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            if retry_on_intr(|| waitid(WaitId::Pid(self.pid), how))?.is_some() {
                self.vacate();
            }
        }
        Ok(self.entry.is_none())
    }

    fn vacate(&mut self) {
        if let Some(entry) = self.entry.take() {
            entry.pid.store(0, SeqCst);
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.vacate();
    }
}

/// Passes a signal on to all programs of the list.
pub fn pass_on(signal: i32) {
    let mut entry = Some(&FIRST);
    while let Some(place) = entry {
        if let Some(pid) = Pid::from_raw(place.pid.load(SeqCst)) {
            send(pid, signal);
        }
        entry = place.next.get().copied();
    }
}

/// Sends a signal to a program, unless the program gets it anyway: a terminal sends those of its keys to all processes
/// in the foreground.
fn send(pid: Pid, signal: i32) {
    let signal = match signal {
        SIGHUP => Signal::HUP,
        SIGTERM => Signal::TERM,
        _ => return,
    };
    // It fails if the program has become another user's, who alone can end it.
    let _ = kill_process(pid, signal);
}
