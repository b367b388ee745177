//! Writes the index of a commit on another thread while the commit is pushed: one needs the processor, the other the
//! remote.
//!
//! Nothing else may read the index meanwhile, neither a hook nor the next step of a run; the caller must wait for the
//! end before it runs one. The index is in place as soon as it is written, not only when somebody waits for it: a push
//! over a slow connection takes minutes, and until then git would show the new commit undone, and find the index
//! locked.

use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use anyhow::Context as _;
use signals::Section;

use super::{Lock, Looked, Revised};
use crate::tree::Built;

/// An index that is being written. Dropping it waits for the end.
#[derive(Debug)]
pub struct Writing {
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

/// What to write; see [`Lock::write`].
pub struct Written {
    /// The index.
    pub index: Revised,
    /// Its tree, if one was built.
    pub built: Option<Built>,
    /// Which entries were compared with their files.
    pub looked: Looked,
    /// When examining files began.
    pub since: SystemTime,
}

impl Writing {
    /// Starts making `what` the repository's index; the lock is released afterwards. `section` is the one in which
    /// the branch has moved; it ends as soon as a signal could install the index too.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn begin(
        repo: &gix::Repository,
        lock: Lock,
        what: Written,
        section: Section,
    ) -> anyhow::Result<Self> {
        let (repo, mut lock) = (repo.clone().into_sync(), lock);
        let write = move || {
            let Written { index, built, looked, since } = what;
            let repo = repo.to_thread_local();
            lock.fill(&repo, index, built.as_ref(), looked, since)?;
            lock.complete(&repo, since)?;
            drop(section);
            // At once, and not when somebody waits for it: a push may take minutes.
            lock.install(&repo, since)
        };
        let thread = threads::start("index", write);
        let thread = thread.context("the index is not written: no thread can be started")?;
        Ok(Self { thread: Some(thread) })
    }

    /// Waits until the new index is in place.
    ///
    /// # Errors
    /// It could not be written; the old index is unchanged then.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.wait()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !thread::panicking() {
            // An error here is ignored: the caller drops this because of a worse failure, which it reports.
            let _ = self.wait();
        }
    }
}
