//! Stores the objects of a commit, behind a trait.
//!
//! Git writes loose objects; a pack may be better if there are many. So the code that creates objects knows only this
//! trait. Once `sync` has returned, everything put is on disk: a branch must not refer to it before.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context as _;
use gix::ObjectId;
use gix::objs::{Kind, Write as _};

use remote::durable::{Durability, Part};
use remote::{Known, object_file};

/// Accepts objects.
pub trait Sink {
    /// Whether the object `id` exists already, and will stay.
    fn holds(&mut self, id: &ObjectId) -> bool;

    /// Stores an object unless it exists already, and returns its id.
    ///
    /// # Errors
    /// It cannot be written.
    fn put(&mut self, kind: Kind, data: &[u8]) -> anyhow::Result<ObjectId>;

    /// Stores an object of `size` bytes that is too large for memory, and returns its id. `read` must provide `size`
    /// bytes or fail.
    ///
    /// # Errors
    /// It cannot be written, or `read` failed; nothing is stored then.
    fn put_stream(&mut self, kind: Kind, size: u64, read: &mut dyn Read) -> anyhow::Result<ObjectId>;

    /// Flushes everything that was put to disk.
    ///
    /// # Errors
    /// The disk failed.
    fn sync(&mut self) -> anyhow::Result<()>;
}

/// Writes loose objects, as git does.
pub struct Loose<'repo> {
    repo: &'repo gix::Repository,
    known: Known<'repo>,
    written: Vec<ObjectId>,
}

impl<'repo> Loose<'repo> {
    /// Creates a sink that writes into `repo`.
    pub fn new(repo: &'repo gix::Repository) -> Self {
        Loose { repo, known: Known::of(repo), written: Vec::new() }
    }
}

impl Sink for Loose<'_> {
    fn holds(&mut self, id: &ObjectId) -> bool {
        self.known.holds(id)
    }

    fn put(&mut self, kind: Kind, data: &[u8]) -> anyhow::Result<ObjectId> {
        let id = gix::objs::compute_hash(self.repo.object_hash(), kind, data)?;
        if !self.holds(&id) {
            object_file::write(self.repo, id, kind, data)?;
            self.written.push(id);
        }
        Ok(id)
    }

    fn put_stream(&mut self, kind: Kind, size: u64, read: &mut dyn Read) -> anyhow::Result<ObjectId> {
        let id = object_file::write_stream(self.repo, kind, size, read)?;
        self.written.push(id);
        Ok(id)
    }

    fn sync(&mut self) -> anyhow::Result<()> {
        let root = self.repo.objects.store_ref().path().to_owned();
        let files: Vec<PathBuf> = self.written.iter().map(|id| object_file::path(self.repo, id)).collect();
        Durability::of(self.repo)
            .flushing(Part::LooseObject)
            .batch(&root, &files)
            .with_context(|| format!("cannot flush {}", root.display()))?;
        self.written.clear();
        Ok(())
    }
}

/// Keeps the objects of a dry run in the memory of a repository set up for that: nothing reaches the disk.
pub struct Memory<'repo>(pub &'repo gix::Repository);

impl Sink for Memory<'_> {
    fn holds(&mut self, id: &ObjectId) -> bool {
        self.0.objects.exists_without_refresh(id)
    }

    fn put(&mut self, kind: Kind, data: &[u8]) -> anyhow::Result<ObjectId> {
        Ok(self.0.objects.write_buf(kind, data)?)
    }

    fn put_stream(&mut self, kind: Kind, size: u64, read: &mut dyn Read) -> anyhow::Result<ObjectId> {
        Ok(self.0.objects.write_stream(kind, size, read)?)
    }

    fn sync(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}
