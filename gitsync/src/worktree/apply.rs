//! Doing what was planned, looking at every path once more right before it is changed.
//!
//! New files are written elsewhere first. One that takes the place of another changes places with it, and what it took
//! the place of is looked at where it is then: it is what was verified, or the two change back. A file that only goes
//! is moved aside in the same way, and one that only comes is moved into place, which fails if something has come to be
//! there. So there is no moment in which an edit can be overwritten unseen, and each path has its old or its new
//! content, whole.

mod settle;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use gix::bstr::{BString, ByteSlice};
use gix::index::entry::{Mode, Stat};

use super::aside::{Role, name_inside};
use super::disk::{Disk, Kind, full, parent};
use super::draft;
use super::folder::{Folder, Spot};
use super::journal::Pending;
use super::plan::{Op, Step, UpdatePlan};
use super::smudge::Smudger;
use super::swap::{self, Swap};
use super::undo::undo_files;
use super::way::{Place, Way, name_of};
use super::young::is_young;
use super::{Refused, Side, Why};
use crate::convert::is_of_attributes;
use crate::failpoint;
use crate::index::{Edit, Edits, Lock, Looked, Put, Revised};
use crate::stage::content::{Content, Into, Reader};
use crate::watch::{Doing, Watch};
use settle::Settled;

/// What came of an update.
#[derive(Debug)]
pub enum Applied {
    /// Work tree and index are those of the new tree.
    Done(Box<Done>),
    /// Somebody changed something meanwhile; all is as it was before.
    Refused(Vec<Refused>),
}

/// An update that was made.
#[derive(Debug)]
pub struct Done {
    /// To be finished once the branch has moved too, or undone if it does not.
    pub pending: Pending,
    /// How many files were written.
    pub written: usize,
    /// How many files were removed.
    pub removed: usize,
    /// Edited files that are marked assume-unchanged, and were left as they are.
    pub kept: Vec<BString>,
}

/// Make the changes that `plan` lists, and write the index. `index` is the one that was looked at, under `lock`.
///
/// # Errors
/// A file cannot be written, an object is missing; all is as it was before then. Or the run has lost its lock: nothing
/// further is changed then, and the run that has it now undoes what was done.
pub fn apply(
    repo: &gix::Repository,
    lock: Lock,
    index: scan::Index,
    plan: &UpdatePlan,
    watch: &dyn Watch,
) -> anyhow::Result<Applied> {
    let kept = plan.kept.clone();
    if plan.ops.is_empty() {
        return Ok(Applied::Done(Box::new(Done {
            pending: Pending::nothing(plan),
            written: 0,
            removed: 0,
            kept,
        })));
    }
    watch.check()?;
    let root = repo.workdir().context("a bare repository has no work tree")?;
    let attributes = Attributes::of(plan);
    // The attributes are those of the new tree; where no attribute file changes, that is, the old one's.
    let mut becoming = index.part(is_of_attributes);
    if attributes == Attributes::Change {
        edits(plan, &HashMap::new()).apply(&mut becoming);
    }
    // Where an attribute file is a link now, git reads what the link holds, and not the file that was there before.
    for entry in becoming.entries_mut().iter_mut().filter(|entry| entry.mode == Mode::SYMLINK) {
        entry.mode = Mode::FILE;
    }
    // How the new files look is not known yet, only which they are.
    let mut becomes = Revised { index, edits: edits(plan, &HashMap::new()) };
    let pending = Pending::begin(repo, plan)?;
    failpoint::reach("update-journal", root);
    let mut lock = lock;
    let mut update = Update {
        repo,
        plan,
        pending: &pending,
        root,
        way: Way::from(root)?.keeping(plan.staying_folders()),
        kept: pending.folder()?,
        smudger: Smudger::new(repo, &becoming)?,
        attributes,
        index: &becomes.index,
        reader: None,
        began: lock.taken_at()?,
        near: (BString::default(), pending.aside()?.is_near(root)),
        written: HashMap::new(),
        replaced: HashMap::new(),
        placed: HashMap::new(),
        watch,
    };
    let settled = update.files().and_then(|()| update.settle(&mut lock, &becomes));
    let placed = update.placed;
    let settled = match settled {
        Ok(settled) => settled,
        Err(Stop::Lost(error)) => return Err(error),
        Err(Stop::Failed(error)) => {
            undo_files(repo, &pending, becomes.index.decoded()?, None)?;
            pending.finish()?;
            return Err(error);
        }
        Err(Stop::Refused(refused)) => {
            undo_files(repo, &pending, becomes.index.decoded()?, None)?;
            pending.finish()?;
            return Ok(Applied::Refused(vec![refused]));
        }
    };
    failpoint::reach("update-index", root);
    watch.check()?;
    pending.goes_on();
    match settled {
        Settled { since, index_is_written: true } => lock.install(repo, since)?,
        Settled { since, index_is_written: false } => {
            becomes.edits = edits(plan, &placed);
            lock.write(repo, becomes, None, Looked::AtSome, since)?;
        }
    }
    let removed = plan.ops.iter().filter(|op| matches!(op.step, Step::Remove(_))).count();
    let written = plan.ops.iter().filter(|op| matches!(op.step, Step::Create | Step::Replace(_))).count();
    Ok(Applied::Done(Box::new(Done { pending, written, removed, kept })))
}

/// The index entries of the new tree, with the stat data of the files that were put in place.
fn edits(plan: &UpdatePlan, placed: &HashMap<usize, Stat>) -> Edits {
    let mut edits = Edits::default();
    for (number, op) in plan.ops.iter().enumerate() {
        edits.insert(op.path.clone(), edit(op, placed.get(&number)));
    }
    edits
}

/// The index entry that a step leads to, with the stat data of the file that was put in place, if one was.
fn edit(op: &Op, placed: Option<&Stat>) -> Edit {
    match op.new {
        None => Edit::Remove,
        Some(Side { id, mode }) => {
            Edit::Put(Put { id, mode, stat: placed.copied().unwrap_or_default(), flags: op.flags })
        }
    }
}

enum Stop {
    /// The lock is gone.
    Lost(anyhow::Error),
    /// Something does not work.
    Failed(anyhow::Error),
    /// Somebody changed something.
    Refused(Refused),
}

impl<E: std::convert::Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failed(error.into())
    }
}

struct Update<'a> {
    repo: &'a gix::Repository,
    plan: &'a UpdatePlan,
    pending: &'a Pending,
    root: &'a Path,
    way: Way,
    /// The folder in the git directory where files are kept.
    kept: Folder,
    smudger: Smudger<'a>,
    attributes: Attributes,
    index: &'a scan::Index,
    /// Made for the first file that has to be read: most often none has.
    reader: Option<Reader<'a>>,
    /// When the index was locked.
    began: SystemTime,
    /// The last folder that was asked about, and whether its files can be kept in the git directory.
    near: (BString, bool),
    /// The new files, as they looked when they were written.
    written: HashMap<usize, Stat>,
    /// Where the files are kept that were in place before.
    replaced: HashMap<usize, Role>,
    /// What the index may say of the files in place.
    placed: HashMap<usize, Stat>,
    watch: &'a dyn Watch,
}

/// What an update does to the attribute files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attributes {
    /// Nothing.
    Stay,
    /// Some come, go or change. Those that go have a say for as long as they are there.
    Change,
}

impl Attributes {
    fn of(plan: &UpdatePlan) -> Self {
        let changes = plan.ops.iter().any(|op| is_of_attributes(op.path.as_bstr()));
        if changes { Self::Change } else { Self::Stay }
    }
}

/// Where the files of one step are.
struct Spots<'a> {
    /// In the work tree.
    target: Spot<'a>,
    /// The new one, until it is in place.
    new: Spot<'a>,
    /// The old one, once it is not.
    old: Spot<'a>,
}

impl Update<'_> {
    /// Write what comes, remove what goes, deepest first, and put what comes in place.
    fn files(&mut self) -> Result<(), Stop> {
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

    /// Whether the next change may be made. It is made on what is there then, not on what was seen before.
    fn allowed(&self) -> Result<(), Stop> {
        failpoint::reach("update-file", self.root);
        self.watch.check_again().map_err(Stop::Lost)?;
        self.pending.goes_on();
        self.watch.alive();
        Ok(())
    }

    /// Write the new files that can be kept in the git directory: all but those on other file systems.
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
        // Noted before any of them is in place: who undoes the update knows each of them by its looks.
        self.pending.note(&drafts)?;
        self.written = drafts.into_iter().collect();
        Ok(())
    }

    /// Write the new file beside its place, where it was not written together with the others.
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

    /// Take the file out of the work tree, provided that it is still the one that was looked at.
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

    /// The folders on the way to a file; what stands there and is none was not there when the update was planned.
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

    /// Make one folder, for `op`.
    fn make(&mut self, op: &Op, path: BString) -> Result<(), Stop> {
        let folder = match self.way.to(path.as_bstr())? {
            Place::In(folder) => folder,
            Place::Blocked(parent) => return Err(refuse(op, Why::InTheWay(parent))),
        };
        match folder.make(&name_of(path.as_bstr())?) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(refuse(op, Why::InTheWay(path)))
            }
            result => result.with_context(|| format!("cannot make the folder {path}")).map_err(Stop::Failed),
        }
    }

    /// A file that was edited within the same tick of the clock in which it was looked at looks the same as before.
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

    /// Change something at the path of `op`. Where that finds other things than were planned on, `why` says so.
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

    /// The names under which the new and the old file of a step are kept; in which folder, `self.near` says.
    fn names(&mut self, number: usize, op: &Op) -> Result<[OsString; 2], Stop> {
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

    fn full(&self, op: &Op) -> Result<PathBuf, Stop> {
        Ok(full(self.root, op.path.as_bstr())?)
    }
}

fn refuse(op: &Op, why: Why) -> Stop {
    Stop::Refused(Refused { path: op.path.clone(), why })
}

/// Remove a folder that holds nothing but folders.
fn remove_empty_folders(full: &Path) -> io::Result<()> {
    for entry in fs::read_dir(full)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty_folders(&entry.path())?;
        }
    }
    fs::remove_dir(full)
}
