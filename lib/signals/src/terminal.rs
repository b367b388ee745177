//! Keeps the terminal's settings from before a prompt in a form that a signal handler may read.
//!
//! There is only one prompt at a time, and between two prompts the terminal has its original settings. So the
//! settings that were read first stay valid, and only whether they are to be restored changes.

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

/// The terminal, and its original settings.
static BEFORE: OnceLock<Option<(File, Termios)>> = OnceLock::new();
/// For how many callers the settings are kept.
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

/// Restores the terminal's settings, if a caller keeps them.
pub fn restore() {
    if KEPT.load(SeqCst) == 0 {
        return;
    }
    let Some(Some((terminal, before))) = BEFORE.get() else { return };
    // In the background, the terminal belongs to other processes, and one that changed it would be stopped.
    if tcgetpgrp(terminal).is_ok_and(|foreground| foreground == getpgrp()) {
        // An error means that the terminal is gone.
        let _ = tcsetattr(terminal, OptionalActions::Flush, before);
    }
}
