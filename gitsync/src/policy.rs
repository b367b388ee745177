//! Describes what the user asked for, independently of the command line.

use std::time::Duration;

use gix::bstr::BString;

/// What is to be done with one repository. The vault gets the same policy, except for what names files of the main
/// repository.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What is committed.
    pub commit: Commit,
    /// Whether the upstream's commits are fetched and integrated.
    pub pull: Pull,
    /// Whether local commits are pushed.
    pub push: Push,
    /// How many attempts are made if the remote or a file changes in the meantime; at least one.
    pub attempts: u32,
    /// How long the remote may send nothing; if `None`, as git's configuration says, else 30 s.
    pub stall: Option<Duration>,
}

/// What is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// Everything that `git add -A` stages.
    Everything {
        /// The message, or `None` for the default one.
        message: Option<String>,
    },
    /// What matches these pathspecs, which are relative to the root of the working tree.
    Only {
        /// The pathspecs.
        pathspecs: Vec<BString>,
        /// The message, or `None` for the default one.
        message: Option<String>,
    },
    /// Nothing.
    Nothing,
}

/// Whether the upstream's commits are fetched and integrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// They are.
    Wanted,
    /// They are not.
    No,
}

/// Whether local commits are pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// They are.
    Wanted,
    /// They are not.
    No,
}

impl Commit {
    /// Returns the message that was given.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Everything { message } | Self::Only { message, .. } => message.as_deref(),
            Self::Nothing => None,
        }
    }

    /// Returns what is to be staged, or `None` if nothing is.
    pub fn staging(&self) -> Option<crate::stage::Policy> {
        let scope = match self {
            Self::Everything { .. } => crate::stage::Scope::Everything,
            Self::Only { pathspecs, .. } => crate::stage::Scope::Only(pathspecs.clone()),
            Self::Nothing => return None,
        };
        Some(crate::stage::Policy { scope })
    }
}
