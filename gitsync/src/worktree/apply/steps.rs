//! Carries out the steps of an update, one path each: puts new files in place and takes old ones away.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;
use gix::bstr::{BString, ByteSlice};
use gix::index::entry::Stat;

use super::super::Why;
use super::super::backup::{Role, name_inside};
use super::super::dir::Spot;
use super::super::disk::{Disk, Kind, full, parent};
use super::super::draft;
use super::super::leading_dirs::{Place, name_of};
use super::super::plan::{Op, Step};
use super::super::racy::is_young;
use super::super::swap::{self, Swap};
use super::{Attributes, Stop, Update, refuse};
use crate::failpoint;
use crate::stage::content::{Content, Into, Reader};
use crate::watch::Doing;

/// Where the files of one step are.
struct Spots<'a> {
    /// In the working tree.
    target: Spot<'a>,
    /// The new file, until it is in place.
    new: Spot<'a>,
    /// The old file, once it is no longer in place.
    old: Spot<'a>,
}

impl Update<'_> {
    /// Writes the new files, removes the old ones (deepest first), and puts the new ones in place. If attribute files
    /// change, the new files are written only after the removals.
    pub(super) fn files(&mut self) -> Result<(), Stop> {
        let plan = self.plan;
        if self.attributes == Attributes::Stay {
            self.write_drafts()?;
        }
        for (number, op) in plan.ops.iter().enumerate().rev() {
            match op.step {
                Step::Remove(stat) => self.remove(number, op, &stat)?,
                Step::RemoveFolder => {
                    self.allowed()?;
                    self.way.remove_folder(op.path.as_bstr());
                }
                _ => continue,
            }
            self.way.remove_empty_parents(op.path.as_bstr());
        }
        if self.attributes == Attributes::Change {
            self.write_drafts()?;
        }
        for (number, op) in plan.ops.iter().enumerate() {
            self.watch.done_with(Doing::Updating, number, plan.ops.len());
            match op.step {
                Step::Create => self.create(number, op)?,
                Step::Replace(stat) => self.replace(number, op, &stat)?,
                Step::MakeFolder => self.make_folder(op)?,
                Step::Adopt(_) | Step::Remove(_) | Step::RemoveFolder | Step::IndexOnly => {}
            }
        }
        Ok(())
    }

    /// Checks that the run may still make the next change. The change itself acts on what is there then, not on what
    /// was seen earlier.
    fn allowed(&self) -> Result<(), Stop> {
        failpoint::reach("update-file", self.root);
        self.watch.check_again().map_err(Stop::Lost)?;
        self.pending.goes_on();
        self.watch.alive();
        Ok(())
    }

    /// Writes the new files that can be kept in the git directory, that is, all but those on other mounts.
    fn write_drafts(&mut self) -> Result<(), Stop> {
        let mut numbers = Vec::new();
        for (number, op) in self.plan.ops.iter().enumerate() {
            if op.writes() && self.is_near(op)? {
                numbers.push(number);
            }
        }
        let folder = self.pending.aside()?.folder();
        let drafts =
            draft::write(self.repo, &mut self.smudger, self.plan, &numbers, folder, self.root, self.watch)?;
        // Recorded before any of them is in place, so that undoing the update can recognize each by its stat data.
        self.pending.note(&drafts)?;
        self.written = drafts.into_iter().collect();
        Ok(())
    }

    /// Writes the new file beside its target, unless it was written together with the others.
    fn write_beside(&mut self, number: usize, op: &Op) -> Result<Stat, Stop> {
        if let Some(written) = self.written.get(&number) {
            return Ok(*written);
        }
        let side = op.new.with_context(|| format!("{} has nothing to be written", op.path))?;
        let folder = full(self.root, parent(op.path.as_bstr()))?;
        let to = folder.join(self.pending.aside()?.name_beside(Role::New, number));
        self.watch.alive();
        let stat = self.smudger.write(side, op.path.as_bstr(), &to, None)?;
        self.pending.note(&[(number, stat)])?;
        self.written.insert(number, stat);
        Ok(stat)
    }

    fn create(&mut self, number: usize, op: &Op) -> Result<(), Stop> {
        if !op.writes() {
            return self.make_folder(op);
        }
        self.make_parents(op)?;
        self.write_beside(number, op)?;
        self.allowed()?;
        let full = self.full(op)?;
        self.at(number, op, Why::InTheWay, |spots| {
            match spots.new.move_to(spots.target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => return Ok(result.map(|()| Swap::Done)?),
            }
            let is_folder = spots.target.look()?.is_some_and(|found| found.kind == Kind::Folder);
            if !is_folder || remove_empty_folders(&full).is_err() {
                return Ok(Swap::Edited);
            }
            spots.new.move_to(spots.target)?;
            Ok(Swap::Done)
        })
    }

    fn replace(&mut self, number: usize, op: &Op, stat: &Stat) -> Result<(), Stop> {
        if !op.writes() {
            self.remove(number, op, stat)?;
            return self.make_folder(op);
        }
        let written = self.write_beside(number, op)?;
        self.allowed()?;
        self.see_that_it_is_unchanged(op, stat)?;
        let (root, mut kept_as) = (self.root, Role::New);
        self.at(
            number,
            op,
            |_| Why::Edited,
            |spots| {
                if spots.target.look()?.is_none_or(|found| found.stat != *stat) {
                    return Ok(Swap::Edited);
                }
                let swapped = swap::exchange(spots.target, spots.new, stat, &written)?;
                if swapped != Swap::Unsupported {
                    failpoint::reach("update-swap", root);
                    return Ok(swapped);
                }
                kept_as = Role::Old;
                let taken = swap::take_away(spots.target, spots.old, stat)?;
                failpoint::reach("update-swap", root);
                if taken == Swap::Done {
                    return swap::put(spots.new, spots.target);
                }
                Ok(taken)
            },
        )?;
        self.replaced.insert(number, kept_as);
        Ok(())
    }

    /// Takes the file out of the working tree, provided that it still is the one that was checked.
    fn remove(&mut self, number: usize, op: &Op, stat: &Stat) -> Result<(), Stop> {
        self.allowed()?;
        self.see_that_it_is_unchanged(op, stat)?;
        self.at(
            number,
            op,
            |_| Why::Edited,
            |spots| {
                if spots.target.look()?.is_none_or(|found| found.stat != *stat) {
                    return Ok(Swap::Edited);
                }
                swap::take_away(spots.target, spots.old, stat)
            },
        )?;
        self.replaced.insert(number, Role::Old);
        Ok(())
    }

    fn make_folder(&mut self, op: &Op) -> Result<(), Stop> {
        self.make_parents(op)?;
        self.allowed()?;
        self.make(op, op.path.clone())
    }

    /// Creates the missing parent directories of a file. A parent that exists but is not a directory was put there
    /// after the update was planned.
    fn make_parents(&mut self, op: &Op) -> Result<(), Stop> {
        let mut may = false;
        loop {
            let missing = match self.way.to(op.path.as_bstr())? {
                Place::In(_) => return Ok(()),
                Place::Blocked(parent) => parent,
            };
            if !may {
                self.allowed()?;
                may = true;
            }
            self.make(op, missing)?;
        }
    }

    /// Creates one directory, for `op`.
    fn make(&mut self, op: &Op, path: BString) -> Result<(), Stop> {
        let folder = match self.way.to(path.as_bstr())? {
            Place::In(folder) => folder,
            Place::Blocked(parent) => return Err(refuse(op, Why::InTheWay(parent))),
        };
        match folder.make(&name_of(path.as_bstr())?) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(refuse(op, Why::InTheWay(path)))
            }
            result => result.with_context(|| format!("cannot make the folder {path}")).map_err(Stop::from),
        }
    }

    /// Reads the file if it is racy: one edited within the clock tick in which it was checked has the same stat data
    /// as before.
    fn see_that_it_is_unchanged(&mut self, op: &Op, stat: &Stat) -> Result<(), Stop> {
        if !is_young(stat.mtime, self.began) {
            return Ok(());
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::new(self.repo, self.index.decoded()?)?),
        };
        let (mut disk, index) = (Disk::new(self.root), self.index.decoded()?);
        match reader.read(&mut disk, op.path.as_bstr(), index, Into::Nowhere, self.watch)? {
            Content::Read { id, .. } if op.old.is_some_and(|old| old.id == id) => Ok(()),
            _ => Err(refuse(op, Why::Edited)),
        }
    }

    /// Makes a change at the path of `op`. If that finds something other than planned, the update is refused with
    /// `why`.
    fn at(
        &mut self,
        number: usize,
        op: &Op,
        why: fn(BString) -> Why,
        change: impl FnOnce(Spots<'_>) -> anyhow::Result<Swap>,
    ) -> Result<(), Stop> {
        let name = name_of(op.path.as_bstr())?;
        let [new, old] = self.names(number, op)?;
        let folder = match self.way.to(op.path.as_bstr())? {
            Place::In(folder) => folder,
            Place::Blocked(parent) => return Err(refuse(op, why(parent))),
        };
        let kept = if self.near.1 { &self.kept } else { folder };
        let spots = Spots {
            target: Spot { folder, name: &name },
            new: Spot { folder: kept, name: &new },
            old: Spot { folder: kept, name: &old },
        };
        match change(spots).with_context(|| format!("cannot update {}", op.path))? {
            Swap::Done => Ok(()),
            Swap::Edited | Swap::Unsupported => Err(refuse(op, why(op.path.clone()))),
        }
    }

    /// The names under which the new and the old file of a step are kept; `self.near` says in which directory.
    pub(super) fn names(&mut self, number: usize, op: &Op) -> Result<[OsString; 2], Stop> {
        let is_near = self.is_near(op)?;
        let aside = self.pending.aside()?;
        Ok([Role::New, Role::Old].map(|role| {
            OsString::from(if is_near { name_inside(role, number) } else { aside.name_beside(role, number) })
        }))
    }

    fn is_near(&mut self, op: &Op) -> Result<bool, Stop> {
        let folder = parent(op.path.as_bstr());
        if self.near.0 != folder {
            self.near = (folder.to_owned(), self.pending.aside()?.is_near(&full(self.root, folder)?));
        }
        Ok(self.near.1)
    }

    pub(super) fn full(&self, op: &Op) -> Result<PathBuf, Stop> {
        Ok(full(self.root, op.path.as_bstr())?)
    }
}

/// Removes a directory that contains nothing but directories.
fn remove_empty_folders(full: &Path) -> io::Result<()> {
    for entry in fs::read_dir(full)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty_folders(&entry.path())?;
        }
    }
    fs::remove_dir(full)
}
