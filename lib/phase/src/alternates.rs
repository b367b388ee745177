//! Finds missing alternates: object directories that this repository borrows objects from and that no longer exist.
//!
//! `git clone --shared` and `--reference` record them in `objects/info/alternates`, see
//! <https://git-scm.com/docs/gitrepository-layout>. When one is missing, the error appears somewhere else: a commit
//! cannot be read, or a pack seems incomplete. This module adds the likely reason to such an error. If no alternate
//! is missing, it adds nothing.

use std::path::{Path, PathBuf};

use contract::Exit;

use crate::Fault;

/// Returns the object directories that `repo` borrows from and that do not exist.
pub fn gone(repo: &gix::Repository) -> Vec<PathBuf> {
    let borrowed_from = repo.objects.store_ref().alternate_db_paths().unwrap_or_default();
    borrowed_from.into_iter().filter(|folder| !folder.is_dir()).collect()
}

/// Returns the message about a missing alternate.
pub fn told(folder: &Path) -> String {
    format!("{} is gone, which this repository borrows objects from", folder.display())
}

/// Returns what to do about a missing alternate.
pub fn remedy(repo: &gix::Repository, folder: &Path) -> String {
    let file = repo.objects.store_ref().path().join("info").join("alternates");
    format!("bring {} back, or write into {} where it is now", folder.display(), file.display())
}

/// Adds the possible reason, a missing alternate, to a fault.
pub(crate) fn explain(fault: Fault, repo: &gix::Repository) -> Fault {
    if !matches!(fault.exit(), Exit::Failed | Exit::Unreachable) {
        return fault;
    }
    match gone(repo).first() {
        // The fault may have another cause after all, so its own remedy stays.
        Some(folder) => fault.besides(&Fault::failed(told(folder)).help(remedy(repo, folder))),
        None => fault,
    }
}
