//! Checks a repository with real git.

use crate::Repo;

impl Repo {
    /// Panics unless `git status` lists nothing.
    #[track_caller]
    pub fn assert_clean(&self) {
        let status = self.status();
        assert!(status.is_empty(), "git status in {}:\n{status}", self.path());
    }

    /// Panics unless `git fsck --strict` finds every object valid and the reachable history complete.
    #[track_caller]
    pub fn assert_sound(&self) {
        let output = self.try_git(["fsck", "--strict", "--full", "--no-dangling", "--no-progress"]);
        assert!(output.code == 0 && output.stdout.is_empty(), "git fsck in {}: {output}", self.path());
    }

    /// Panics if the run's lock is held, or if git's lock of the index was left behind.
    #[track_caller]
    pub fn assert_unlocked(&self) {
        let lock = self.common_dir().join("claudetools-sync.lock");
        assert!(!lock.exists(), "{lock} is still there");
        let index = self.git_dir().join("index.lock");
        assert!(!index.exists(), "{index} is still there");
    }
}

/// Panics unless both have the same tree at `HEAD`.
#[track_caller]
pub fn assert_same_tree(one: &Repo, other: &Repo) {
    if one.rev("HEAD^{tree}") != other.rev("HEAD^{tree}") {
        let list = |repo: &Repo| repo.git(["ls-tree", "-r", "HEAD"]);
        panic!("two trees\n--- {}\n{}\n--- {}\n{}", one.path(), list(one), other.path(), list(other));
    }
}

/// Panics unless all are at the same commit, with a clean working tree and only valid objects.
#[track_caller]
pub fn assert_converged(repos: &[&Repo]) {
    for repo in repos {
        if repo.git(["rev-parse", "--is-bare-repository"]) == "false" {
            repo.assert_clean();
        }
        repo.assert_sound();
        assert_eq!(repo.head(), repos[0].head(), "HEAD of {} and of {}", repo.path(), repos[0].path());
    }
}
