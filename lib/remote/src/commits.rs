//! The history as walks read it.
//!
//! One run walks the same commits several times: to agree with the server on what is missing, to find out what is new on
//! either side, to compare the two. Each is read once and kept, as long as there are not too many.

use std::cell::{Cell, RefCell};

use gix::{
    ObjectId,
    hash::oid,
    hashtable::HashMap,
    object::Kind,
    objs::{Data, Find, FindExt},
    traverse::commit::{ParentIds, Simple},
};

use crate::objects::Reader;

/// The commits of a repository.
pub(crate) struct Commits {
    repo: gix::Repository,
    reader: RefCell<Reader>,
    kept: RefCell<HashMap<ObjectId, Box<[u8]>>>,
    room: Cell<usize>,
}

/// A commit, as far as walks need it.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub id: ObjectId,
    pub tree: ObjectId,
    pub parents: ParentIds,
}

/// How many bytes of commits are kept.
const ROOM: usize = 1024 * 1024;

impl Commits {
    pub fn of(repo: &gix::Repository) -> Self {
        Self {
            repo: repo.clone(),
            reader: RefCell::new(Reader::new(repo.clone())),
            kept: RefCell::default(),
            room: Cell::new(ROOM),
        }
    }

    /// The commits behind `tips` that are not behind `hidden`, the newer ones roughly first.
    pub fn between(&self, tips: Vec<ObjectId>, hidden: Vec<ObjectId>) -> gix::Result<Vec<Commit>> {
        let shallow = self.repo.shallow_commits()?;
        // What lies behind a shallow commit is not here.
        let mut cut_off: Vec<ObjectId> = Vec::new();
        let here = |id: &oid| {
            let Some(shallow) = shallow.as_ref() else { return true };
            if let Ok(at) = cut_off.binary_search_by(|one| one.as_ref().cmp(id)) {
                cut_off.remove(at);
                return false;
            }
            if shallow.iter().any(|one| one.as_ref() == id)
                && let Ok(commit) = self.find_commit_iter(id, &mut Vec::new())
            {
                cut_off.extend(commit.parent_ids());
                cut_off.sort_unstable();
            }
            true
        };
        let walk = Simple::filtered(tips, self, here)
            .commit_graph(self.repo.commit_graph_if_enabled()?)
            .hide(hidden)?;
        walk.map(|found| {
            let found = found?;
            Ok(Commit { tree: self.tree_of(found.id)?, id: found.id, parents: found.parent_ids })
        })
        .collect()
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: ObjectId) -> gix::Result<ObjectId> {
        self.find_commit_iter(&commit, &mut Vec::new())?.tree_id()
    }
}

impl Find for Commits {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        if let Some(commit) = self.kept.borrow().get(id) {
            buffer.clear();
            buffer.extend_from_slice(commit);
            return Ok(Some(Data { kind: Kind::Commit, object_hash: id.kind(), data: buffer }));
        }
        let Some(kind) = self.reader.borrow_mut().try_read(id.to_owned(), buffer)? else { return Ok(None) };
        if kind == Kind::Commit && self.room.get() > buffer.len() {
            self.room.set(self.room.get() - buffer.len());
            self.kept.borrow_mut().insert(id.to_owned(), buffer.as_slice().into());
        }
        Ok(Some(Data { kind, object_hash: id.kind(), data: buffer }))
    }
}
