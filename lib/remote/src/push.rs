//! Giving the remote what it lacks: `git push`.

use gix::{ObjectId, refs::FullName};

use crate::{Remote, Trouble, Watcher};

/// What to push.
#[derive(Debug, Clone, Default)]
pub struct Push {
    /// The refs to update, each named once.
    pub updates: Vec<Update>,
    /// What becomes of the others where one update cannot be made.
    pub together: Together,
}

/// Whether the updates of one push depend on each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Together {
    /// Each on its own merits.
    #[default]
    Independent,
    /// All or none. A remote that cannot promise it makes none: [`Trouble::Refused`].
    Atomic,
}

/// One ref of the remote, to be moved from a value that it is known to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The ref's name at the remote.
    pub name: FullName,
    /// What the remote must have there for the update to be made; `None`: no such ref.
    pub expected: Option<ObjectId>,
    /// What it shall have; `None`: delete it.
    pub new: Option<ObjectId>,
}

/// What became of a push.
#[derive(Debug, Clone, Default)]
pub struct Pushed {
    /// One answer an update, in the order asked.
    pub answers: Vec<Answer>,
    /// What the server said meanwhile (hooks, mostly), line by line, as git shows it after `remote: `.
    pub remote_lines: Vec<String>,
    /// Objects sent.
    pub objects: u64,
    /// Bytes of the pack sent.
    pub bytes: u64,
}

/// What became of one update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Made.
    Done,
    /// Nothing to do: the remote has that value already.
    UpToDate,
    /// The remote has another value than was expected: fetch, and try again. Found by comparing ids.
    Stale {
        /// What it has.
        actual: Option<ObjectId>,
    },
    /// The remote has the expected value and does not take the new one.
    Rejected {
        /// The server's words.
        words: String,
    },
    /// Not tried: another update of an atomic push cannot be made.
    HeldBack,
}

impl Pushed {
    /// Whether every ref has its new value.
    #[must_use]
    pub fn all_done(&self) -> bool {
        self.answers.iter().all(|answer| matches!(answer, Answer::Done | Answer::UpToDate))
    }

    /// Whether the remote moved under some update: what is to be done then is to fetch and try again.
    #[must_use]
    pub fn lost_a_race(&self) -> bool {
        self.answers.iter().any(|answer| matches!(answer, Answer::Stale { .. }))
    }
}

impl Remote<'_> {
    /// Pushes, and moves the local tracking refs of what was updated, as `git push` does.
    ///
    /// # Errors
    ///
    /// Every [`Trouble`] of a connection; the remote's refs may or may not have moved then, which a new listing
    /// tells. An update that is not made is no error but an [`Answer`].
    pub fn push(&self, what: &Push, watcher: &dyn Watcher) -> Result<Pushed, Trouble> {
        let _ = (what, watcher);
        Err(Trouble::Local(anyhow::anyhow!("pushing is being written")))
    }
}
