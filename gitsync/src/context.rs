//! Holds what every step of a sync needs and none of them changes: the repository, its lock, and who commits.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use phase::{Guard, Hooks, Progress, amount};
use store::History;

use crate::ident::People;
use crate::signing::Signing;
use crate::watch::{Doing, Watch};

/// How long an answer of the lock's guard remains valid for a series of small changes. Other processes may delay this
/// one for longer than that between any check and the change after it anyway; and a lock is only taken over after
/// minutes without a sign of life.
const MOMENT: Duration = Duration::from_millis(2);

/// A repository with a working tree, the lock that is held for it, and the identities used for commits.
pub struct SyncContext<'a> {
    /// The repository.
    pub repo: &'a gix::Repository,
    /// What has been read of its history.
    pub history: History,
    /// The lock.
    pub guard: &'a dyn Guard,
    /// The progress line.
    pub progress: &'a Progress,
    /// The host name of this machine.
    pub host: &'a str,
    /// The author and committer of new commits.
    pub people: &'a People<'a>,
    /// How commits are signed.
    pub signing: &'a Signing,
    /// When the lock's guard last allowed a change.
    pub asked: Cell<Option<Instant>>,
}

impl SyncContext<'_> {
    /// Returns the repository's hooks. `prepare-commit-msg` and `post-commit` are not run for replayed commits: these
    /// are created in memory, where a hook would have nothing to look at yet.
    ///
    /// # Errors
    /// `core.hooksPath` is not a valid path.
    pub fn hooks(&self) -> anyhow::Result<Hooks<'_>> {
        Hooks::of(self.repo, self.guard, self.progress)
    }

    /// Returns the root of the working tree.
    pub fn root(&self) -> &Path {
        self.repo.workdir().unwrap_or_else(|| self.repo.git_dir())
    }

    /// Returns the root of the working tree as an absolute path, for the document.
    ///
    /// # Errors
    /// It cannot be looked up.
    pub fn absolute_root(&self) -> anyhow::Result<String> {
        Ok(phase::real_path(self.root()).context("the work tree")?.into_string())
    }
}

impl Watch for SyncContext<'_> {
    fn check(&self) -> anyhow::Result<()> {
        let now = Instant::now();
        self.asked.set(None);
        self.guard.check()?;
        self.asked.set(Some(now));
        Ok(())
    }

    fn check_again(&self) -> anyhow::Result<()> {
        match self.asked.get() {
            Some(asked) if asked.elapsed() < MOMENT => Ok(()),
            _ => self.check(),
        }
    }

    fn alive(&self) {
        self.guard.alive();
    }

    fn done_with(&self, doing: Doing, done: usize, of: usize) {
        self.alive();
        self.progress.set(|| {
            let (noun, verb) = match doing {
                Doing::Reading => ("changed file", "read"),
                Doing::Updating => ("changed file", "brought up to date"),
                Doing::Replaying => ("local commit", "replayed"),
            };
            format!("{} of {} {verb}", amount::count(done as u64), amount::of(of as u64, noun))
        });
    }

    fn looked_at(&self, files: usize) {
        self.alive();
        self.progress.set(|| format!("{} looked at", amount::of(files as u64, "file")));
    }
}

/// Receives the progress of an exchange with the remote. It is separate from [`SyncContext`] because several threads
/// share it, and a `gix::Repository` cannot be shared between threads.
pub struct Follower<'a> {
    guard: &'a dyn Guard,
    progress: &'a Progress,
}

impl<'a> SyncContext<'a> {
    /// Returns what receives the progress of an exchange with the remote on behalf of this place.
    pub fn follower(&self) -> Follower<'a> {
        Follower { guard: self.guard, progress: self.progress }
    }
}

impl remote::Watcher for Follower<'_> {
    fn progress(&self, step: remote::Step) {
        self.guard.alive();
        crate::report::step(step, self.progress);
    }

    fn may_change(&self, _change: remote::Change<'_>) -> anyhow::Result<()> {
        Ok(self.guard.check()?)
    }
}
