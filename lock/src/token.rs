//! Defines the token that identifies one acquisition of the lock.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The environment variable that tells a program that its caller holds the lock.
pub const TOKEN_VARIABLE: &str = "LOCKSTEP_TOKEN";

/// Identifies one acquisition of the lock; each is unique. It is not secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Returns a new unique token.
    pub fn fresh() -> Self {
        Self(ulid::Ulid::new().to_string())
    }

    /// Returns the token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = Infallible;

    /// Any text is a token; one that was never issued matches no lock.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tokens of the locks that this process's callers hold.
///
/// There may be several: a command under one repository's lock may run another under a second one's. They are listed
/// in [`TOKEN_VARIABLE`], separated by spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inherited(Vec<Token>);

impl Inherited {
    /// Returns the tokens that this process was given.
    pub fn from_environment() -> Self {
        Self::parse(&std::env::var(TOKEN_VARIABLE).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        Self(text.split_ascii_whitespace().map(Token::from).collect())
    }

    /// Whether `token` is among them.
    pub fn contains(&self, token: &Token) -> bool {
        self.0.contains(token)
    }

    /// Returns the value of [`TOKEN_VARIABLE`] for a command that runs under `token` as well.
    pub fn joined_by(&self, token: &Token) -> String {
        let others = self.0.iter().filter(|other| *other != token);
        others.chain([token]).map(Token::as_str).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike() {
        assert_ne!(Token::fresh(), Token::fresh());
    }

    #[test]
    fn a_command_inherits_the_tokens_of_all_its_callers() {
        let outer = Inherited::parse("A B");
        assert!(outer.contains(&"A".into()) && outer.contains(&"B".into()) && !outer.contains(&"C".into()));
        assert_eq!(outer.joined_by(&"C".into()), "A B C");
        assert_eq!(outer.joined_by(&"A".into()), "B A");
        assert_eq!(Inherited::default().joined_by(&"C".into()), "C");
    }
}
