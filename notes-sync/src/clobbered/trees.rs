//! Compares the notes trees of commits, with a cache, since each is compared with many others.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use anyhow::Result;
use gix::{
    ObjectId,
    hash::oid,
    object::Kind,
    objs::{Data, Find},
};

use crate::{
    commits::Commits,
    tree::diff::{self, Change},
};

/// A bounded cache of trees.
pub(super) struct Trees<'a> {
    commits: Commits<'a>,
    kept: RefCell<HashMap<ObjectId, Vec<u8>>>,
    /// The size of the cached trees in bytes.
    bytes: Cell<usize>,
}

/// The maximum size of the cached trees in bytes.
const ROOM: usize = 4 * 1024 * 1024;

impl<'a> Trees<'a> {
    pub(super) fn of(commits: Commits<'a>) -> Self {
        Self { commits, kept: RefCell::default(), bytes: Cell::new(0) }
    }

    /// Returns what changed since `older`, until `most` changed notes are found.
    pub(super) fn changes(
        &self,
        older: Option<ObjectId>,
        tree: ObjectId,
        most: usize,
    ) -> Result<Vec<Change>> {
        let older = older.map(|older| self.commits.tree_of(older)).transpose()?;
        let changes = diff::first_changes(self.commits.repo, self, older, Some(tree), most)?;
        Ok(changes.notes.into_values().collect())
    }
}

impl Find for Trees<'_> {
    fn try_find<'b>(&self, id: &oid, buffer: &'b mut Vec<u8>) -> gix::Result<Option<Data<'b>>> {
        let mut kept = self.kept.borrow_mut();
        if let Some(tree) = kept.get(id) {
            buffer.clear();
            buffer.extend_from_slice(tree);
            return Ok(Some(Data { kind: Kind::Tree, object_hash: id.kind(), data: buffer }));
        }
        let Some(kind) = self.commits.objects().try_find(id, buffer)?.map(|found| found.kind) else {
            return Ok(None);
        };
        if kind == Kind::Tree {
            self.bytes.set(self.bytes.get() + buffer.len());
            if self.bytes.get() > ROOM {
                kept.clear();
                self.bytes.set(buffer.len());
            }
            kept.insert(id.to_owned(), buffer.clone());
        }
        Ok(Some(Data { kind, object_hash: id.kind(), data: buffer }))
    }
}
