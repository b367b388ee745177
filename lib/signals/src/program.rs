//! A program that a process runs on the user's behalf, and that ends with it: a hook, a save command.
//!
//! Git passes signals on to its hooks (`run_processes_parallel` in `run-command.c`), and then ends at once. A process
//! that holds a lock must not: a hook that takes its time to clean up would work on without the lock. So the process
//! ends with the program.

use std::{
    io,
    process::{Child, ChildStdin, Command, ExitStatus},
};

use crate::Section;
#[cfg(unix)]
use crate::listed::Listed;

/// A program that was started. Signals that end this process are passed on to it, and wait for its end.
#[derive(Debug)]
pub struct Program {
    child: Child,
    #[cfg(unix)]
    listed: Listed,
    // Dropped last, as this may end the process.
    _section: Section,
}

impl Program {
    /// Starts `command`.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let section = Section::begin();
        let child = command.spawn()?;
        #[cfg(unix)]
        let listed = Listed::new(&child);
        Ok(Self {
            child,
            #[cfg(unix)]
            listed,
            _section: section,
        })
    }

    /// Takes the program's stdin, if that is a pipe.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits for the program's end.
    ///
    /// # Errors
    /// As [`Child::wait`].
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        #[cfg(unix)]
        self.listed.await_end()?;
        self.child.wait()
    }

    /// Returns how the program ended, if it has.
    ///
    /// # Errors
    /// As [`Child::try_wait`].
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        #[cfg(unix)]
        if !self.listed.has_ended()? {
            return Ok(None);
        }
        self.child.try_wait()
    }
}
