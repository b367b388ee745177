//! The session logs among what came in, for whoever looks for messages in them: to find them is to compare all folders.

use contract::ChangedFile;
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};
use gix::index::entry::Mode;
use phase::SessionLogs;

use crate::commit::tree_of;
use crate::worktree::Side;
use crate::worktree::diff::diff;

/// The session logs that are not the same in two commits.
#[derive(Debug)]
pub struct ChangedLogs {
    /// Where the branch was.
    pub from: ObjectId,
    /// Where it is.
    pub to: ObjectId,
    /// The logs.
    pub files: Vec<ChangedFile>,
}

/// The session logs among the paths `changed`, each with what was there before and what is there after; `None` where the
/// repository does not say what is one, or one has no name that can be told.
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

/// The session logs that are not the same in the commits `from` and `to`; `None` as in [`among`].
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
