//! Writing the index of a commit while the commit is pushed: the one waits for the processor, the other for the remote.
//!
//! Nothing else may look at the index meanwhile, neither a hook nor the next step of a run; whoever lets them waits for
//! the end first. Only then does it take the place of the old one: where ext4 has to flush a ref, it would have all of
//! an index written that has just got its name, and a push flushes refs.

use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use anyhow::Context as _;
use signals::Section;

use super::{Lock, Looked, Revised};
use crate::tree::Built;

/// An index that is being written. Dropping it waits for the end.
#[derive(Debug)]
pub struct Writing {
    thread: Option<JoinHandle<anyhow::Result<Lock>>>,
    repo: Box<gix::ThreadSafeRepository>,
    since: SystemTime,
}

/// What is to be written, see [`Lock::write`].
pub struct Written {
    /// The index.
    pub index: Revised,
    /// Its tree, where one was built.
    pub built: Option<Built>,
    /// Which entries were held against their files.
    pub looked: Looked,
    /// When looking at files began.
    pub since: SystemTime,
}

impl Writing {
    /// Begins to make `what` the repository's index, and to release the lock then. The branch has moved in `section`,
    /// which ends when a signal can put the index in its place too.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn begin(
        repo: &gix::Repository,
        lock: Lock,
        what: Written,
        section: Section,
    ) -> anyhow::Result<Self> {
        let repo = repo.clone().into_sync();
        let (view, mut lock, since) = (repo.clone(), lock, what.since);
        let fill = move || {
            let Written { index, built, looked, since } = what;
            let view = view.to_thread_local();
            lock.fill(&view, index, built.as_ref(), looked, since)?;
            lock.complete(&view, since)?;
            drop(section);
            Ok(lock)
        };
        let thread = threads::start("index", fill);
        let thread = thread.context("the index is not written: no thread can be started")?;
        Ok(Self { thread: Some(thread), repo: Box::new(repo), since })
    }

    /// Waits for the end, and puts the new index in the place of the old one.
    ///
    /// # Errors
    /// It could not be written; the old index is untouched then.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.wait()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(filled)) => filled?.install(&self.repo.to_thread_local(), self.since),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !thread::panicking() {
            // Whoever drops it has a worse failure to tell of.
            let _ = self.wait();
        }
    }
}
