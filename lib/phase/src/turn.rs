//! Tells whether the run has its lock already, as far as a step can know before the document arrives.
//!
//! All steps of a run start at once. What a step reads from the working tree while another run still holds the lock
//! may be out of date when its own turn comes, because the other run is at work. The same holds for any other program
//! that a user put into the pipeline between two steps. Only if `lockstep full-run` built the pipeline is it certain
//! that nothing but its own steps runs between the taking of the lock and this step.

use std::fmt;

use camino::Utf8Path;

use crate::LockManager;

/// The environment variable with which `lockstep full-run` gives its steps its process id. Programs that the steps
/// start inherit it, but are not steps: their parent is another process.
pub const PIPELINE_VARIABLE: &str = "LOCKSTEP_PIPELINE";

/// Tells when the run has its lock and nothing but Lockstep's own steps can run before this one.
pub struct Turn(Box<dyn Fn() -> bool + Send>);

impl Turn {
    /// Returns the turn of this process if its parent built the pipeline and holds the lock; else `None`.
    pub(crate) fn of(keeper: &dyn LockManager, common_dir: &Utf8Path) -> Option<Self> {
        let named = std::env::var(PIPELINE_VARIABLE).ok();
        let owner = owner(named.as_deref(), parent())?;
        Some(Self(keeper.question(common_dir, owner)))
    }

    /// Whether the run has its lock.
    pub fn has_come(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}

/// Returns the process that built the pipeline, if it is the parent of this one.
fn owner(named: Option<&str>, parent: Option<u32>) -> Option<u32> {
    named?.parse().ok().filter(|named| Some(*named) == parent)
}

#[cfg(unix)]
fn parent() -> Option<u32> {
    Some(std::os::unix::process::parent_id())
}

#[cfg(not(unix))]
fn parent() -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_child_of_who_put_the_pipeline_together_is_a_step_of_it() {
        assert_eq!(owner(Some("4242"), Some(4242)), Some(4242));
        for (named, parent) in [
            (Some("4242"), Some(17)),
            (Some("4242"), None),
            (None, Some(4242)),
            (Some(""), Some(4242)),
            (Some("4242 "), Some(4242)),
        ] {
            assert_eq!(owner(named, parent), None, "{named:?} {parent:?}");
        }
    }
}
