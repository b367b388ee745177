//! Where a repository's lock lies, and what lies beside it.

use std::path::{Path, PathBuf};

/// The paths of a repository's lock, all in the git directory that its work trees share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    common_dir: PathBuf,
}

impl Place {
    /// The place of the lock in this common git directory.
    pub fn new(common_dir: impl Into<PathBuf>) -> Self {
        Self { common_dir: common_dir.into() }
    }

    /// The directory in which everything else lies.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The lock: whoever makes this directory has it.
    pub fn lock(&self) -> PathBuf {
        self.common_dir.join("claudetools-sync.lock")
    }

    /// The guard file, under whose kernel lock a stale lock is examined and taken over. It is never deleted: two
    /// processes that lock two files of one name exclude nobody.
    pub fn guard(&self) -> PathBuf {
        self.common_dir.join("claudetools-sync.guard")
    }

    /// The directory of what is under way: those who wait, files being written, locks being removed.
    pub fn wings(&self) -> PathBuf {
        self.common_dir.join("claudetools-sync.wings")
    }
}
