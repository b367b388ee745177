//! What long work on the index and the work tree asks leave of.
//!
//! Without it this code would have to know the run's lock to be able to stop when the lock is lost, and could not be
//! tried alone. A run passes its guard; tests pass `()`.

/// What is done with one file, or one commit, after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Its content becomes an object.
    Reading,
    /// It is changed in the work tree.
    Updating,
    /// It is a local commit, and made anew on top of what came in.
    Replaying,
}

/// Asked before each change, told of each step.
pub trait Watch {
    /// Whether the change about to be made may still be made.
    ///
    /// # Errors
    /// The run has lost its lock: nothing further is changed, and the error goes up as it is.
    fn check(&self) -> anyhow::Result<()>;

    /// The same, before each of many small changes in a row. That the change before this one was allowed a moment ago
    /// may do: then each change is still made within that moment of an answer, as it is wherever one is asked for.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn check_again(&self) -> anyhow::Result<()> {
        self.check()
    }

    /// Something moved: a file was read or written. It is a sign of life, and may be called very often.
    fn alive(&self) {}

    /// So many of all that there are were dealt with. It is a sign of life as well.
    fn done_with(&self, _doing: Doing, _done: usize, _of: usize) {
        self.alive();
    }

    /// So many files were looked at so far. It is a sign of life as well.
    fn looked_at(&self, _files: usize) {
        self.alive();
    }
}

/// Nobody watches, and everything is allowed.
impl Watch for () {
    fn check(&self) -> anyhow::Result<()> {
        Ok(())
    }
}
