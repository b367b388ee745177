//! Defines the result of one check.

use serde::Serialize;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, in a word or two.
    pub check: &'static str,
    /// The state that was found.
    pub state: State,
    /// What was found.
    pub message: String,
    /// What to do about it; null if there is nothing to do.
    pub help: Option<String>,
}

/// The state of what was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Runs succeed, but something may not be as the user expects.
    Warn,
    /// Runs fail, or something gets lost.
    Bad,
}

impl Check {
    /// Returns a check that found nothing wrong.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, state: State::Ok, message: without_logins(message), help: None }
    }

    /// Returns a check that found something to look at.
    pub fn warn(check: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { check, state: State::Warn, message: without_logins(message), help: Some(without_logins(help)) }
    }

    /// Returns a check that found something wrong.
    pub fn bad(check: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { check, state: State::Bad, message: without_logins(message), help: Some(without_logins(help)) }
    }
}

/// Removes credentials: checks quote the configuration, which may contain a URL with a password.
fn without_logins(text: impl Into<String>) -> String {
    sanitize::in_text(&text.into()).into_owned()
}
