//! A remote that is fetched from one place and pushed to another, which has something else.
//!
//! What was lost there looks like a race, and no fetch ever wins it: the place that is asked does not know what the other
//! one has.

use super::Update;
use crate::{Direction, Remote, Trouble, Watcher, shown};

impl Remote<'_> {
    /// Makes sure that an update for which the remote had another value than was expected was lost in a race: that a fetch
    /// would bring that value, and not once more the one that was expected.
    ///
    /// # Errors
    ///
    /// [`Trouble::Refused`], with both places; and every [`Trouble`] of a connection.
    pub fn check_race(&self, lost: &Update, watcher: &dyn Watcher) -> Result<(), Trouble> {
        let at = |direction: Direction| self.inner.url(direction.into());
        let (Some(from), Some(to)) = (at(Direction::Fetch), at(Direction::Push)) else { return Ok(()) };
        if from == to {
            return Ok(());
        }
        let name = lost.name.as_bstr().to_string();
        if self.list(&[&name], watcher)?.id_of(lost.name.as_ref()) != lost.expected {
            return Ok(());
        }
        Err(Trouble::refused(
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
