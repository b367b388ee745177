//! Determines whether the user can be prompted.
//!
//! A prompt in a hook or a scheduled job would hang it for ever. A terminal counts only if the user would see the
//! prompt there.

use std::io::IsTerminal;

/// Whether the user can be prompted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    Present,
    Absent,
}

impl Terminal {
    /// Looks for a terminal on which the user would see a prompt: git and ssh prompt on the controlling terminal, and
    /// users who redirect stderr do not watch it.
    pub fn look() -> Self {
        let controlling = cfg!(not(unix)) || std::fs::File::open("/dev/tty").is_ok();
        if std::io::stderr().is_terminal() && controlling { Self::Present } else { Self::Absent }
    }
}
