//! Collects new objects in memory and writes them together.
//!
//! A merge makes thousands of small objects, and may have to be repeated before any of them counts. So they are kept
//! in memory until the merge is done, and then written together, before a ref points to them.

use anyhow::{Context, Result};
use gix::{
    ObjectId, Repository,
    objs::{Kind, Write},
};
use store::{PackKeep, RecentObjects};

/// A repository handle whose new objects are in memory only.
pub struct Drafts<'repo> {
    drafts: Repository,
    target: &'repo Repository,
}

impl<'repo> Drafts<'repo> {
    /// Creates a handle for new objects of `repo`.
    pub fn of(repo: &'repo Repository) -> Self {
        let mut drafts = repo.clone().with_object_memory();
        // A merge reads each tree once, so a cache would not help.
        drafts.object_cache_size(None);
        Self { drafts, target: repo }
    }

    /// Returns the repository with the new objects in it.
    pub fn repo(&self) -> &Repository {
        &self.drafts
    }

    /// Writes the new objects to the repository, flushed as `core.fsync` asks for, and returns them for later
    /// readers, unless they are large. Drop the [`PackKeep`] only when a ref points to them: it keeps a concurrent `git
    /// repack` from discarding them.
    ///
    /// # Errors
    /// If they cannot be written; some may have been, which does no harm.
    pub fn keep(mut self) -> Result<(RecentObjects, PackKeep)> {
        let memory = self.drafts.objects.take_object_memory().unwrap_or_default();
        store::add_objects(self.target, memory).context("cannot write new notes")
    }
}

/// Writes an object without checking whether it exists: for objects in memory a duplicate does no harm, and checking
/// takes longer than writing.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn draft(repo: &Repository, kind: Kind, bytes: &[u8]) -> Result<ObjectId> {
    let id = gix::objs::compute_hash(repo.object_hash(), kind, bytes)?;
    repo.objects
        .write_buf_with_known_id(kind, bytes, id)
        .with_context(|| format!("cannot write a {kind} of notes"))
}
