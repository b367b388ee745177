//! Repositories inside of the work tree, which belong to somebody else: only what they have checked out is of interest.

use std::path::Path;

use gix::ObjectId;

/// What `HEAD` of the repository in the folder `full` is, if there is one and it has a commit.
pub fn head(full: &Path) -> Option<ObjectId> {
    // Only a reference is read: neither its configuration nor its owner matter.
    let nested = gix::open_opts(full, gix::open::Options::isolated().strict_config(false)).ok()?;
    // Its own `.git`, and not the one of a parent.
    let is_own = nested.workdir().is_some_and(|workdir| is_same_folder(workdir, full));
    nested.head_id().ok().map(gix::Id::detach).filter(|_| is_own)
}

/// Whether the folder `full`, which has a `.git`, is a repository other than the one whose `.git` is `ours`.
pub fn is_foreign(full: &Path, ours: &Path) -> bool {
    is_one(full) && !is_same_folder(&full.join(".git"), ours)
}

/// Whether the folder `full` is a repository, be it one that has no commit yet.
pub fn is_one(full: &Path) -> bool {
    gix::discover::is_git(&full.join(".git")).is_ok()
}

fn is_same_folder(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
