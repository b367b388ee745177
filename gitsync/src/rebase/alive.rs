//! Object access that renews the lock of the run with each object that is read.
//!
//! Rename detection among many files takes long and does not report progress. But it reads each file, and as long as
//! it does, it makes progress.

use gix::hash::oid;
use gix::objs::{Data, Find, FindHeader, Header};

use crate::watch::Watch;

/// The objects of a repository; each access is reported to a watcher.
pub struct Alive<'a> {
    /// The repository.
    pub repo: &'a gix::Repository,
    /// The watcher.
    pub watch: &'a dyn Watch,
}

impl Find for Alive<'_> {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        self.watch.alive();
        self.repo.try_find(id, buffer)
    }
}

impl FindHeader for Alive<'_> {
    fn try_header(&self, id: &oid) -> gix::Result<Option<Header>> {
        self.watch.alive();
        self.repo.try_header(id)
    }
}
