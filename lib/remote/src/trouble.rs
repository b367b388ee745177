//! What can go wrong with a remote, sorted by what a caller does about it.
//!
//! A caller that had to read messages to tell an unreachable host from a refused password would break with
//! the next version of ssh. So the sorting happens here, once, and the words are kept for the user.

use crate::local_ref;

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
        Self { message: words::text(message.as_ref()), help: help.into() }
    }
}

/// A failure in plain words, for callers that have an error type of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The exit code that such failures have by custom (`sysexits.h`): 69 where the remote is not there or says no, 77
    /// where this user may not, 78 where the configuration is wrong, 1 where it is none of these.
    pub code: u8,
    /// What happened.
    pub message: String,
    /// What to do about it, where there is something to do.
    pub help: Option<String>,
}

impl From<local_ref::Failed> for Notice {
    fn from(failed: local_ref::Failed) -> Self {
        Self { code: 1, message: failed.to_string(), help: failed.help() }
    }
}

impl Trouble {
    /// The trouble in plain words.
    ///
    /// # Errors
    ///
    /// What the caller's own [`Watcher`](crate::Watcher) gave as its reason to stop.
    pub fn notice(self) -> anyhow::Result<Notice> {
        let (message, help) = (self.to_string(), self.help().map(str::to_owned));
        let (code, help) = match self {
            Self::Stopped(reason) => return Err(reason),
            Self::Unreachable(_) | Self::Refused(_) => (69, help),
            Self::NotAllowed(_) => (77, help),
            Self::Misconfigured(_) => (78, help),
            Self::Local(error) => {
                (1, error.downcast_ref::<local_ref::Failed>().and_then(local_ref::Failed::help))
            }
        };
        Ok(Notice { code, message, help })
    }

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
