//! Examines nested repositories in the working tree: only what they have checked out matters here.

use std::path::Path;

use gix::ObjectId;

/// What a nested repository has checked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NestedHead {
    /// This commit.
    Commit(ObjectId),
    /// No commit: there is none yet, or there is no such repository.
    None,
    /// It cannot be told: the repository keeps its refs in reftables, has SHA-256 ids, or is damaged.
    Unreadable,
}

/// Returns what `HEAD` of the repository in the directory `full` points to.
pub fn head(full: &Path) -> NestedHead {
    // Only a ref is read, so neither the repository's configuration nor its owner matters.
    let nested = match gix::open_opts(full, gix::open::Options::isolated().strict_config(false)) {
        Ok(nested) => nested,
        Err(_) if is_one(full) => return NestedHead::Unreadable,
        Err(_) => return NestedHead::None,
    };
    // The directory's own `.git`, not that of a parent.
    if !nested.workdir().is_some_and(|workdir| is_same_folder(workdir, full)) {
        return NestedHead::None;
    }
    // `HEAD` is a placeholder then.
    if nested.common_dir().join("reftable").is_dir() {
        return NestedHead::Unreadable;
    }
    match nested.head() {
        Ok(head) => head.id().map_or(NestedHead::None, |id| NestedHead::Commit(id.detach())),
        Err(_) => NestedHead::Unreadable,
    }
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
