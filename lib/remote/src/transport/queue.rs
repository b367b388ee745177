//! Passes bytes between two threads, with a limit on waiting at both ends.
//!
//! A pipe to a child process can block for ever in `read` and in `write`, and killing the child does not help if a
//! grandchild holds the other end. So a separate thread does the blocking calls, and the thread that talks to it
//! through this queue can give up.

use std::{
    collections::VecDeque,
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A bounded queue of chunks with one giver and one taker.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Vec<u8>>,
    giver: End,
    taker: End,
}

/// Whether one end of the queue is still there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    Closed,
    Failed(io::ErrorKind),
}

/// How long to wait for the other end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Patience {
    /// As long as it takes.
    Endless,
    /// Until this much time has passed without a change.
    Limited(Duration),
}

/// The other end made no progress in time.
#[derive(Debug)]
pub(super) struct Stalled;

impl Queue {
    /// The capacity: beyond it, the giver waits. With chunks of 64 KiB this is 1 MiB.
    const ROOM: usize = 16;

    /// Adds a chunk.
    ///
    /// # Errors
    ///
    /// The inner error is `BrokenPipe` if the taker is gone, or the kind of error that the taker failed with.
    pub fn give(&self, chunk: Vec<u8>, patience: Patience) -> Result<io::Result<()>, Stalled> {
        let mut state =
            self.wait(patience, |state| state.chunks.len() < Self::ROOM || state.taker != End::Open)?;
        Ok(match state.taker {
            End::Open => {
                state.chunks.push_back(chunk);
                self.changed.notify_all();
                Ok(())
            }
            End::Closed => Err(io::ErrorKind::BrokenPipe.into()),
            End::Failed(kind) => Err(kind.into()),
        })
    }

    /// Removes the next chunk; `None` once the giver has closed the queue and it is empty.
    pub fn take(&self, patience: Patience) -> Result<io::Result<Option<Vec<u8>>>, Stalled> {
        let mut state = self.wait(patience, |state| !state.chunks.is_empty() || state.giver != End::Open)?;
        if let Some(chunk) = state.chunks.pop_front() {
            self.changed.notify_all();
            return Ok(Ok(Some(chunk)));
        }
        Ok(match state.giver {
            End::Open | End::Closed => Ok(None),
            End::Failed(kind) => Err(kind.into()),
        })
    }

    /// Closes the giver's end; the remaining chunks can still be taken.
    pub fn close(&self, why: io::Result<()>) {
        self.lock().giver = End::from(why);
        self.changed.notify_all();
    }

    /// Closes the taker's end; giving fails from now on.
    pub fn abandon(&self, why: io::Result<()>) {
        self.lock().taker = End::from(why);
        self.changed.notify_all();
    }

    /// Whether the giver closed its end within `limit`.
    pub fn closes_within(&self, limit: Duration) -> bool {
        self.wait(Patience::Limited(limit), |state| state.giver != End::Open).is_ok()
    }

    fn wait(
        &self,
        patience: Patience,
        ready: impl Fn(&State) -> bool,
    ) -> Result<MutexGuard<'_, State>, Stalled> {
        let deadline = match patience {
            Patience::Endless => None,
            Patience::Limited(limit) => Instant::now().checked_add(limit),
        };
        let mut state = self.lock();
        while !ready(&state) {
            state = match deadline {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(Stalled);
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        Ok(state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<io::Result<()>> for End {
    fn from(why: io::Result<()>) -> Self {
        match why {
            Ok(()) => Self::Closed,
            Err(error) => Self::Failed(error.kind()),
        }
    }
}
