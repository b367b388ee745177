//! Stores the objects of a commit, behind a trait.
//!
//! Git writes loose objects; a pack may be better if there are many. So the code that creates objects knows only this
//! trait. Once `sync` has returned, everything put is on disk: a branch must not refer to it before.

use std::collections::HashMap;
use std::io::Read;

use gix::ObjectId;
use gix::objs::{Kind, Write as _};

use store::Freshener;
use store::object_file::Drafts;

/// Accepts objects. The repository need not contain them before `sync`.
pub trait Sink {
    /// Whether the object `id` exists already, and will stay.
    fn holds(&mut self, id: &ObjectId) -> bool;

    /// Whether the object `id` was put, and the repository does not contain it yet.
    fn is_draft(&self, id: &ObjectId) -> bool;

    /// Returns a tree that was put, if the repository does not contain it yet.
    fn tree(&self, id: &ObjectId) -> Option<&[u8]>;

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

    /// Makes everything that was put part of the repository, and flushes it to disk.
    ///
    /// # Errors
    /// The disk failed.
    fn sync(&mut self) -> anyhow::Result<()>;
}

/// Writes loose objects, as git does.
pub struct Loose<'repo> {
    repo: &'repo gix::Repository,
    known: Freshener<'repo>,
    drafts: Drafts<'repo>,
    /// Those among the drafts that are read again, to count what differs.
    trees: HashMap<ObjectId, Vec<u8>>,
}

impl<'repo> Loose<'repo> {
    /// Creates a sink that writes into `repo`.
    pub fn new(repo: &'repo gix::Repository) -> Self {
        Loose { repo, known: Freshener::new(repo), drafts: Drafts::new(repo), trees: HashMap::new() }
    }
}

impl Sink for Loose<'_> {
    fn holds(&mut self, id: &ObjectId) -> bool {
        self.drafts.has(id) || self.known.freshen(id)
    }

    fn is_draft(&self, id: &ObjectId) -> bool {
        self.drafts.has(id)
    }

    fn tree(&self, id: &ObjectId) -> Option<&[u8]> {
        self.trees.get(id).map(Vec::as_slice)
    }

    fn put(&mut self, kind: Kind, data: &[u8]) -> anyhow::Result<ObjectId> {
        let id = gix::objs::compute_hash(self.repo.object_hash(), kind, data)?;
        if !self.holds(&id) {
            self.drafts.write(id, kind, data)?;
            if kind == Kind::Tree {
                self.trees.insert(id, data.to_owned());
            }
        }
        Ok(id)
    }

    fn put_stream(&mut self, kind: Kind, size: u64, read: &mut dyn Read) -> anyhow::Result<ObjectId> {
        Ok(self.drafts.write_stream(kind, size, read)?)
    }

    fn sync(&mut self) -> anyhow::Result<()> {
        self.trees.clear();
        Ok(self.drafts.publish()?)
    }
}

/// Keeps the objects of a dry run in the memory of a repository set up for that: nothing reaches the disk.
pub struct Memory<'repo>(pub &'repo gix::Repository);

impl Sink for Memory<'_> {
    fn holds(&mut self, id: &ObjectId) -> bool {
        self.0.objects.exists_without_refresh(id)
    }

    fn is_draft(&self, _: &ObjectId) -> bool {
        false
    }

    fn tree(&self, _: &ObjectId) -> Option<&[u8]> {
        None
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
