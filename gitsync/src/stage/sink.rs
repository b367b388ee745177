//! Where the objects of a commit go.
//!
//! Git writes loose objects, one file each; a pack may serve better where there are many. So what makes objects only
//! knows this trait. All that was put is on disk once `sync` has returned: a branch must not name it before.

use std::collections::HashMap;
use std::io::Read;

use gix::ObjectId;
use gix::objs::{Kind, Write as _};

use remote::Known;
use remote::object_file::Drafts;

/// Takes objects. Until `sync` the repository need not have them.
pub trait Sink {
    /// Whether the object `id` is there already, and stays.
    fn holds(&mut self, id: &ObjectId) -> bool;

    /// Whether the object `id` was put, and the repository does not have it yet.
    fn is_draft(&self, id: &ObjectId) -> bool;

    /// A tree that was put, and that the repository does not have yet.
    fn tree(&self, id: &ObjectId) -> Option<&[u8]>;

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

    /// Make all that was put part of the repository, and flush it.
    ///
    /// # Errors
    /// The disk failed.
    fn sync(&mut self) -> anyhow::Result<()>;
}

/// Loose objects, as git writes them.
pub struct Loose<'repo> {
    repo: &'repo gix::Repository,
    known: Known<'repo>,
    drafts: Drafts<'repo>,
    /// Those among the drafts that are read again, to count what differs.
    trees: HashMap<ObjectId, Vec<u8>>,
}

impl<'repo> Loose<'repo> {
    /// Write into `repo`.
    pub fn new(repo: &'repo gix::Repository) -> Self {
        Loose { repo, known: Known::of(repo), drafts: Drafts::new(repo), trees: HashMap::new() }
    }
}

impl Sink for Loose<'_> {
    fn holds(&mut self, id: &ObjectId) -> bool {
        self.drafts.has(id) || self.known.holds(id)
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

/// Objects of a dry run, in the memory of a repository that has it: nothing reaches the disk.
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
