//! One commit, replayed onto another: kept as it is, made anew, dropped, or in conflict.

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::objs::Commit;

use super::Replayer;
use super::disputed::Disputed;
use super::encoding::Wanted;
use super::merge::{Merged, Merger};
use crate::signing;

/// The commit that the next one goes onto.
pub struct Onto {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
}

impl Onto {
    /// The commit `id`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn new(repo: &gix::Repository, id: ObjectId) -> anyhow::Result<Self> {
        Ok(Self { id, tree: repo.find_commit(id)?.tree_id()?.detach() })
    }
}

/// A commit to be replayed.
pub struct Original {
    id: ObjectId,
    commit: Commit,
    parent_tree: ObjectId,
}

impl Original {
    /// The commit `id`, in the encoding in which it is to be written.
    ///
    /// # Errors
    /// It, or its parent, cannot be read.
    pub fn read(repo: &gix::Repository, id: ObjectId, encoding: &Wanted) -> anyhow::Result<Self> {
        let mut commit = encoding.read(&repo.find_commit(id)?.data, repo.object_hash())?;
        commit.message = without_blank_start(commit.message);
        let parent_tree = match commit.parents.first() {
            Some(parent) => repo.find_commit(*parent)?.tree_id()?.detach(),
            None => repo.object_hash().empty_tree(),
        };
        Ok(Self { id, commit, parent_tree })
    }

    /// Whether it changes nothing. Such a commit was made on purpose, and stays.
    pub fn is_empty(&self) -> bool {
        self.commit.tree == self.parent_tree
    }
}

/// What became of a commit.
pub enum Picked {
    /// It stands on the right commit already.
    AsItIs,
    /// It has this id now.
    Anew(ObjectId),
    /// Nothing of it was left to do.
    Dropped,
    /// These paths disagree.
    Conflict(Disputed),
}

/// Replays `original` onto `onto`, which moves on to the result.
///
/// # Errors
/// An object cannot be read, or a merge driver or the signing program fails.
pub fn pick(
    repo: &gix::Repository,
    merger: &mut Merger<'_>,
    onto: &mut Onto,
    original: Original,
    by: &Replayer<'_>,
) -> anyhow::Result<Picked> {
    if original.commit.parents.first() == Some(&onto.id) {
        *onto = Onto { id: original.id, tree: original.commit.tree };
        return Ok(Picked::AsItIs);
    }
    let tree = match merger.merge(original.parent_tree, onto.tree, original.commit.tree)? {
        Merged::Clean(tree) => tree,
        Merged::Conflict(disputed) => return Ok(Picked::Conflict(disputed)),
    };
    if tree == onto.tree && !original.is_empty() {
        return Ok(Picked::Dropped);
    }
    commit(repo, onto, original, tree, by).map(Picked::Anew)
}

/// Writes `original` with this `tree` onto `onto`, which moves on to the new commit, and returns its id.
///
/// # Errors
/// The signing program fails.
pub fn commit(
    repo: &gix::Repository,
    onto: &mut Onto,
    original: Original,
    tree: ObjectId,
    by: &Replayer<'_>,
) -> anyhow::Result<ObjectId> {
    let commit = Commit {
        tree,
        parents: [onto.id].into_iter().collect(),
        committer: by.committer.now(),
        // As with `git rebase`: a header that git does not know says something about the old commit, a signature
        // above all.
        extra_headers: Vec::new(),
        ..original.commit
    };
    let commit = signing::sign(commit, by.signing).context("cannot sign it")?;
    let id = repo.write_object(&commit)?.detach();
    *onto = Onto { id, tree };
    Ok(id)
}

/// Blank lines before the subject do not survive a rebase.
fn without_blank_start(message: BString) -> BString {
    let blank: usize = message
        .lines_with_terminator()
        .take_while(|line| line.trim_ascii().is_empty())
        .map(|line| line.len())
        .sum();
    if blank == 0 { message } else { message[blank..].into() }
}
