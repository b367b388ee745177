//! Removes the message that git has prepared for the next commit.
//!
//! That is the message of a squashed merge, or of a cherry-pick without commit. If it were left behind, the message of
//! some later commit would begin with it.

use std::fs;

use phase::Operation;

use crate::context::SyncContext;
use crate::watch::Watch as _;

/// The files that `git commit` removes, except those that mark an operation in progress: during one, nothing is
/// committed.
const FILES: [&str; 4] = ["AUTO_MERGE", "MERGE_MODE", "MERGE_MSG", "SQUASH_MSG"];

/// Removes these files once the commit is made. As in git, a failure to remove one is ignored.
///
/// # Errors
/// The lock is lost.
pub fn clear(place: &SyncContext<'_>) -> anyhow::Result<()> {
    let files = FILES.map(|name| place.repo.git_dir().join(name));
    for file in files.iter().filter(|file| file.exists()) {
        // The file may belong to an operation that was started in the meantime.
        if Operation::in_progress(place.repo).is_some() {
            break;
        }
        place.check_again()?;
        let _ = fs::remove_file(file);
    }
    Ok(())
}
