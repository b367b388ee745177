//! Replaces one file by another in such a way that an edit made at that very moment is restored.
//!
//! What is at a path can change between the last check and the move. So nothing is overwritten: the old file is moved
//! to where nobody else looks, compared with what was checked, and moved back if it is something else.

use std::io::ErrorKind;

use anyhow::{Context as _, bail};
use gix::index::entry::Stat;

use super::dir::Spot;
use super::disk::is_missing;

/// How often a file is given back before giving up on a process that keeps replacing it.
const PATIENCE: usize = 100;

/// The result of replacing or moving a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// It is done.
    Done,
    /// Something else was there, and is there again.
    Edited,
    /// The file system cannot exchange files atomically; nothing was done.
    Unsupported,
}

/// Whether both stat data are of one file with one content. Other fields are ignored, since moving a file changes
/// them.
pub fn is_same_content(a: &Stat, b: &Stat) -> bool {
    (a.mtime, a.size, a.ino) == (b.mtime, b.size, b.ino)
}

/// Exchanges the file at `draft`, which has the stat data `written`, with the one at `target`, which must have the
/// stat data `was`. The old file is then where the draft was.
///
/// # Errors
/// A file cannot be moved.
pub fn exchange(target: Spot<'_>, draft: Spot<'_>, was: &Stat, written: &Stat) -> anyhow::Result<Swap> {
    match target.swap_with(draft) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(Swap::Unsupported),
        Err(error) if is_missing(&error) => return Ok(Swap::Edited),
        Err(error) => return Err(error.into()),
    }
    if draft.look()?.is_some_and(|found| is_same_content(&found.stat, was)) {
        return Ok(Swap::Done);
    }
    give_back(target, draft, *written).context("cannot give back what was there")?;
    Ok(Swap::Edited)
}

/// Moves what is at `kept` back to `target`, where something with the stat data `placed` was put in its place. If
/// something else has been put there since, that is the later version, and stays.
fn give_back(target: Spot<'_>, kept: Spot<'_>, mut placed: Stat) -> anyhow::Result<()> {
    for _ in 0..PATIENCE {
        let Some(returning) = kept.look()? else { return Ok(()) };
        match target.swap_with(kept) {
            Err(error) if is_missing(&error) => return Ok(kept.move_to(target)?),
            result => result?,
        }
        if kept.look()?.is_none_or(|found| is_same_content(&found.stat, &placed)) {
            return Ok(());
        }
        placed = returning.stat;
    }
    bail!("somebody keeps on replacing it")
}

/// Moves the file at `target`, which must have the stat data `was`, to `aside`.
///
/// # Errors
/// A file cannot be moved.
pub fn take_away(target: Spot<'_>, aside: Spot<'_>, was: &Stat) -> anyhow::Result<Swap> {
    match target.move_to(aside) {
        Err(error) if is_missing(&error) => return Ok(Swap::Edited),
        result => result?,
    }
    if aside.look()?.is_some_and(|found| is_same_content(&found.stat, was)) {
        return Ok(Swap::Done);
    }
    aside.move_to(target).context("cannot move it back")?;
    Ok(Swap::Edited)
}

/// Moves the file at `new` to `target`, where nothing must exist.
///
/// # Errors
/// It cannot be moved.
pub fn put(new: Spot<'_>, target: Spot<'_>) -> anyhow::Result<Swap> {
    match new.move_to(target) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Swap::Edited),
        result => Ok(result.map(|()| Swap::Done)?),
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;

    use super::super::dir::Folder;
    use super::*;

    /// Creates a directory with a file in place and a draft; returns the stat data of both too.
    fn folder() -> (tempfile::TempDir, Folder, [Stat; 2]) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "old").unwrap();
        fs::write(directory.path().join("draft"), "the new").unwrap();
        let folder = Folder::root(directory.path()).unwrap();
        let stat = |name: &str| folder.look(OsStr::new(name)).unwrap().unwrap().stat;
        let stats = [stat("file"), stat("draft")];
        (directory, folder, stats)
    }

    fn spots(folder: &Folder) -> (Spot<'_>, Spot<'_>) {
        let spot = |name| Spot { folder, name: OsStr::new(name) };
        (spot("file"), spot("draft"))
    }

    fn contents(directory: &tempfile::TempDir) -> [String; 2] {
        ["file", "draft"].map(|name| fs::read_to_string(directory.path().join(name)).unwrap())
    }

    #[test]
    fn the_old_file_is_where_the_new_one_was() {
        let (directory, folder, [was, written]) = folder();
        let (target, draft) = spots(&folder);
        assert_eq!(exchange(target, draft, &was, &written).unwrap(), Swap::Done);
        assert_eq!(contents(&directory), ["the new", "old"]);
    }

    #[test]
    fn an_edit_that_nobody_saw_before_comes_back() {
        let (directory, folder, [was, written]) = folder();
        let (target, draft) = spots(&folder);
        fs::write(directory.path().join("file"), "edited").unwrap();
        assert_eq!(exchange(target, draft, &was, &written).unwrap(), Swap::Edited);
        assert_eq!(contents(&directory), ["edited", "the new"]);
        fs::remove_file(directory.path().join("file")).unwrap();
        assert_eq!(exchange(target, draft, &was, &written).unwrap(), Swap::Edited, "it was removed");
    }

    #[test]
    fn what_goes_away_comes_back_where_it_was_edited() {
        let (directory, folder, [was, _]) = folder();
        let (target, draft) = spots(&folder);
        fs::remove_file(directory.path().join("draft")).unwrap();
        fs::write(directory.path().join("file"), "edited").unwrap();
        assert_eq!(take_away(target, draft, &was).unwrap(), Swap::Edited);
        assert_eq!(fs::read_to_string(directory.path().join("file")).unwrap(), "edited");
        let edited = target.look().unwrap().unwrap().stat;
        assert_eq!(take_away(target, draft, &edited).unwrap(), Swap::Done);
        assert_eq!(take_away(target, draft, &edited).unwrap(), Swap::Edited, "it is gone");
    }

    #[test]
    fn of_two_edits_the_later_one_stays_in_place() {
        let (directory, folder, [_, written]) = folder();
        let (target, draft) = spots(&folder);
        // The first edit was swapped out, and the second one replaced the new file before that could be undone.
        fs::write(directory.path().join("draft"), "first edit").unwrap();
        fs::write(directory.path().join("second"), "second edit").unwrap();
        fs::rename(directory.path().join("second"), directory.path().join("file")).unwrap();
        give_back(target, draft, written).unwrap();
        assert_eq!(contents(&directory), ["second edit", "first edit"]);
    }
}
