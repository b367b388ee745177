//! How the terminal was before somebody is asked there, in a form in which a signal handler may read it.
//!
//! Nobody is asked two things at once, and between two questions the terminal is as it was before the first: what was
//! found then stays, and only whether it counts changes.

use std::{
    fs::File,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use rustix::{
    process::getpgrp,
    termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

use crate::handler;

/// The terminal, and how it was.
static BEFORE: OnceLock<Option<(File, Termios)>> = OnceLock::new();
/// How many there are for whom it is kept.
static KEPT: AtomicUsize = AtomicUsize::new(0);

pub fn keep() {
    handler::watch();
    BEFORE.get_or_init(|| {
        let terminal = File::open("/dev/tty").ok()?;
        let before = tcgetattr(&terminal).ok()?;
        Some((terminal, before))
    });
    KEPT.fetch_add(1, SeqCst);
}

pub fn let_go() {
    KEPT.fetch_sub(1, SeqCst);
}

/// Makes the terminal what it was, where somebody is being asked there.
pub fn restore() {
    if KEPT.load(SeqCst) == 0 {
        return;
    }
    let Some(Some((terminal, before))) = BEFORE.get() else { return };
    // Others are at the terminal where this is in the background, and who changes it from there is stopped.
    if tcgetpgrp(terminal).is_ok_and(|foreground| foreground == getpgrp()) {
        // Whose terminal is gone has no use for it.
        let _ = tcsetattr(terminal, OptionalActions::Flush, before);
    }
}
