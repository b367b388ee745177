//! Collects facts about a repository before anything is done to it.

use std::path::PathBuf;

use anyhow::Context as _;
use gix::ObjectId;
use gix::refs::FullName;
use phase::Operation;
use store::local_ref;

use crate::commit::tree_of;

/// The state of a repository at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What is checked out.
    pub head: Head,
    /// Whether it is a [partial clone](https://git-scm.com/docs/partial-clone), in which objects are missing until
    /// they are needed.
    pub is_partial: bool,
    /// The operation in progress, if any.
    pub in_progress: Option<Operation>,
    /// Whether it has a working tree.
    pub work_tree: WorkTree,
    /// Another worktree that is on the same branch.
    pub elsewhere: Option<PathBuf>,
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch, or a ref of another kind.
    Branch(Branch),
    /// A commit: `HEAD` is detached.
    Detached(ObjectId),
}

/// The branch that is checked out. If the name in `HEAD` is a symbolic ref, this is the ref that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its ref.
    pub name: FullName,
    /// The commit that it is at, or `None` if it is unborn.
    pub commit: Option<ObjectId>,
}

impl Branch {
    /// Returns its name without `refs/heads/`.
    pub fn short(&self) -> String {
        self.name.shorten().to_string()
    }
}

/// Whether there is a working tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkTree {
    /// There is.
    Present,
    /// The repository is bare.
    Bare,
    /// There is, but no index to tell which of its files are missing: the branch was never checked out there, or not
    /// completely.
    NotCheckedOut,
}

/// Collects the facts.
///
/// # Errors
/// `HEAD` cannot be read.
pub fn look(repo: &gix::Repository) -> anyhow::Result<Facts> {
    let head = head(repo)?;
    let elsewhere = match &head {
        Head::Branch(branch) => remote::other_worktree_on(repo, branch.name.as_ref()),
        Head::Detached(_) => Ok(None),
    };
    Ok(Facts {
        work_tree: work_tree(repo, &head)?,
        elsewhere: elsewhere.context("the other work trees cannot be looked at")?,
        head,
        is_partial: is_partial(repo),
        in_progress: Operation::in_progress(repo),
    })
}

/// Determines the state of the working tree.
///
/// Git writes the index after it has checked out the last file: there is none after `git clone --no-checkout` or
/// `git worktree add --no-checkout`, or if a checkout was interrupted or failed because of a filter. If a missing
/// index were taken for an empty one, all files that are not on disk would count as deleted.
fn work_tree(repo: &gix::Repository, head: &Head) -> anyhow::Result<WorkTree> {
    if repo.workdir().is_none() {
        return Ok(WorkTree::Bare);
    }
    let commit = match head {
        Head::Branch(branch) => branch.commit,
        Head::Detached(id) => Some(*id),
    };
    let path = repo.index_path();
    let is_there = path.try_exists().with_context(|| format!("cannot look at {}", path.display()))?;
    let has_files = || anyhow::Ok(tree_of(repo, commit)? != tree_of(repo, None)?);
    Ok(if is_there || !has_files()? { WorkTree::Present } else { WorkTree::NotCheckedOut })
}

/// Returns what is checked out.
///
/// # Errors
/// `HEAD` cannot be read.
pub fn head(repo: &gix::Repository) -> anyhow::Result<Head> {
    let head = repo.head().context("HEAD cannot be read")?;
    Ok(match head.kind {
        gix::head::Kind::Unborn(name) => Head::Branch(Branch { name, commit: None }),
        gix::head::Kind::Symbolic(reference) => {
            let unreadable = || format!("{} cannot be read", reference.name.as_bstr());
            let name = local_ref::follow(repo, reference.name.clone()).with_context(unreadable)?;
            let branch = repo.try_find_reference(&name).with_context(unreadable)?;
            let commit = branch.map(|branch| branch.into_fully_peeled_id()).transpose();
            Head::Branch(Branch { name, commit: commit.with_context(unreadable)?.map(gix::Id::detach) })
        }
        gix::head::Kind::Detached { target, .. } => Head::Detached(target),
    })
}

fn is_partial(repo: &gix::Repository) -> bool {
    let config = repo.config_snapshot();
    let promises =
        |name: &gix::bstr::BStr| config.boolean(format!("remote.{name}.promisor").as_str()) == Some(true);
    config.string("extensions.partialClone").is_some()
        || repo.remote_names().iter().any(|name| promises(name.as_ref()))
}
