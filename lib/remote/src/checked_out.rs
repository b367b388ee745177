//! The branches that work trees are on.
//!
//! Who moves such a branch from elsewhere leaves its work tree as a heap of changes that take back what came in.

use std::{collections::BTreeMap, fs, path::PathBuf};

use gix::refs::FullName;

use crate::local_ref;

/// Each branch that a work tree of the repository is on, and where that is.
pub(crate) fn checked_out(repo: &gix::Repository) -> gix::Result<BTreeMap<FullName, PathBuf>> {
    let mut branches = BTreeMap::new();
    let main = repo.main_repo()?;
    if let Some(work_tree) = main.workdir() {
        branches.extend(branch_of(&main)?.map(|branch| (branch, work_tree.to_owned())));
    }
    for linked in repo.worktrees()? {
        // The folder need not be there, as on a disk that is not mounted.
        let work_tree = linked.base().unwrap_or_else(|_| linked.git_dir().to_owned());
        let linked = linked.into_repo_with_possibly_inaccessible_worktree()?;
        branches.extend(branch_of(&linked)?.map(|branch| (branch, work_tree)));
    }
    Ok(branches)
}

/// The branch of one work tree, also while a rebase or a bisection has it elsewhere.
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
