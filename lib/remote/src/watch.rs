//! The interface by which a caller follows an operation with a remote, and stops it.
//!
//! Only real progress may keep a lock alive, and the lock has to be checked before each change. This crate knows
//! nothing of locks, so it calls back.

use gix::refs::FullName;

/// Follows an operation with a remote. Calls may come from several threads.
pub trait Watcher: Sync {
    /// Reports progress. Called often while bytes or objects are transferred, never while nothing happens.
    fn progress(&self, _step: Step) {}

    /// Called before each change. An error ends the operation before the change is made, and is returned as
    /// [`RemoteError::Stopped`](crate::RemoteError::Stopped).
    ///
    /// # Errors
    ///
    /// Whatever the caller's reason to stop is.
    fn may_change(&self, _change: Change<'_>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// A watcher that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watcher for Unwatched {}

/// What is in progress. Counts are totals since the step began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A connection is being made.
    Connecting,
    /// A program is about to connect that may prompt the user, for instance for a password. The terminal belongs to
    /// it until the next step.
    MayAsk,
    /// The connection was made or has failed; there are no more prompts.
    Answered,
    /// The remote has listed its refs.
    Listed {
        /// How many refs it has listed.
        refs: usize,
    },
    /// A pack is being received.
    Receiving {
        /// Bytes received so far.
        bytes: u64,
    },
    /// What was received is being checked and indexed.
    Indexing,
    /// The objects to send are being determined.
    Counting {
        /// Objects found so far.
        objects: usize,
    },
    /// A pack is being sent.
    Sending {
        /// Objects sent so far.
        objects: usize,
        /// Objects in total.
        of: usize,
        /// Bytes of the pack so far.
        bytes: u64,
    },
    /// The remote is processing what it received, and reports progress.
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
