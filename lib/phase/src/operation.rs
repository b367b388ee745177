//! Finds the operation that is in progress in a repository, under git's name for it.
//!
//! gix looks for the commit that is being picked or reverted. But between the steps of a series, when the commit at
//! which it stopped is made and the rest is still to come, there is no such commit; only the sequencer's todo list
//! shows it.

use std::fs;

use gix::state::InProgress;

/// An operation that was begun and not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A merge.
    Merge,
    /// A rebase.
    Rebase,
    /// Applying patches from a mailbox.
    Mailbox,
    /// A cherry-pick.
    CherryPick,
    /// A revert.
    Revert,
    /// A bisection.
    Bisect,
}

impl Operation {
    /// Returns the operation that is in progress in `repo`, if any.
    pub fn in_progress(repo: &gix::Repository) -> Option<Self> {
        repo.state().map(Self::from).or_else(|| series(repo))
    }

    /// Returns the git command that continues or aborts it.
    pub fn command(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Rebase => "rebase",
            Self::Mailbox => "am",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
            Self::Bisect => "bisect",
        }
    }
}

impl From<InProgress> for Operation {
    fn from(state: InProgress) -> Self {
        match state {
            InProgress::ApplyMailbox => Self::Mailbox,
            InProgress::ApplyMailboxRebase | InProgress::Rebase | InProgress::RebaseInteractive => {
                Self::Rebase
            }
            InProgress::Bisect => Self::Bisect,
            InProgress::CherryPick | InProgress::CherryPickSequence => Self::CherryPick,
            InProgress::Merge => Self::Merge,
            InProgress::Revert | InProgress::RevertSequence => Self::Revert,
        }
    }
}

/// Returns the series that the first command in the sequencer's todo list belongs to.
fn series(repo: &gix::Repository) -> Option<Operation> {
    let commands = fs::read(repo.git_dir().join("sequencer/todo")).ok()?;
    match commands.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())? {
        b"pick" | b"p" => Some(Operation::CherryPick),
        b"revert" => Some(Operation::Revert),
        _ => None,
    }
}
