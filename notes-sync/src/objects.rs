//! New objects on their way to the disk.
//!
//! A merge makes thousands of small objects, and may have to be made again before any of them counts. So they are kept
//! in memory until the merge stands, and then written together, before a ref names them.

use anyhow::{Context, Result};
use gix::{
    ObjectId, Repository,
    objs::{Kind, Write},
};
use remote::{Held, Recent};

/// A handle of a repository whose new objects nobody else sees yet.
pub struct Drafts<'repo> {
    drafts: Repository,
    target: &'repo Repository,
}

impl<'repo> Drafts<'repo> {
    /// A handle for new objects of `repo`.
    pub fn of(repo: &'repo Repository) -> Self {
        let mut drafts = repo.clone().with_object_memory();
        // A merge reads each folder once.
        drafts.object_cache_size(None);
        Self { drafts, target: repo }
    }

    /// The repository with the new objects in it.
    pub fn repo(&self) -> &Repository {
        &self.drafts
    }

    /// Writes the new objects to the repository, on the disk as far as `core.fsync` asks for it, and hands them over
    /// for whoever reads them next, unless they are large. A ref has to name them before they are let go of.
    ///
    /// # Errors
    /// Where they cannot be written; some may have been, and do no harm.
    pub fn keep(mut self) -> Result<(Recent, Held)> {
        let memory = self.drafts.objects.take_object_memory().unwrap_or_default();
        remote::store(self.target, memory).context("cannot write new notes")
    }
}

/// Writes an object without a look whether it is there already: among the drafts that does not matter, and looking
/// takes longer than writing.
///
/// # Errors
/// Where it cannot be written.
pub(crate) fn draft(repo: &Repository, kind: Kind, bytes: &[u8]) -> Result<ObjectId> {
    let id = gix::objs::compute_hash(repo.object_hash(), kind, bytes)?;
    repo.objects
        .write_buf_with_known_id(kind, bytes, id)
        .with_context(|| format!("cannot write a {kind} of notes"))
}
