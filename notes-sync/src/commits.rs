//! Compares commits of notes by their history, and writes new ones.

use anyhow::{Context, Result};
use gix::{ObjectId, Repository};
use phase::Fault;
use store::{
    CachedObjects, History, RecentObjects,
    local_ref::ident::{Role, signature},
};

/// The commits of a repository, each of which is read only once in a run.
#[derive(Clone, Copy)]
pub struct Commits<'a> {
    /// The repository.
    pub repo: &'a Repository,
    /// The commit cache.
    pub history: &'a History,
    /// Some of the newest trees and notes of this side, and the trees that were just fetched; they are in memory and
    /// need not be read.
    pub latest: &'a RecentObjects,
}

/// The relation of the local notes to others, by history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The others are reachable from the local ones.
    Contained,
    /// The local ones are reachable from the others, which have more.
    Ahead,
    /// Neither is reachable from the other.
    Diverged {
        /// The merge base; `None` without common history. Of several merge bases it is the first, as in git.
        base: Option<ObjectId>,
    },
}

impl<'a> Commits<'a> {
    /// Compares two commits by their history.
    ///
    /// # Errors
    /// If a commit is missing.
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

    /// Returns the tree of a commit.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn tree_of(self, commit: ObjectId) -> Result<ObjectId> {
        let tree = self.history.tree_of(self.repo, commit);
        tree.with_context(|| format!("cannot read the commit {commit}"))
    }

    /// Returns a view of the object database that reads loose objects faster than `repo` itself.
    pub fn objects(self) -> CachedObjects<'a> {
        self.history.seen_by(self.repo)
    }
}

/// Writes a commit as `git notes` does, with the message unchanged: no line feed is added at its end.
///
/// # Errors
/// A fault with exit 78 if the configuration does not say who the user is; else if the commit cannot be written.
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

/// Returns the abbreviated form of an id that messages use.
pub fn short(id: ObjectId) -> String {
    id.to_hex_with_len(12).to_string()
}
