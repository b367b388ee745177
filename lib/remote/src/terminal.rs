//! Whether there is somebody to ask.
//!
//! A prompt in a hook or a scheduled job hangs it for ever. A terminal counts as one only if the user would see
//! the question there.

use std::io::IsTerminal;

/// Whether questions can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    Present,
    Absent,
}

impl Terminal {
    /// Looks for a terminal that a question would be seen on: git and ssh ask on the controlling one, and people
    /// who redirect stderr do not look at it.
    pub fn look() -> Self {
        let controlling = cfg!(not(unix)) || std::fs::File::open("/dev/tty").is_ok();
        if std::io::stderr().is_terminal() && controlling { Self::Present } else { Self::Absent }
    }
}
