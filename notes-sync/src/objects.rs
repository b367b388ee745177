//! New objects on their way to the disk.
//!
//! A merge makes thousands of small objects, and may have to be made again before any of them counts. So they are kept
//! in memory until the merge stands, and then written together, before a ref names them.

use anyhow::{Context, Result};
use gix::Repository;

/// How much of what was read is kept, so that the trees of both sides need not be unpacked twice.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// A handle of a repository whose new objects nobody else sees yet.
pub struct Drafts<'repo> {
    drafts: Repository,
    target: &'repo Repository,
}

impl<'repo> Drafts<'repo> {
    /// A handle for new objects of `repo`.
    pub fn of(repo: &'repo Repository) -> Self {
        let mut drafts = repo.clone().with_object_memory();
        drafts.object_cache_size(CACHE_BYTES);
        Self { drafts, target: repo }
    }

    /// The repository with the new objects in it.
    pub fn repo(&self) -> &Repository {
        &self.drafts
    }

    /// Writes the new objects to the repository, on the disk as far as `core.fsync` asks for it.
    ///
    /// # Errors
    /// Where they cannot be written; some may have been, and do no harm.
    pub fn keep(mut self) -> Result<()> {
        let memory = self.drafts.objects.take_object_memory().unwrap_or_default();
        remote::store(self.target, &memory).context("cannot write new notes")
    }
}
