//! The errors of a remote, sorted by what a caller does about them.
//!
//! A caller that had to parse messages to tell an unreachable host from a refused password would break with the next
//! version of ssh. So errors are classified here, once, and the messages are kept for the user.

use store::local_ref;

/// Why the remote could not be used. Callers branch on the variant; users read the message and the help.
///
/// No message ever contains a credential or a URL's user-info.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The remote cannot be reached: unknown host, connection refused, stalled or closed, no repository at that
    /// place, or it does not speak git's protocol.
    #[error("{0}")]
    Unreachable(UserMessage),
    /// The remote denies access to this user: credentials refused or missing, or a repository owned by another user.
    #[error("{0}")]
    NotAllowed(UserMessage),
    /// The configuration cannot work: no such remote, an unusable URL, something that is not supported.
    #[error("{0}")]
    Misconfigured(UserMessage),
    /// The remote was reached and rejected the whole request.
    #[error("{0}")]
    Refused(UserMessage),
    /// The caller's [`Watcher`](crate::Watcher) asked to stop; this is its reason.
    #[error(transparent)]
    Stopped(anyhow::Error),
    /// This machine's own repository or disk failed; the remote has nothing to do with it.
    #[error("{0:#}")]
    Local(anyhow::Error),
}

/// What the user reads about an error: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMessage {
    /// What happened, including what the other side said about it.
    pub message: String,
    /// What to do about it, in one sentence.
    pub help: String,
}

impl std::fmt::Display for UserMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl UserMessage {
    fn new(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self { message: sanitize::text(message.as_ref()), help: help.into() }
    }
}

/// A failure as text and exit code, for callers with an error type of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The conventional exit code of such failures (`sysexits.h`): 69 if the remote is unreachable or rejects the
    /// request, 77 if this user lacks permission, 78 if the configuration is wrong, 1 otherwise.
    pub code: u8,
    /// What happened.
    pub message: String,
    /// What to do about it, if there is something to do.
    pub help: Option<String>,
}

impl From<local_ref::RefError> for Notice {
    fn from(failed: local_ref::RefError) -> Self {
        Self { code: 1, message: failed.to_string(), help: failed.help() }
    }
}

impl RemoteError {
    /// Converts the error into text and an exit code.
    ///
    /// # Errors
    ///
    /// The reason that the caller's own [`Watcher`](crate::Watcher) gave to stop.
    pub fn notice(self) -> anyhow::Result<Notice> {
        let (message, help) = (self.to_string(), self.help().map(str::to_owned));
        let (code, help) = match self {
            Self::Stopped(reason) => return Err(reason),
            Self::Unreachable(_) | Self::Refused(_) => (69, help),
            Self::NotAllowed(_) => (77, help),
            Self::Misconfigured(_) => (78, help),
            Self::Local(error) => {
                (1, error.downcast_ref::<local_ref::RefError>().and_then(local_ref::RefError::help))
            }
        };
        Ok(Notice { code, message, help })
    }

    /// Returns what to do about it, if there is something to do.
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
        Self::Unreachable(UserMessage::new(message, help))
    }

    pub(crate) fn not_allowed(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::NotAllowed(UserMessage::new(message, help))
    }

    pub(crate) fn misconfigured(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::Misconfigured(UserMessage::new(message, help))
    }

    pub(crate) fn refused(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::Refused(UserMessage::new(message, help))
    }

    /// A failure of this machine's own repository, with the operation that failed.
    pub(crate) fn local(doing: &str, error: impl Into<anyhow::Error>) -> Self {
        Self::Local(error.into().context(doing.to_owned()))
    }
}
