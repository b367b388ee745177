//! What a phase is given to work with.

use camino::{Utf8Path, Utf8PathBuf};
use contract::{Document, Identity};

use crate::{Console, Fault, Guard, IdentityFile, Keeper, Page, Progress};

/// The run, as one phase of it sees it.
pub struct Run<'a> {
    pub(crate) document: Document,
    pub(crate) repo: gix::Repository,
    pub(crate) was_expected: bool,
    pub(crate) guard: Box<dyn Guard>,
    pub(crate) keeper: &'a dyn Keeper,
    pub(crate) console: &'a Console,
    pub(crate) progress: Progress,
    pub(crate) all_reports_delivered: std::cell::Cell<bool>,
}

impl Run<'_> {
    /// The document as it came in.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Who runs it, and where.
    pub fn identity(&self) -> &Identity {
        &self.document.identity
    }

    /// The repository, opened.
    pub fn repo(&self) -> &gix::Repository {
        &self.repo
    }

    /// Whether it is the repository that [`Phase::look_ahead`](crate::Phase::look_ahead) was given, configured as it
    /// was, and the run went straight on from taking the lock.
    pub fn was_expected(&self) -> bool {
        self.was_expected
    }

    /// The root of the work tree.
    ///
    /// # Errors
    /// A fault with exit 78 where the repository is bare.
    pub fn worktree(&self) -> Result<&Utf8Path, Fault> {
        let worktree = self.document.repo.as_ref().and_then(|repo| repo.worktree.as_deref());
        worktree.map(Utf8Path::new).ok_or_else(|| {
            Fault::misconfigured(format!("{} is a bare repository, and has no work tree", self.common_dir()))
                .help("run it in a clone that has a work tree")
        })
    }

    /// The git directory that all work trees share.
    pub fn common_dir(&self) -> Utf8PathBuf {
        self.document.repo.as_ref().map(|repo| repo.common_dir.clone().into()).unwrap_or_default()
    }

    /// `.claude/identity.json` of the work tree.
    ///
    /// # Errors
    /// A fault with exit 78 where it is broken, or where the repository is bare.
    pub fn identity_file(&self) -> Result<IdentityFile, Fault> {
        IdentityFile::read(self.worktree()?)
    }

    /// The lock that is held for this phase.
    pub fn guard(&self) -> &dyn Guard {
        &*self.guard
    }

    /// How to take the lock of another repository: the vault's.
    pub fn keeper(&self) -> &dyn Keeper {
        self.keeper
    }

    /// The line of progress.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// An empty page for [`Run::say`].
    pub fn page(&self) -> Page {
        self.console.page()
    }

    /// Prints what a question is about to people now: also where somebody else reports on the whole run, since an
    /// answer cannot wait for that.
    ///
    /// # Errors
    /// Where it could not be written; that its reader is gone is no error.
    pub fn ask_about(&self, page: &Page) -> std::io::Result<()> {
        self.progress.clear();
        self.console.ask_about(page).map(|_| ())
    }

    /// Prints a page to people now, ahead of the phase's report.
    ///
    /// # Errors
    /// Where it could not be written; that its reader is gone is no error.
    pub fn say(&self, page: &Page) -> std::io::Result<()> {
        self.progress.clear();
        let delivery = self.console.report(page)?;
        if delivery != crate::console::Delivery::Written {
            self.all_reports_delivered.set(false);
        }
        Ok(())
    }
}
