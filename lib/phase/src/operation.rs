//! What somebody is in the middle of in a repository, with git's names for it.
//!
//! gix goes by the commit that is being picked or reverted. In between, where the commit at which a series stopped is
//! made and the rest is still to come, there is none, and only the list of what is left tells.

use std::fs;

use gix::state::InProgress;

/// Something that was begun and not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A merge.
    Merge,
    /// A rebase.
    Rebase,
    /// Patches from mails.
    Mailbox,
    /// A cherry-pick.
    CherryPick,
    /// A revert.
    Revert,
    /// A bisection.
    Bisect,
}

impl Operation {
    /// What is in progress in `repo`, if anything.
    pub fn in_progress(repo: &gix::Repository) -> Option<Self> {
        repo.state().map(Self::from).or_else(|| series(repo))
    }

    /// The git command that goes on with it, or drops it.
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

/// Which series the first command of git's sequencer belongs to.
fn series(repo: &gix::Repository) -> Option<Operation> {
    let commands = fs::read(repo.git_dir().join("sequencer/todo")).ok()?;
    match commands.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())? {
        b"pick" | b"p" => Some(Operation::CherryPick),
        b"revert" => Some(Operation::Revert),
        _ => None,
    }
}
