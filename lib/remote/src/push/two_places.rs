//! Detects a remote whose push URL names another repository than its fetch URL.
//!
//! A push to such a remote looks like a lost race, but no fetch and retry could ever win it: the repository that is
//! fetched from does not have the value that the other one has.

use super::Update;
use crate::{Direction, Remote, RemoteError, Watcher, shown};

impl Remote<'_> {
    /// Checks that an update that was refused because the remote had another value was lost in a race: that a fetch
    /// would see the new value, rather than the expected one once more.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Refused`], with both URLs; and every [`RemoteError`] of a connection.
    pub fn check_race(&self, lost: &Update, watcher: &dyn Watcher) -> Result<(), RemoteError> {
        let at = |direction: Direction| self.inner.url(direction.into());
        let (Some(from), Some(to)) = (at(Direction::Fetch), at(Direction::Push)) else { return Ok(()) };
        if from == to {
            return Ok(());
        }
        let name = lost.name.as_bstr().to_string();
        if self.list(&[&name], watcher)?.id_of(lost.name.as_ref()) != lost.expected {
            return Ok(());
        }
        Err(RemoteError::refused(
            format!(
                "remote '{}' is fetched from {} and pushed to {}, which do not have the same {name}",
                self.name(),
                shown::url(from),
                shown::url(to)
            ),
            "bring the two in step, and run this again; or let the remote have one URL: `git remote -v` shows both",
        ))
    }
}
