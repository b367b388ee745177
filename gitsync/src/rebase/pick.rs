//! Replays one commit onto another: it is kept as it is, rewritten, dropped, or in conflict.

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::objs::{Commit, CommitRef, Write as _};

use super::Replayer;
use super::conflict_paths::ConflictPaths;
use super::encoding::{Kept, Wanted};
use super::merge::{Merged, Merger};
use crate::signing::{self, Signing};

/// The commit that the next one is replayed onto.
pub struct Onto {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
}

impl Onto {
    /// Reads the commit `id`.
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
    kept: Kept,
    parent_tree: ObjectId,
}

impl Original {
    /// Reads the commit `id` and converts it to the encoding in which it is to be written.
    ///
    /// # Errors
    /// It, or its parent, cannot be read.
    pub fn read(repo: &gix::Repository, id: ObjectId, encoding: &Wanted) -> anyhow::Result<Self> {
        let mut kept = encoding.read(&repo.find_commit(id)?.data, repo.object_hash())?;
        kept.message = without_blank_start(kept.message);
        let parent_tree = match kept.parents.first() {
            Some(parent) => repo.find_commit(*parent)?.tree_id()?.detach(),
            None => repo.object_hash().empty_tree(),
        };
        Ok(Self { id, kept, parent_tree })
    }

    /// Whether it changes nothing. Such a commit was made on purpose, and is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.tree == self.parent_tree
    }
}

/// The result of replaying a commit.
pub enum Picked {
    /// It is on top of the right commit already.
    AsItIs,
    /// It was rewritten and has this id now.
    Anew(ObjectId),
    /// All of its changes are there already.
    Dropped,
    /// There are conflicts at these paths.
    Conflict(ConflictPaths),
}

/// Replays `original` onto `onto`, which is then set to the result.
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
    if original.kept.parents.first() == Some(&onto.id) {
        *onto = Onto { id: original.id, tree: original.kept.tree };
        return Ok(Picked::AsItIs);
    }
    let tree = match merger.merge(original.parent_tree, onto.tree, original.kept.tree)? {
        Merged::Clean(tree) => tree,
        Merged::Conflict(disputed) => return Ok(Picked::Conflict(disputed)),
    };
    if tree == onto.tree && !original.is_empty() {
        return Ok(Picked::Dropped);
    }
    commit(repo, onto, original, tree, by).map(Picked::Anew)
}

/// Writes `original` with this `tree` on top of `onto`, which is then set to the new commit, and returns its id.
///
/// As with `git rebase`, headers that git does not know are dropped: they describe the old commit, in particular a
/// signature. The author line is kept byte for byte; only if the commit is signed, for which gix needs the parsed
/// commit, an invalid time zone is replaced by a valid one.
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
    let parent = onto.id;
    let id = match by.signing {
        Signing::Off => write_unsigned(repo, &original.kept, tree, parent, &by.committer.now())?,
        Signing::With(_) => {
            let Kept { author, encoding, message, .. } = original.kept;
            let commit = Commit {
                tree,
                parents: [parent].into_iter().collect(),
                author: phase::author::signature(author.as_ref()),
                committer: by.committer.now(),
                encoding,
                message,
                extra_headers: Vec::new(),
            };
            let signed = signing::sign(commit, by.signing).context("cannot sign it")?;
            repo.objects.write(&signed)?
        }
    };
    *onto = Onto { id, tree };
    Ok(id)
}

fn write_unsigned(
    repo: &gix::Repository,
    kept: &Kept,
    tree: ObjectId,
    parent: ObjectId,
    committer: &gix::actor::Signature,
) -> anyhow::Result<ObjectId> {
    let (tree, parent) = (tree.to_hex().to_string(), parent.to_hex().to_string());
    let mut now = BString::default();
    committer.to_ref(&mut Default::default()).write_to(&mut *now)?;
    let commit = CommitRef {
        tree: tree.as_str().into(),
        parents: [parent.as_str().into()].into_iter().collect(),
        author: kept.author.as_ref(),
        committer: now.as_ref(),
        encoding: kept.encoding.as_ref().map(|name| name.as_ref()),
        message: kept.message.as_ref(),
        extra_headers: Vec::new(),
    };
    Ok(repo.objects.write(&commit)?)
}

/// Returns the message without blank lines before the subject, which a rebase removes.
fn without_blank_start(message: BString) -> BString {
    let blank: usize = message
        .lines_with_terminator()
        .take_while(|line| line.trim_ascii().is_empty())
        .map(|line| line.len())
        .sum();
    if blank == 0 { message } else { message[blank..].into() }
}
