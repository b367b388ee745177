//! Lists the session logs that a sync changed.
//!
//! With this list, the phase that searches them for messages need not compare whole trees to find them.

use contract::ChangedFile;
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};
use gix::index::entry::Mode;
use phase::SessionLogs;

use crate::commit::tree_of;
use crate::worktree::Side;
use crate::worktree::diff::diff;

/// The session logs that differ between two commits.
#[derive(Debug)]
pub struct ChangedLogs {
    /// The commit that the branch was at.
    pub from: ObjectId,
    /// The commit that the branch is at.
    pub to: ObjectId,
    /// The logs.
    pub files: Vec<ChangedFile>,
}

/// Returns the session logs among the paths `changed`, each with its content before and after; `None` if the
/// repository does not say what is a session log, or if the path of one is not UTF-8.
pub fn among<'p>(
    repo: &gix::Repository,
    changed: impl Iterator<Item = (&'p BStr, Option<Side>, Option<Side>)>,
) -> Option<Vec<ChangedFile>> {
    let logs = SessionLogs::of(repo).ok()?;
    let content = |side: Option<Side>| {
        let file = side.filter(|side| matches!(side.mode, Mode::FILE | Mode::FILE_EXECUTABLE));
        file.map(|side| side.id.to_string())
    };
    let files = changed.filter(|(path, ..)| logs.contain(path)).map(|(path, old, new)| {
        Some(ChangedFile { path: path.to_str().ok()?.to_owned(), before: content(old), after: content(new) })
    });
    files
        .filter(|file| file.as_ref().is_none_or(|file| file.before.is_some() || file.after.is_some()))
        .collect()
}

/// Returns the session logs that differ between the commits `from` and `to`; `None` as in [`among`].
///
/// # Errors
/// A tree cannot be read.
pub fn between(
    repo: &gix::Repository,
    from: ObjectId,
    to: ObjectId,
) -> anyhow::Result<Option<Vec<ChangedFile>>> {
    let diff = diff(repo, tree_of(repo, Some(from))?, tree_of(repo, Some(to))?)?;
    Ok(among(repo, diff.changes.iter().map(|(path, change)| (path.as_bstr(), change.old, change.new))))
}
