//! How a caller follows a talk with the remote, and how it stops one.
//!
//! A lock's sign of life must come from progress and nothing else, and before each change the lock has to be
//! looked at once more. This crate knows no locks, so it asks.

use gix::refs::FullName;

/// Follows a talk with a remote. Calls may come from several threads.
pub trait Watcher: Sync {
    /// Something went on. Called often while bytes or objects go by, never while nothing happens.
    fn progress(&self, _step: Step) {}

    /// Asked before each change. An error ends the talk before the change is made, and comes back as
    /// [`Trouble::Stopped`](crate::Trouble::Stopped).
    ///
    /// # Errors
    ///
    /// Whatever the caller's reason to stop is.
    fn may_change(&self, _change: Change<'_>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watcher for Unwatched {}

/// What goes on. Counts are totals since the step began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A connection is being made.
    Connecting,
    /// A program is about to connect that may ask the user something, such as a password. The terminal is its own until
    /// the next step.
    MayAsk,
    /// There is a connection, or there is none and why not is going to be said; nothing is asked any more.
    Answered,
    /// The remote has listed its refs.
    Listed {
        /// How many it listed.
        refs: usize,
    },
    /// A pack comes in.
    Receiving {
        /// Bytes on the wire so far.
        bytes: u64,
    },
    /// What came in is being checked and indexed.
    Indexing,
    /// What is to be sent is being found out.
    Counting {
        /// Objects found so far.
        objects: usize,
    },
    /// A pack goes out.
    Sending {
        /// Objects sent so far.
        objects: usize,
        /// Objects in all.
        of: usize,
        /// Bytes of the pack so far.
        bytes: u64,
    },
    /// The remote works on what it was sent, and gives signs of it.
    Awaiting,
}

/// A change that is about to be made.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// New objects become part of the local object database.
    Objects,
    /// A local ref is about to be written.
    LocalRef(&'a FullName),
    /// The remote is about to be asked to update its refs.
    RemoteRefs,
}
