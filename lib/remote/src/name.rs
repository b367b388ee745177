//! The name of a remote, as a type of its own.
//!
//! Names of remotes, refs and branches are all text, and a function that takes two of them as `&str` will one day get
//! them in the wrong order.

use std::fmt;

use crate::RemoteError;

/// The name of a configured remote, as in `[remote "origin"]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RemoteName(String);

impl RemoteName {
    /// Parses a remote's name by [git's rules](https://git-scm.com/docs/git-check-ref-format): it has to be valid in
    /// `refs/remotes/<name>/…`.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Misconfigured`], if no remote can have this name.
    pub fn parse(text: &str) -> Result<Self, RemoteError> {
        match gix::remote::name::validated(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(RemoteError::misconfigured(
                format!("'{}' cannot be the name of a remote", sanitize::line(text)),
                "`git remote` lists the remotes that there are",
            )),
        }
    }

    /// Returns the name as it is in the configuration.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemoteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
