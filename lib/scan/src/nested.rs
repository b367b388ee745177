//! Examines nested repositories in the working tree: only what they have checked out matters here.

use std::path::Path;

use gix::ObjectId;

/// Returns the commit that `HEAD` of the repository in the directory `full` points to, if there are both.
pub fn head(full: &Path) -> Option<ObjectId> {
    // Only a ref is read, so neither the repository's configuration nor its owner matters.
    let nested = gix::open_opts(full, gix::open::Options::isolated().strict_config(false)).ok()?;
    // The directory's own `.git`, not that of a parent.
    let is_own = nested.workdir().is_some_and(|workdir| is_same_folder(workdir, full));
    nested.head_id().ok().map(gix::Id::detach).filter(|_| is_own)
}

/// Whether the directory `full`, which has a `.git`, is a repository other than the one whose `.git` is `ours`.
pub fn is_foreign(full: &Path, ours: &Path) -> bool {
    is_one(full) && !is_same_folder(&full.join(".git"), ours)
}

/// Whether the directory `full` is a repository, possibly one without a commit.
pub fn is_one(full: &Path) -> bool {
    gix::discover::is_git(&full.join(".git")).is_ok()
}

fn is_same_folder(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
