//! A remote's name, so that it cannot be swapped with a ref's or a branch's: all of them are text, and a
//! function that takes two of them as `&str` will one day get them the wrong way round.

use std::fmt;

use crate::Trouble;

/// The name of a configured remote, as in `[remote "origin"]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RemoteName(String);

impl RemoteName {
    /// Reads a remote's name, by [git's rules](https://git-scm.com/docs/git-check-ref-format): it has to be
    /// able to stand in `refs/remotes/<name>/…`.
    ///
    /// # Errors
    ///
    /// [`Trouble::Misconfigured`], if no remote can have this name.
    pub fn parse(text: &str) -> Result<Self, Trouble> {
        match gix::remote::name::validated(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(Trouble::misconfigured(
                format!("'{}' cannot be the name of a remote", words::line(text)),
                "`git remote` lists the remotes that there are",
            )),
        }
    }

    /// The name as it stands in the configuration.
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
