//! What git has kept ready for the next commit: the message of a squashed merge, or of a pick that was not to commit.
//!
//! Left behind, it would be what the message of some later commit begins with.

use std::fs;

use phase::Operation;

use crate::place::Place;
use crate::watch::Watch as _;

/// What `git commit` removes, but for what says that an operation is in progress: nothing is committed then.
const FILES: [&str; 4] = ["AUTO_MERGE", "MERGE_MODE", "MERGE_MSG", "SQUASH_MSG"];

/// Removes it, once the commit is made. As with git, what cannot be removed is no reason to stop.
///
/// # Errors
/// The lock is lost.
pub fn clear(place: &Place<'_>) -> anyhow::Result<()> {
    let files = FILES.map(|name| place.repo.git_dir().join(name));
    for file in files.iter().filter(|file| file.exists()) {
        // It may belong to what somebody has begun meanwhile.
        if Operation::in_progress(place.repo).is_some() {
            break;
        }
        place.check_again()?;
        let _ = fs::remove_file(file);
    }
    Ok(())
}
