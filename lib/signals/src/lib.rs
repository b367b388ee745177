//! Delays termination signals during critical sections, and cleans up when a signal ends the process.
//!
//! A process that is ended in the middle of changes that belong together, such as moving a branch and writing the
//! matching index, leaves an inconsistent repository, and lock files that block everybody else. Waiting for the end
//! of all work is not an option: it may wait for a remote, or for a hook. So a [`Section`] covers only what takes a
//! moment and must not be left half done; a signal waits for its end. At any other time the process ends at once, and
//! its [`LockFile`]s and a [`Terminal`] are cleaned up on the way out. A [`Program`] that it runs ends with it. A
//! second signal does not wait, unless it follows the first within [`IMPATIENCE`].
//!
//! No signal handler is installed, and no thread is started, before there is a section, a lock file or a terminal to
//! keep; without any of them, signals end the process as usual.

use std::{fs::File, path::Path, time::Duration};

#[cfg(unix)]
mod handler;
#[cfg(unix)]
mod listed;
#[cfg(unix)]
mod lock_file;
mod program;
#[cfg(unix)]
mod terminal;

pub use program::Program;

/// How long after the first signal another one means that the user is impatient. One request may come as several
/// signals: `timeout` sends one to its command, and at once another to the whole process group; a terminal that is
/// closed sends SIGHUP, as does its shell; and a run that is interrupted on a terminal ends its steps, which the
/// terminal has interrupted as well.
pub const IMPATIENCE: Duration = Duration::from_secs(1);

/// Delays signals that end the process for as long as this lives. Sections may overlap, also those of several
/// threads.
#[derive(Debug)]
#[must_use = "a section lasts until it is dropped"]
pub struct Section(());

impl Section {
    /// Begins a section.
    pub fn begin() -> Self {
        #[cfg(unix)]
        handler::enter();
        Self(())
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        #[cfg(unix)]
        handler::leave();
    }
}

/// A lock file that this process has created under two names: `own`, which is used by no other process, and `lock`,
/// which excludes others. If a signal ends the process while this lives, both names are removed, or the file replaces
/// its target if it is complete.
///
/// This is done only where the names still lead to the very file that was created.
#[derive(Debug)]
pub struct LockFile {
    #[cfg(unix)]
    entry: Option<&'static lock_file::Entry>,
}

/// The names of a lock file.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The name that no other process uses.
    pub own: &'a Path,
    /// The name that excludes others.
    pub lock: &'a Path,
    /// The file that is locked.
    pub target: &'a Path,
}

impl LockFile {
    /// Registers `file` with these names; `lock` need not exist yet.
    #[must_use]
    pub fn new(file: &File, names: Names<'_>) -> Self {
        #[cfg(unix)]
        {
            Self { entry: lock_file::add(file, names) }
        }
        #[cfg(not(unix))]
        {
            let _ = (file, names);
            Self {}
        }
    }

    /// Marks the file as complete: from now on, a signal makes it replace its target.
    pub fn is_complete(&self) {
        #[cfg(unix)]
        if let Some(entry) = self.entry {
            entry.is_complete();
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(entry) = self.entry {
            entry.is_settled();
        }
    }
}

/// The terminal's settings at this moment, which are restored if a signal ends the process while this lives: a
/// password prompt turns off the echo, and afterwards the user would not see what they type.
#[derive(Debug)]
#[must_use = "the terminal is kept until this is dropped"]
pub struct Terminal(());

impl Terminal {
    /// Remembers the settings of the process's terminal, if there is one.
    pub fn keep() -> Self {
        #[cfg(unix)]
        terminal::keep();
        Self(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        #[cfg(unix)]
        terminal::let_go();
    }
}

/// Returns the signals that the parent made this process ignore, as `nohup` does: one bit each, the lowest for signal
/// 1.
#[cfg(target_os = "linux")]
#[must_use]
pub fn ignored() -> u64 {
    let ignored = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    ignored().unwrap_or(0)
}

/// Other systems do not tell which signals are ignored.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn ignored() -> u64 {
    0
}
