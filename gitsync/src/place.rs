//! Where the work is done, and on whose behalf: all that every step of a sync needs and none of them changes.

use std::path::Path;

use anyhow::Context as _;
use phase::{Guard, Progress, amount};

use crate::person::People;
use crate::signing::Signing;
use crate::watch::{Doing, Watch};

/// A repository with a work tree, the lock that is held for it, and who is at work.
pub struct Place<'a> {
    /// The repository.
    pub repo: &'a gix::Repository,
    /// The lock.
    pub guard: &'a dyn Guard,
    /// The line of progress.
    pub progress: &'a Progress,
    /// The machine's name.
    pub host: &'a str,
    /// Who commits.
    pub people: &'a People<'a>,
    /// How commits are signed.
    pub signing: &'a Signing,
}

impl Place<'_> {
    /// The root of the work tree.
    pub fn root(&self) -> &Path {
        self.repo.workdir().unwrap_or_else(|| self.repo.git_dir())
    }

    /// The root of the work tree as an absolute path, for the document.
    ///
    /// # Errors
    /// It cannot be looked up.
    pub fn absolute_root(&self) -> anyhow::Result<String> {
        Ok(self.root().canonicalize().context("the work tree")?.display().to_string())
    }
}

impl Watch for Place<'_> {
    fn check(&self) -> anyhow::Result<()> {
        Ok(self.guard.check()?)
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

/// Follows a talk with the remote. It is apart from [`Place`] as several threads look at it, which a repository does not
/// bear.
pub struct Follower<'a> {
    guard: &'a dyn Guard,
    progress: &'a Progress,
}

impl<'a> Place<'a> {
    /// What follows a talk with the remote on behalf of this place.
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
