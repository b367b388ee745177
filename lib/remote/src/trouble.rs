//! What can go wrong with a remote, sorted by what a caller does about it.
//!
//! A caller that had to read messages to tell an unreachable host from a refused password would break with
//! the next version of ssh. So the sorting happens here, once, and the words are kept for the user.

use crate::shown;

/// Why the remote could not be used. Callers branch on the variant; people read the message and the help.
///
/// No message ever holds a credential or a URL's user-info.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The remote is not there: unknown host, refused, stalled, hung up, or it talks something else than git.
    #[error("{0}")]
    Unreachable(Words),
    /// The remote is there and says no to this user: credentials refused or missing, a repository owned by
    /// somebody else.
    #[error("{0}")]
    NotAllowed(Words),
    /// What the configuration says cannot be done: no such remote, a bad URL, no repository at that place.
    #[error("{0}")]
    Misconfigured(Words),
    /// The remote is there and turned the whole request down.
    #[error("{0}")]
    Refused(Words),
    /// The caller's [`Watcher`](crate::Watcher) said stop; this is what it said.
    #[error(transparent)]
    Stopped(anyhow::Error),
    /// Something in this machine's own repository or disk failed; nothing that the remote could help.
    #[error("{0:#}")]
    Local(anyhow::Error),
}

/// What a user reads about a trouble: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What happened, including what the other side said about it.
    pub message: String,
    /// What to do about it, in one sentence.
    pub help: String,
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl Words {
    fn new(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self { message: shown::text(message.as_ref()), help: help.into() }
    }
}

impl Trouble {
    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Unreachable(words)
            | Self::NotAllowed(words)
            | Self::Misconfigured(words)
            | Self::Refused(words) => Some(&words.help),
            Self::Stopped(_) | Self::Local(_) => None,
        }
    }

    pub(crate) fn unreachable(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::Unreachable(Words::new(message, help))
    }

    pub(crate) fn not_allowed(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::NotAllowed(Words::new(message, help))
    }

    pub(crate) fn misconfigured(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::Misconfigured(Words::new(message, help))
    }

    pub(crate) fn refused(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::Refused(Words::new(message, help))
    }

    /// A failure of this machine's own repository, with what was being done.
    pub(crate) fn local(doing: &str, error: impl Into<anyhow::Error>) -> Self {
        Self::Local(error.into().context(doing.to_owned()))
    }
}
