//! Where the objects of a commit go.
//!
//! Git writes loose objects, one file each; a pack may serve better where there are many. So what makes objects only
//! knows this trait. All that was put is on disk once `sync` has returned: a branch must not name it before.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context as _;
use gix::ObjectId;
use gix::objs::{Kind, Write as _};

use remote::durable::{Durability, Part};
use remote::{Known, object_file};

/// Takes objects.
pub trait Sink {
    /// Whether the object `id` is there already, and stays.
    fn holds(&mut self, id: &ObjectId) -> bool;

    /// Store an object, unless it is there already, and say its id.
    ///
    /// # Errors
    /// It cannot be written.
    fn put(&mut self, kind: Kind, data: &[u8]) -> anyhow::Result<ObjectId>;

    /// Store an object of `size` bytes that is too large for memory, and say its id. `read` must give `size` bytes or
    /// fail.
    ///
    /// # Errors
    /// It cannot be written, or `read` failed; nothing is stored then.
    fn put_stream(&mut self, kind: Kind, size: u64, read: &mut dyn Read) -> anyhow::Result<ObjectId>;

    /// Flush all that was put.
    ///
    /// # Errors
    /// The disk failed.
    fn sync(&mut self) -> anyhow::Result<()>;
}

/// Loose objects, as git writes them.
pub struct Loose<'repo> {
    repo: &'repo gix::Repository,
    known: Known<'repo>,
    written: Vec<ObjectId>,
}

impl<'repo> Loose<'repo> {
    /// Write into `repo`.
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

/// Objects of a dry run, in the memory of a repository that has it: nothing reaches the disk.
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
