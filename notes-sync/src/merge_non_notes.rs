//! Merges the entries of notes trees that are not notes.
//!
//! `git notes merge` keeps the local ones and silently drops the remote's changes to them. Here they are merged like
//! other files: a change of one side is taken, changes of both sides are merged as `git merge` would; in a conflict
//! the local side wins, or the remote with the strategy `theirs`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use gix::{
    ObjectId, Repository,
    bstr::BString,
    merge::tree::{FileFavor, TreeFavor},
    objs::tree::Entry,
};

use crate::{
    strategy::Strategy,
    tree::NotesTree,
    tree::diff::OtherChange,
    tree::layout::{NonNote, Prefix},
    tree::write_tree,
};

type OtherChanges = BTreeMap<(Prefix, BString), OtherChange>;

/// Applies the remote's changes to `notes`, which has the local entries; returns whether there were any.
pub(crate) fn merge(
    notes: &mut NotesTree<'_>,
    ours: &OtherChanges,
    theirs: &OtherChanges,
    strategy: Strategy,
) -> Result<bool> {
    let mut touched = false;
    for ((folder, name), their) in theirs {
        let new = match ours.get(&(*folder, name.clone())) {
            None => their.new.clone(),
            Some(our) if our.new == their.new => continue,
            Some(our) => merge_one(notes.repo, name, our, their, strategy)
                .with_context(|| format!("cannot merge {} of the notes", folder.path_of(name)))?,
        };
        notes.set_other(folder, name, new)?;
        touched = true;
    }
    Ok(touched)
}

/// Merges one entry, which may be a file or a whole tree.
fn merge_one(
    repo: &Repository,
    name: &BString,
    our: &OtherChange,
    their: &OtherChange,
    strategy: Strategy,
) -> Result<Option<NonNote>> {
    let (winner, favor) = match strategy {
        Strategy::Theirs => (&their.new, FileFavor::Theirs),
        Strategy::Ours | Strategy::Union | Strategy::CatSortUniq | Strategy::Records => {
            (&our.new, FileFavor::Ours)
        }
    };
    let (Some(local), Some(remote)) = (&our.new, &their.new) else {
        // One side removed what the other changed: keep the change, unless the strategy names a winner.
        return Ok(match strategy {
            Strategy::Ours | Strategy::Theirs => winner.clone(),
            Strategy::Union | Strategy::CatSortUniq | Strategy::Records => {
                our.new.clone().or_else(|| their.new.clone())
            }
        });
    };
    if local.mode.is_tree() != remote.mode.is_tree() {
        return Ok(winner.clone());
    }
    let base = tree_of(repo, our.old.as_ref())?;
    let (ours, theirs) = (tree_of(repo, Some(local))?, tree_of(repo, Some(remote))?);
    let options = repo
        .tree_merge_options()?
        .with_rewrites(None)
        .with_file_favor(Some(favor))
        .with_tree_favor(Some(TreeFavor::Ours));
    let mut merged = repo.merge_trees(base, ours, theirs, Default::default(), options)?;
    let tree = merged.tree.write()?.detach();
    let tree = repo.find_tree(tree)?;
    let found = tree.find_entry(name.as_slice());
    Ok(found.map(|entry| NonNote { name: name.clone(), mode: entry.mode(), id: entry.object_id() }))
}

/// Writes a tree with this entry only.
fn tree_of(repo: &Repository, other: Option<&NonNote>) -> Result<ObjectId> {
    let entries = other.map(|other| Entry { mode: other.mode, filename: other.name.clone(), oid: other.id });
    write_tree(repo, entries.into_iter().collect())
}
