//! The interface through which long work on the index and the working tree asks for permission and reports progress.
//!
//! Without it this code would have to know the run's lock in order to stop when the lock is lost, and could not be
//! tested on its own. A run passes its guard; tests pass `()`.

/// What is done with a series of files or commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// The file's content is written to an object.
    Reading,
    /// The file is changed in the working tree.
    Updating,
    /// The local commit is replayed onto the upstream.
    Replaying,
}

/// Is asked before each change, and told of each step.
pub trait Watch {
    /// Checks whether the next change may still be made.
    ///
    /// # Errors
    /// The run has lost its lock: nothing further is changed, and the error is passed on unchanged.
    fn check(&self) -> anyhow::Result<()>;

    /// The same, for each of many small changes in a row. An implementation may rely on an answer given a moment ago:
    /// each change is still made within that moment of a check, which is all that a check before each change would
    /// guarantee.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn check_again(&self) -> anyhow::Result<()> {
        self.check()
    }

    /// Reports that something moved: a file was read or written. It is a sign of life, and may be called very often.
    fn alive(&self) {}

    /// Reports how many of the files or commits have been processed. It is a sign of life as well.
    fn done_with(&self, _doing: Doing, _done: usize, _of: usize) {
        self.alive();
    }

    /// Reports how many files have been scanned so far. It is a sign of life as well.
    fn looked_at(&self, _files: usize) {
        self.alive();
    }
}

/// Allows everything and reports to nobody.
impl Watch for () {
    fn check(&self) -> anyhow::Result<()> {
        Ok(())
    }
}
