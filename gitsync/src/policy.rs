//! What the user asked for, apart from how it was typed.

use std::time::Duration;

use gix::bstr::BString;

/// What is to be done with one repository. The vault gets the same, less what speaks of the main one's files.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What is committed.
    pub commit: Commit,
    /// Whether what the remote has is brought in.
    pub pull: Pull,
    /// Whether local commits are pushed.
    pub push: Push,
    /// How often it is tried where the remote, or a file, moves meanwhile; at least once.
    pub attempts: u32,
    /// How long the remote may be silent; `None`: as git's configuration says, else 30 s.
    pub stall: Option<Duration>,
}

/// What is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// All that `git add -A` takes.
    Everything {
        /// The message; `None`: the usual one.
        message: Option<String>,
    },
    /// What matches these pathspecs, relative to the work tree's root.
    Only {
        /// The pathspecs.
        pathspecs: Vec<BString>,
        /// The message; `None`: the usual one.
        message: Option<String>,
    },
    /// Nothing.
    Nothing,
}

/// Whether what the remote has is brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// It is.
    Wanted,
    /// It is not.
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
    /// The message that was asked for.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Everything { message } | Self::Only { message, .. } => message.as_deref(),
            Self::Nothing => None,
        }
    }

    /// What is to be staged; `None` where nothing is.
    pub fn staging(&self) -> Option<crate::stage::Policy> {
        let scope = match self {
            Self::Everything { .. } => crate::stage::Scope::Everything,
            Self::Only { pathspecs, .. } => crate::stage::Scope::Only(pathspecs.clone()),
            Self::Nothing => return None,
        };
        Some(crate::stage::Policy { scope })
    }
}
