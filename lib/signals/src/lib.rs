//! Signals that ask a process to end, and what has to be whole before it does.
//!
//! Whoever is ended by a signal in the middle of a few changes that belong together, a branch that moves and the index
//! that follows it, leaves a repository that no longer adds up, and lock files that are in everybody's way. To wait for
//! the end of all work is no way out: it may wait for a remote, or for a hook. So a [`Section`] is what takes no longer
//! than a moment and is not to be left half done: a signal waits for its end. At any other time the process ends at
//! once, and its [`LockFile`]s and a [`Terminal`] are dealt with on the way out. A second signal waits for nothing.
//!
//! Nothing is watched, and no thread is started, before there is a section, a lock file or a terminal to be kept; whoever
//! has none is ended by signals as any program is.

use std::{fs::File, path::Path};

#[cfg(unix)]
mod handler;
#[cfg(unix)]
mod lock_file;
#[cfg(unix)]
mod terminal;

/// Signals that end the process wait for as long as this lives. Sections may overlap, also those of several threads.
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

/// A lock file that this process has made under two names: `own`, which nobody else uses, and `lock`, which keeps others
/// away. Should a signal end the process while this lives, both go; or else what was locked is replaced.
///
/// It is only ever done where both names still lead to the very file that was made.
#[derive(Debug)]
pub struct LockFile {
    #[cfg(unix)]
    entry: Option<&'static lock_file::Entry>,
}

/// The names of a lock file.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The name that nobody else uses.
    pub own: &'a Path,
    /// The name that keeps others away.
    pub lock: &'a Path,
    /// What is locked.
    pub target: &'a Path,
}

impl LockFile {
    /// The `file` with these names; that of the lock need not be there yet.
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

    /// From now on the file is what its target shall be: a signal puts it there.
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

/// The terminal as it is now. Should a signal end the process while this lives, it is made so again: who asks for a
/// password turns off the echo, and who is at the terminal would not see what they type ever after.
#[derive(Debug)]
#[must_use = "the terminal is kept until this is dropped"]
pub struct Terminal(());

impl Terminal {
    /// Keeps how the terminal is that the process is at, if it is at one.
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

/// The signals that whoever started this process made it ignore, as `nohup` does: a bit each, the first signal's lowest.
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

/// Other systems do not say which signals are ignored.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn ignored() -> u64 {
    0
}
