//! Undoes an update: restores the files that were moved aside, byte by byte, and the index entries.
//!
//! What the user did since stays: a file that was put in place and has been edited belongs to the user, and so does a
//! file that was removed and exists again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::index::entry::{Flags, Mode, Stat};

use super::Side;
use super::backup::{Backup, Role, move_new, remove_file};
use super::diff::side_at;
use super::disk::{Disk, Kind, lstat};
use super::journal::{Doing, Entry, Pending};
use super::leading_dirs::LeadingDirs;
use super::recover::Recovered;
use super::swap::is_same_content;
use crate::index::{self, Acquire, Edit, Edits, Looked, Put, Revised, Sparse};
use crate::stage::content::{self, Abilities, Content, Reader};
use crate::watch::Watch;

/// Undoes an update whose branch did not move. Working tree and index become those of `head`, the branch's tree, as
/// far as the update had changed them.
///
/// # Errors
/// A file cannot be moved back, or the run lost its lock. The record stays, and the next run tries again.
pub fn undo(
    repo: &gix::Repository,
    pending: Pending,
    head: ObjectId,
    watch: &dyn Watch,
) -> anyhow::Result<Recovered> {
    if pending.entries.is_empty() {
        return pending.finish().map(|()| Recovered::Nothing);
    }
    watch.check()?;
    let lock = match index::lock(repo)? {
        Acquire::Ours(lock) => lock,
        Acquire::Held(by) => return Ok(Recovered::Held(by)),
    };
    let since = lock.taken_at()?;
    let index = index::read(repo)?;
    undo_files(repo, &pending, &index, Some(head))?;
    let edits = undo_entries(repo, &pending, &index, head)?;
    if !edits.is_empty() {
        lock.write(repo, Revised { index: index.into(), edits }, None, Looked::AtSome, since)?;
    }
    let paths = pending.entries.iter().map(|entry| entry.path.clone()).collect();
    pending.finish()?;
    Ok(Recovered::RolledBack { paths })
}

/// Undoes the changes of files. If `head` is given, only at those paths where it has what the old tree had.
pub(super) fn undo_files(
    repo: &gix::Repository,
    pending: &Pending,
    index: &gix::index::File,
    head: Option<ObjectId>,
) -> anyhow::Result<()> {
    let Some(aside) = &pending.aside else { return Ok(()) };
    let placed = pending.all_placed();
    let mut back = Back {
        disk: Disk::new(pending.root.clone()),
        reader: Reader::new(repo, index)?,
        abilities: Abilities::of(repo)?,
        index,
        aside,
    };
    let mut mine = Vec::new();
    for (number, entry) in pending.entries.iter().enumerate() {
        let stands = head
            .map(|head| side_at(repo, head, entry.path.as_bstr()))
            .transpose()?
            .is_none_or(|side| side == entry.old);
        if stands {
            mine.push((number, entry));
        }
    }
    // Remove everything that was put in place first: a new file may be where an old directory was.
    for (number, entry) in mine.iter().rev() {
        back.take_away(entry, placed.get(number))
            .with_context(|| format!("cannot take back the update of {}", entry.path))?;
    }
    for (number, entry) in mine {
        back.put_back(number, entry, placed.get(&number))
            .with_context(|| format!("cannot put back {}", entry.path))?;
    }
    Ok(())
}

struct Back<'a> {
    disk: Disk,
    reader: Reader<'a>,
    abilities: Abilities,
    index: &'a gix::index::File,
    aside: &'a Backup,
}

impl Back<'_> {
    /// Removes what the update put at the path, unless it has been changed since.
    fn take_away(&mut self, entry: &Entry, placed: Option<&Stat>) -> anyhow::Result<()> {
        let full = self.disk.full(entry.path.as_bstr())?;
        match entry.doing {
            // A directory that is not empty belongs to the user.
            Doing::MakeFolder => drop(fs::remove_dir(&full)),
            Doing::Write if self.is_ours(entry, placed)? => remove(&full)?,
            Doing::Write => {}
            Doing::Remove | Doing::RemoveFolder | Doing::Nothing => return Ok(()),
        }
        if entry.old.is_none() {
            LeadingDirs::from(self.disk.root())?.remove_empty_parents(entry.path.as_bstr());
            self.disk.forget();
        }
        Ok(())
    }

    /// Restores what the update took away from the path, unless something else has been created there.
    fn put_back(&mut self, number: usize, entry: &Entry, placed: Option<&Stat>) -> anyhow::Result<()> {
        let full = self.disk.full(entry.path.as_bstr())?;
        if entry.doing == Doing::RemoveFolder {
            // The directory was empty when it was removed.
            let _ = fs::create_dir_all(&full);
            return Ok(());
        }
        let Some(old) = self.kept(number, entry, &full, placed)? else { return Ok(()) };
        let moved = full.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| move_new(&old, &full));
        self.disk.forget();
        match moved {
            Err(error)
                if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory) => {}
            result => return Ok(result?),
        }
        // The restored content is in the old tree too, unless it was edited.
        let id = self.reader.id_elsewhere(&old, entry.path.as_bstr(), self.index);
        if id.is_some() && id == entry.old.map(|side| side.id) {
            return Ok(());
        }
        move_new(&old, &free_name(self.disk.root(), &full))
            .with_context(|| format!("cannot keep {}", old.display()))
    }

    /// Returns where the old file of the path is kept; `None` if it was not taken away. A file that was exchanged
    /// with a new one has the name that the new one had.
    fn kept(
        &mut self,
        number: usize,
        entry: &Entry,
        full: &Path,
        placed: Option<&Stat>,
    ) -> anyhow::Result<Option<PathBuf>> {
        if let Some(old) = self.aside.find(Role::Old, number, full) {
            return Ok(Some(old));
        }
        let Some(new) = self.aside.find(Role::New, number, full) else { return Ok(None) };
        let Some(found) = lstat(&new)? else { return Ok(None) };
        let is_old = match placed {
            Some(placed) => !is_same_content(&found.stat, placed),
            // The run was killed before it recorded the new files, so before it changed anything; or the record was
            // lost in a power failure.
            None => {
                let id = self.reader.id_elsewhere(&new, entry.path.as_bstr(), self.index);
                let is = |side: Option<Side>| {
                    side.is_some_and(|side| {
                        Some(side.id) == id
                            && content::mode(found.kind, Some(side.mode), self.abilities) == Some(side.mode)
                    })
                };
                is(entry.old) && !is(entry.new)
            }
        };
        Ok(is_old.then_some(new))
    }

    /// Whether what is at the path is what the update put there.
    fn is_ours(&mut self, entry: &Entry, placed: Option<&Stat>) -> anyhow::Result<bool> {
        let Some(new) = entry.new else { return Ok(false) };
        let path = entry.path.as_bstr();
        let Some(found) = self.disk.look(path)? else { return Ok(false) };
        if found.kind == Kind::Folder {
            return Ok(new.mode == Mode::COMMIT);
        }
        if let Some(placed) = placed {
            return Ok(is_same_content(&found.stat, placed));
        }
        // The new file is not recorded: the run was killed before it was put in place, or the record was lost in a
        // power failure.
        let content = self.reader.read(&mut self.disk, path, self.index, content::Into::Nowhere, &())?;
        Ok(match content {
            Content::Read { id, found } => {
                let mode = content::mode(found.kind, Some(new.mode), self.abilities);
                let is_old = entry.old.is_some_and(|old| old.id == id && mode == Some(old.mode));
                !is_old && id == new.id && mode == Some(new.mode)
            }
            _ => false,
        })
    }
}

/// Returns an unused name beside `full` if its directory exists, otherwise at the top.
fn free_name(root: &Path, full: &Path) -> PathBuf {
    let folder = full.parent().filter(|parent| parent.is_dir()).unwrap_or(root);
    let mut number = 0;
    loop {
        let mut name = full.file_name().unwrap_or_default().to_owned();
        name.push(format!(".kept-{number}"));
        let name = folder.join(name);
        if fs::symlink_metadata(&name).is_err() {
            return name;
        }
        number += 1;
    }
}

fn remove(full: &Path) -> io::Result<()> {
    if fs::symlink_metadata(full).is_ok_and(|meta| meta.is_dir()) {
        let _ = fs::remove_dir(full);
        return Ok(());
    }
    remove_file(full)
}

/// Returns the edits that restore the index entries which the update changed.
fn undo_entries(
    repo: &gix::Repository,
    pending: &Pending,
    index: &gix::index::State,
    head: ObjectId,
) -> anyhow::Result<Edits> {
    let sparse = Sparse::of(repo)?;
    let mut edits = Edits::default();
    for entry in &pending.entries {
        let path = entry.path.as_bstr();
        let now = index.entry_by_path(path);
        let side = now.map(|now| Side { id: now.id, mode: now.mode });
        if side != entry.new || side_at(repo, head, path)? != entry.old {
            continue;
        }
        let edit = match entry.old {
            None => Edit::Remove,
            Some(old) => {
                let mut flags = now.map_or(Flags::empty(), |now| now.flags);
                if !sparse.contains(path) {
                    flags |= Flags::SKIP_WORKTREE;
                }
                Edit::Put(Put { id: old.id, mode: old.mode, stat: Stat::default(), flags })
            }
        };
        edits.insert(entry.path.clone(), edit);
    }
    Ok(edits)
}
