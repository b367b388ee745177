//! Describes what cannot be committed, and why, for the person who has to act on it.

use std::fmt;

use gix::bstr::{BString, ByteSlice};

use crate::convert::{EncodingFailed, FilterFailed};
use crate::path::Hostile;

/// A path that cannot be committed. If there is any, nothing is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The path.
    pub path: BString,
    /// The reason.
    pub why: Why,
}

/// Why a path cannot be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its name is not UTF-8, so it can neither be represented in the run's JSON document nor be used on every
    /// machine.
    NotUtf8,
    /// Its name must not be in a repository.
    Hostile(Hostile),
    /// It is a repository of its own without a commit.
    NoCommitCheckedOut,
    /// It is a repository of its own whose `HEAD` cannot be read.
    UnreadableRepository,
    /// A tracked file has become a pipe, a socket or a device.
    CannotBeHeld,
    /// A required filter failed.
    Filter(FilterFailed),
    /// It could not be converted from its encoding.
    Encoding(EncodingFailed),
    /// It could not be read or converted; the reason as text.
    Unreadable(String),
    /// It changed during each attempt to read it.
    KeepsChanging,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NotUtf8 => write!(f, "its name is not UTF-8"),
            Why::Hostile(why) => write!(f, "{why}"),
            Why::NoCommitCheckedOut => write!(f, "it is a repository without a commit"),
            Why::UnreadableRepository => write!(
                f,
                "it is a repository whose HEAD cannot be read here: it keeps its refs in reftables, has SHA-256 ids, or is damaged"
            ),
            Why::CannotBeHeld => write!(f, "it is neither a file nor a link"),
            Why::Filter(failed) => write!(f, "{failed}"),
            Why::Encoding(failed) => write!(f, "{failed}"),
            Why::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Why::KeepsChanging => write!(f, "it keeps changing while it is read"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.path.to_str() {
            Ok(path) => path.to_owned(),
            Err(_) => gix::quote::ansi_c::quote(self.path.as_bstr()).to_string(),
        };
        write!(f, "{path}: {}", self.why)
    }
}
