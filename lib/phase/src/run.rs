//! What a phase has to work with: the document, the repository, the lock and the console.

use camino::{Utf8Path, Utf8PathBuf};
use contract::{Document, Identity};

use crate::{Console, Fault, Guard, IdentityFile, LockManager, Page, Progress};

/// One phase's view of the run.
pub struct Run<'a> {
    pub(crate) document: Document,
    pub(crate) repo: gix::Repository,
    pub(crate) was_expected: bool,
    pub(crate) guard: Box<dyn Guard>,
    pub(crate) keeper: &'a dyn LockManager,
    pub(crate) console: &'a Console,
    pub(crate) progress: Progress,
    pub(crate) all_reports_delivered: std::cell::Cell<bool>,
}

impl Run<'_> {
    /// Returns the document as it was read.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Returns who runs it, and where.
    pub fn identity(&self) -> &Identity {
        &self.document.identity
    }

    /// Returns the open repository.
    pub fn repo(&self) -> &gix::Repository {
        &self.repo
    }

    /// Whether the repository is the one that [`Phase::look_ahead`](crate::Phase::look_ahead) was given, with the
    /// same configuration, and the run went on without delay after taking the lock.
    pub fn was_expected(&self) -> bool {
        self.was_expected
    }

    /// Returns the root of the working tree.
    ///
    /// # Errors
    /// A fault with exit 78 if the repository is bare.
    pub fn worktree(&self) -> Result<&Utf8Path, Fault> {
        let worktree = self.document.repo.as_ref().and_then(|repo| repo.worktree.as_deref());
        worktree.map(Utf8Path::new).ok_or_else(|| {
            Fault::misconfigured(format!("{} is a bare repository, and has no work tree", self.common_dir()))
                .help("run it in a clone that has a work tree")
        })
    }

    /// Returns the git directory that all worktrees share.
    pub fn common_dir(&self) -> Utf8PathBuf {
        self.document.repo.as_ref().map(|repo| repo.common_dir.clone().into()).unwrap_or_default()
    }

    /// Reads `.claude/identity.json` of the working tree.
    ///
    /// # Errors
    /// A fault with exit 78 if it is broken, or if the repository is bare.
    pub fn identity_file(&self) -> Result<IdentityFile, Fault> {
        IdentityFile::read(self.worktree()?)
    }

    /// Returns the lock that is held for this phase.
    pub fn guard(&self) -> &dyn Guard {
        &*self.guard
    }

    /// Returns the means to take the lock of another repository: the vault's.
    pub fn keeper(&self) -> &dyn LockManager {
        self.keeper
    }

    /// Returns the progress line.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Returns an empty page for [`Run::say`].
    pub fn page(&self) -> Page {
        self.console.page()
    }

    /// Prints the subject of a question immediately, even if the caller reports on the whole run, since the answer
    /// cannot wait for that report.
    ///
    /// # Errors
    /// If the page could not be written, except because its reader is gone.
    pub fn ask_about(&self, page: &Page) -> std::io::Result<()> {
        self.progress.clear();
        self.console.ask_about(page).map(|_| ())
    }

    /// Prints a page immediately, ahead of the phase's report.
    ///
    /// # Errors
    /// If the page could not be written, except because its reader is gone.
    pub fn say(&self, page: &Page) -> std::io::Result<()> {
        self.progress.clear();
        let delivery = self.console.report(page)?;
        if delivery != crate::console::Delivery::Written {
            self.all_reports_delivered.set(false);
        }
        Ok(())
    }
}
