//! Repositories that this one borrows objects from, and that are gone.
//!
//! `git clone --shared` and `--reference` write them into `objects/info/alternates`, see
//! <https://git-scm.com/docs/gitrepository-layout>. What is missing without them is noticed far from there: by a commit
//! that cannot be read, or a pack that seems to lack something. Where nothing is missing, nothing is said.

use std::path::{Path, PathBuf};

use contract::Exit;

use crate::Fault;

/// The folders of objects that `repo` borrows from and that are not there.
pub fn gone(repo: &gix::Repository) -> Vec<PathBuf> {
    let borrowed_from = repo.objects.store_ref().alternate_db_paths().unwrap_or_default();
    borrowed_from.into_iter().filter(|folder| !folder.is_dir()).collect()
}

/// What is said of one that is gone.
pub fn told(folder: &Path) -> String {
    format!("{} is gone, which this repository borrows objects from", folder.display())
}

/// What to do about one that is gone.
pub fn remedy(repo: &gix::Repository, folder: &Path) -> String {
    let file = repo.objects.store_ref().path().join("info").join("alternates");
    format!("bring {} back, or write into {} where it is now", folder.display(), file.display())
}

/// Adds to what has failed what may be the reason.
pub(crate) fn explain(fault: Fault, repo: &gix::Repository) -> Fault {
    if !matches!(fault.exit(), Exit::Failed | Exit::Unreachable) {
        return fault;
    }
    match gone(repo).first() {
        // It may have another reason all the same, whose remedy stays.
        Some(folder) => fault.besides(&Fault::failed(told(folder)).help(remedy(repo, folder))),
        None => fault,
    }
}
