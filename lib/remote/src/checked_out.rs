//! Finds the branches that are checked out in worktrees.
//!
//! If such a branch is moved from elsewhere, its worktree shows uncommitted changes that revert the new commits.

use std::{collections::BTreeMap, fs, path::PathBuf};

use gix::refs::{FullName, FullNameRef};
use store::local_ref;

/// Returns another existing worktree of the repository that has `branch` checked out as well. Git creates one only
/// with `--force`.
///
/// # Errors
///
/// The worktrees cannot be listed.
pub fn other_worktree_on(repo: &gix::Repository, branch: &FullNameRef) -> gix::Result<Option<PathBuf>> {
    if !repo.common_dir().join("worktrees").exists() {
        return Ok(None);
    }
    let here = repo.git_dir().canonicalize().map_err(gix::Error::from_error)?;
    let is_other = |one: &WorkTree| {
        one.branch.as_ref() == branch
            && one.path.exists()
            && one.git_dir.canonicalize().is_ok_and(|there| there != here)
    };
    Ok(work_trees(repo)?.into_iter().find(is_other).map(|other| other.path))
}

/// Returns each branch that is checked out in a worktree, with the worktree's path.
pub(crate) fn checked_out(repo: &gix::Repository) -> gix::Result<BTreeMap<FullName, PathBuf>> {
    Ok(work_trees(repo)?.into_iter().map(|one| (one.branch, one.path)).collect())
}

/// A worktree that has a branch checked out.
struct WorkTree {
    branch: FullName,
    path: PathBuf,
    git_dir: PathBuf,
}

/// Returns all worktrees that have a branch checked out.
fn work_trees(repo: &gix::Repository) -> gix::Result<Vec<WorkTree>> {
    let mut all = Vec::new();
    let mut add = |repo: &gix::Repository, path: PathBuf| -> gix::Result<()> {
        let git_dir = repo.git_dir().to_owned();
        all.extend(branch_of(repo)?.map(|branch| WorkTree { branch, path, git_dir }));
        Ok(())
    };
    let main = repo.main_repo()?;
    if let Some(work_tree) = main.workdir() {
        add(&main, work_tree.to_owned())?;
    }
    for linked in repo.worktrees()? {
        // The directory need not exist, for instance on a disk that is not mounted.
        let work_tree = linked.base().unwrap_or_else(|_| linked.git_dir().to_owned());
        // A damaged worktree counts as on no branch; git skips it, too.
        if let Ok(linked) = linked.into_repo_with_possibly_inaccessible_worktree() {
            add(&linked, work_tree)?;
        }
    }
    Ok(all)
}

/// Returns the branch of one worktree, also while a rebase or a bisection has detached its `HEAD`.
fn branch_of(repo: &gix::Repository) -> gix::Result<Option<FullName>> {
    const ASIDE: [(&str, &str); 3] =
        [("rebase-merge/head-name", ""), ("rebase-apply/head-name", ""), ("BISECT_START", "refs/heads/")];
    if let Some(branch) = local_ref::head(repo)? {
        return Ok(Some(branch));
    }
    Ok(ASIDE.iter().find_map(|(file, prefix)| {
        let name = fs::read_to_string(repo.git_dir().join(file)).ok()?;
        FullName::try_from(format!("{prefix}{}", name.trim_end())).ok()
    }))
}
