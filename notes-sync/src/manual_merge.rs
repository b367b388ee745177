//! Detects notes refs that a user is merging by hand with `git notes merge --strategy manual`.
//!
//! Git finishes such a merge only if its ref is still where it was when the merge began. If the ref moved meanwhile,
//! the resolution could not be committed any more.

use std::{fs, io, path::PathBuf};

use anyhow::{Context as _, Result};
use gix::{Repository, bstr::ByteSlice as _};
use phase::Fault;

use crate::names::NotesRef;

/// The symbolic ref in the git directory of the repository or of a worktree that points to the notes ref which is
/// merged into (`builtin/notes.c`, `merge()`).
const MERGED_INTO: &str = "NOTES_MERGE_REF";

/// Checks that no manual merge into this ref is in progress.
///
/// # Errors
/// A fault if there is one; else if the git directories cannot be read.
pub fn check(repo: &Repository, name: &NotesRef) -> Result<()> {
    for folder in git_dirs(repo).context("cannot list the work trees")? {
        let content = match fs::read(folder.join(MERGED_INTO)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            content => {
                content.with_context(|| format!("cannot read {MERGED_INTO} in {}", folder.display()))?
            }
        };
        if content.strip_prefix(b"ref: ").is_some_and(|into| into.trim() == name.full().as_bstr().as_bytes())
        {
            let message = format!("{name} is being merged by hand, in {}", folder.display());
            return Err(Fault::failed(message)
                .help("finish it with `git notes merge --commit`, or drop it with `git notes merge --abort`")
                .into());
        }
    }
    Ok(())
}

fn git_dirs(repo: &Repository) -> io::Result<Vec<PathBuf>> {
    let mut folders = vec![repo.common_dir().to_owned()];
    match fs::read_dir(repo.common_dir().join("worktrees")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        linked => {
            for folder in linked? {
                folders.push(folder?.path());
            }
        }
    }
    Ok(folders)
}
