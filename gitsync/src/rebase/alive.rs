//! Objects, each reading of which is a sign of life.
//!
//! A search for renames among many files takes long, and says nothing meanwhile. But it reads each file, and as long as
//! it does there is progress.

use gix::hash::oid;
use gix::objs::{Data, Find, FindHeader, Header};

use crate::watch::Watch;

/// The objects of a repository, told of to whoever watches.
pub struct Alive<'a> {
    /// Where they are.
    pub repo: &'a gix::Repository,
    /// Who is told.
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
