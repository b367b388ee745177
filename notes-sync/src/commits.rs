//! Commits of notes: how two of them are related, and new ones.

use anyhow::{Context, Result};
use gix::{ObjectId, Repository};
use phase::Fault;
use remote::{
    History, Recent, SeenBy,
    local_ref::person::{Role, signature},
};

/// The commits of a repository, of which each is read once a run.
#[derive(Clone, Copy)]
pub struct Commits<'a> {
    /// The repository.
    pub repo: &'a Repository,
    /// What was read of it.
    pub history: &'a History,
    /// Some of the newest trees and notes of this side, and the trees that have just come in: they need not be read.
    pub latest: &'a Recent,
}

/// How the local notes stand to other ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The local notes have all of them already.
    Contained,
    /// The others have all of the local notes, and more.
    Ahead,
    /// Both went their own way.
    Diverged {
        /// Where they last were the same; `None` where they never were. Of several such commits it is the first, as
        /// in git.
        base: Option<ObjectId>,
    },
}

impl<'a> Commits<'a> {
    /// Compares two commits by their history.
    ///
    /// # Errors
    /// Where a commit is missing.
    pub fn relate(self, local: ObjectId, other: ObjectId) -> Result<Relation> {
        if local == other {
            return Ok(Relation::Contained);
        }
        let base = self.history.base(self.repo, local, other);
        Ok(match base.context("cannot compare the histories of notes")? {
            Some(base) if base == other => Relation::Contained,
            Some(base) if base == local => Relation::Ahead,
            base => Relation::Diverged { base },
        })
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn tree_of(self, commit: ObjectId) -> Result<ObjectId> {
        let tree = self.history.tree_of(self.repo, commit);
        tree.with_context(|| format!("cannot read the commit {commit}"))
    }

    /// All objects, those in files of their own read faster than by the repository itself.
    pub fn objects(self) -> SeenBy<'a> {
        self.history.seen_by(self.repo)
    }
}

/// Writes a commit, as `git notes` does: the message as it is, without a line feed at its end.
///
/// # Errors
/// A fault with exit 78 where the configuration does not say who the user is, or where it cannot be written.
pub fn write(repo: &Repository, tree: ObjectId, parents: &[ObjectId], message: &str) -> Result<ObjectId> {
    let unknown = || {
        Fault::misconfigured("merging notes makes commits, and git does not know who you are")
            .help("git config --global user.name NAME; git config --global user.email EMAIL")
    };
    let by = |role| signature(repo, role).ok_or_else(unknown);
    let commit = gix::objs::Commit {
        tree,
        parents: parents.iter().copied().collect(),
        author: by(Role::Author)??,
        committer: by(Role::Committer)??,
        encoding: None,
        message: message.into(),
        extra_headers: Vec::new(),
    };
    Ok(repo.write_object(&commit).context("cannot write a commit of notes")?.detach())
}

/// An id as messages name it.
pub fn short(id: ObjectId) -> String {
    id.to_hex_with_len(12).to_string()
}
