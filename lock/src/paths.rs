//! Defines the paths of a repository's lock and of the files beside it.

use std::path::{Path, PathBuf};

/// The paths of a repository's lock, all in the git directory that its worktrees share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockPaths {
    common_dir: PathBuf,
}

impl LockPaths {
    /// Creates the paths for this common git directory.
    pub fn new(common_dir: impl Into<PathBuf>) -> Self {
        Self { common_dir: common_dir.into() }
    }

    /// Returns the common git directory, which contains all the others.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Returns the path of the lock: the process that creates this directory has the lock.
    pub fn lock(&self) -> PathBuf {
        self.common_dir.join("claudetools-sync.lock")
    }

    /// Returns the path of the guard file, under whose kernel lock a stale lock is examined and taken over. It is
    /// never deleted: processes that lock two different files of the same name do not exclude each other.
    pub fn guard(&self) -> PathBuf {
        self.common_dir.join("claudetools-sync.guard")
    }

    /// Returns the directory for work in progress: tickets of waiting processes, files being written, locks being
    /// removed.
    pub fn wings(&self) -> PathBuf {
        self.common_dir.join("claudetools-sync.wings")
    }
}
