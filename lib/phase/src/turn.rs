//! Whether a run has its lock, as far as a step can tell before the document comes.
//!
//! The steps of a run begin all at once. What one of them sees of the work tree while somebody else still has the lock
//! may be out of date when its own turn comes: the other one is at work. So is, between two steps, whoever put a program
//! of their own into the pipeline. Only where `lockstep full-run` put it together do its own steps alone lie between the
//! taking of the lock and this one.

use std::fmt;

use camino::Utf8Path;

use crate::Keeper;

/// The name of the environment variable by which `lockstep full-run` tells its steps its process id. Programs that the
/// steps start inherit it, and are nobody's steps: their parent is another process.
pub const PIPELINE_VARIABLE: &str = "LOCKSTEP_PIPELINE";

/// Tells when the run has its lock, and nothing but steps of Lockstep's own can come before this one.
pub struct Turn(Box<dyn Fn() -> bool + Send>);

impl Turn {
    /// The turn of a step of the pipeline that this process's parent put together and holds the lock of; `None` where
    /// it did not.
    pub(crate) fn of(keeper: &dyn Keeper, common_dir: &Utf8Path) -> Option<Self> {
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

/// The process that put the pipeline together, where that is this one's parent.
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
