//! One thing that was checked.

use serde::Serialize;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, in a word or two.
    pub check: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub message: String,
    /// What to do about it; null where there is nothing to do.
    pub help: Option<String>,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Runs go through, and not all is as its owner will expect.
    Warn,
    /// Runs fail, or something gets lost.
    Bad,
}

impl Check {
    /// As it should be.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, state: State::Ok, message: without_logins(message), help: None }
    }

    /// To be looked at.
    pub fn warn(check: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { check, state: State::Warn, message: without_logins(message), help: Some(without_logins(help)) }
    }

    /// Wrong.
    pub fn bad(check: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { check, state: State::Bad, message: without_logins(message), help: Some(without_logins(help)) }
    }
}

/// Checks quote what is configured, and that may be a URL with a password.
fn without_logins(text: impl Into<String>) -> String {
    words::in_text(&text.into()).into_owned()
}
