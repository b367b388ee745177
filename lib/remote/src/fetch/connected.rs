//! Whether what a server sent is all that belongs to it.
//!
//! A server that leaves an object out would give us a branch that cannot be checked out, and that we would then
//! build on. So before a ref moves, everything new behind it is looked at once, as git does.

use gix::{ObjectId, objs::Exists};

use crate::{
    History,
    pack::{
        Item,
        walk::{self, Deltas},
    },
};

/// The first object that is missing behind `new`, given that all behind `ours` is there.
pub(super) fn missing(
    repo: &gix::Repository,
    history: &History,
    new: &[ObjectId],
    ours: &[ObjectId],
    looked_at: &mut dyn FnMut(usize),
) -> Result<(), Missing> {
    let items = walk::new_objects(repo, history, new, ours, Deltas::LeftOut, looked_at)
        .map_err(Missing::Unreadable)?;
    let absent = |item: &&Item| item.kind == gix::object::Kind::Blob && !repo.objects.exists(&item.id);
    match items.iter().find(absent) {
        Some(item) => Err(Missing::Blob(item.id)),
        None => Ok(()),
    }
}

/// What is missing.
#[derive(Debug)]
pub(super) enum Missing {
    /// A commit or tree, which the error names.
    Unreadable(gix::Error),
    /// A file's content.
    Blob(ObjectId),
}
