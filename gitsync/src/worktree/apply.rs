//! Doing what was planned, looking at every path once more right before it is changed.
//!
//! A file that goes is moved aside first and looked at there: what was moved is what was verified, or it is moved back.
//! A new file is written elsewhere and moved into place, which fails if something has come to be there. So there is no
//! moment in which an edit can be overwritten unseen, and each path has its old or its new content, whole.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::stat::Time;
use gix::index::entry::{Mode, Stat};
use remote::durable::{Durability, Part};

use super::aside::{Role, move_new};
use super::disk::{Disk, Kind, lstat, parents};
use super::journal::Pending;
use super::plan::{Op, Step, UpdatePlan};
use super::smudge::Smudger;
use super::undo::undo_files;
use super::{Refused, Why};
use crate::failpoint;
use crate::index::{Edit, Edits, Lock, Looked, Put};
use crate::stage::content::{Content, Into, Reader};
use crate::watch::{Doing, Watch};

/// Files changed this many seconds before the update began may have changed again without looking different.
const YOUNG: u32 = 2;

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
    mut index: gix::index::File,
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
    // The attributes are those of the new tree; where no attribute file changes, that is, the old one's.
    let becoming = plan.ops.iter().any(|op| op.path.ends_with(b".gitattributes")).then(|| {
        let mut becoming = index.clone();
        edits(plan, &HashMap::new()).apply(&mut becoming);
        becoming
    });
    let pending = Pending::begin(repo, plan)?;
    failpoint::reach("update-journal", root);
    let mut update = Update {
        plan,
        pending: &pending,
        disk: Disk::new(root),
        reader: Reader::new(repo, &index)?,
        smudger: Smudger::new(repo, becoming.as_ref().unwrap_or(&index))?,
        index: &index,
        began: Time::try_from(lock.taken_at()?)?.secs,
        placed: HashMap::new(),
        watch,
    };
    let settled = update.files().and_then(|()| update.settle(repo));
    let placed = update.placed;
    let since = match settled {
        Ok(since) => since,
        Err(Stop::Lost(error)) => return Err(error),
        Err(Stop::Failed(error)) => {
            undo_files(repo, &pending, &index, None)?;
            pending.finish()?;
            return Err(error);
        }
        Err(Stop::Refused(refused)) => {
            undo_files(repo, &pending, &index, None)?;
            pending.finish()?;
            return Ok(Applied::Refused(vec![refused]));
        }
    };
    failpoint::reach("update-index", root);
    watch.check()?;
    edits(plan, &placed).apply(&mut index);
    lock.write(repo, &mut index, None, Looked::AtSome, since)?;
    let removed = plan.ops.iter().filter(|op| matches!(op.step, Step::Remove(_))).count();
    let written = plan.ops.iter().filter(|op| matches!(op.step, Step::Create | Step::Replace(_))).count();
    Ok(Applied::Done(Box::new(Done { pending, written, removed, kept })))
}

/// The index entries of the new tree, with the stat data of the files that were put in place.
fn edits(plan: &UpdatePlan, placed: &HashMap<usize, Stat>) -> Edits {
    let mut edits = Edits::default();
    for (number, op) in plan.ops.iter().enumerate() {
        let edit = match op.new {
            None => Edit::Remove,
            Some(new) => {
                let stat = placed.get(&number).copied().unwrap_or_default();
                Edit::Put(Put { id: new.id, mode: new.mode, stat, flags: op.flags })
            }
        };
        edits.insert(op.path.clone(), edit);
    }
    edits
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
    plan: &'a UpdatePlan,
    pending: &'a Pending,
    disk: Disk,
    reader: Reader<'a>,
    smudger: Smudger<'a>,
    index: &'a gix::index::File,
    /// The second in which the index was locked.
    began: u32,
    placed: HashMap<usize, Stat>,
    watch: &'a dyn Watch,
}

impl Update<'_> {
    /// Remove what goes, deepest first, then write what comes.
    fn files(&mut self) -> Result<(), Stop> {
        let plan = self.plan;
        for (number, op) in plan.ops.iter().enumerate().rev() {
            match op.step {
                Step::Remove(stat) => {
                    self.allowed()?;
                    self.move_aside(number, op, &stat)?;
                }
                Step::RemoveFolder => {
                    self.allowed()?;
                    // With something in it, it stays, as with git.
                    let _ = fs::remove_dir(self.disk.full(op.path.as_bstr())?);
                }
                _ => continue,
            }
            remove_empty_parents(&mut self.disk, op.path.as_bstr());
        }
        for (number, op) in plan.ops.iter().enumerate() {
            self.watch.done_with(Doing::Updating, number, plan.ops.len());
            match op.step {
                Step::Create => self.create(number, op)?,
                Step::Replace(stat) => self.replace(number, op, &stat)?,
                Step::MakeFolder => self.make_folder(op)?,
                Step::Adopt(stat) => {
                    if self.disk.look(op.path.as_bstr())?.is_none_or(|found| found.stat != stat) {
                        return Err(refuse(op, Why::Edited));
                    }
                    self.placed.insert(number, stat);
                }
                Step::Remove(_) | Step::RemoveFolder | Step::IndexOnly => {}
            }
        }
        Ok(())
    }

    /// Whether the next change may be made. It is made on what is there then, not on what was seen before.
    fn allowed(&mut self) -> Result<(), Stop> {
        failpoint::reach("update-file", self.disk.root());
        self.watch.check().map_err(Stop::Lost)?;
        self.watch.alive();
        self.disk.forget();
        Ok(())
    }

    fn create(&mut self, number: usize, op: &Op) -> Result<(), Stop> {
        if op.new.is_some_and(|new| new.mode == Mode::COMMIT) {
            return self.make_folder(op);
        }
        self.make_parents(op)?;
        let full = self.disk.full(op.path.as_bstr())?;
        let new = self.write_aside(number, op, &full)?;
        self.allowed()?;
        if self.disk.look(op.path.as_bstr())?.is_some_and(|found| found.kind == Kind::Folder) {
            remove_empty_folders(&full).map_err(|_| refuse(op, Why::InTheWay(op.path.clone())))?;
            self.disk.forget();
        }
        self.put_in_place(number, op, &new, &full)
    }

    fn replace(&mut self, number: usize, op: &Op, stat: &Stat) -> Result<(), Stop> {
        if op.new.is_some_and(|new| new.mode == Mode::COMMIT) {
            self.allowed()?;
            self.move_aside(number, op, stat)?;
            return self.make_folder(op);
        }
        let full = self.disk.full(op.path.as_bstr())?;
        let new = self.write_aside(number, op, &full)?;
        self.allowed()?;
        self.move_aside(number, op, stat)?;
        failpoint::reach("update-swap", self.disk.root());
        self.put_in_place(number, op, &new, &full)
    }

    fn make_folder(&mut self, op: &Op) -> Result<(), Stop> {
        self.make_parents(op)?;
        self.allowed()?;
        match fs::create_dir(self.disk.full(op.path.as_bstr())?) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(refuse(op, Why::InTheWay(op.path.clone())))
            }
            result => {
                result.with_context(|| format!("cannot make the folder {}", op.path)).map_err(Stop::Failed)
            }
        }
    }

    /// The folders on the way to a file; what stands there and is none was not there when the update was planned.
    fn make_parents(&mut self, op: &Op) -> Result<(), Stop> {
        let path = op.path.as_bstr();
        if self.disk.blocked(path)?.is_none() {
            return Ok(());
        }
        self.allowed()?;
        for parent in parents(path) {
            let full = self.disk.full(parent)?;
            match lstat(&full)?.map(|found| found.kind) {
                Some(Kind::Folder) => {}
                Some(_) => return Err(refuse(op, Why::InTheWay(parent.to_owned()))),
                None => fs::create_dir(&full).with_context(|| format!("cannot make the folder {parent}"))?,
            }
        }
        self.disk.forget();
        Ok(())
    }

    fn write_aside(&mut self, number: usize, op: &Op, full: &Path) -> Result<PathBuf, Stop> {
        let (Some(aside), Some(side)) = (&self.pending.aside, op.new) else {
            return Err(anyhow::anyhow!("{} has nothing to be written", op.path).into());
        };
        let to = aside.place(Role::New, number, full);
        self.watch.alive();
        self.smudger.write(side, op.path.as_bstr(), &to)?;
        Ok(to)
    }

    /// Take the file out of the work tree, provided that it is still the one that was looked at.
    fn move_aside(&mut self, number: usize, op: &Op, stat: &Stat) -> Result<(), Stop> {
        let path = op.path.as_bstr();
        let unchanged = self.disk.look(path)?.is_some_and(|found| found.stat == *stat)
            && !self.has_silently_changed(op, stat)?;
        if !unchanged {
            return Err(refuse(op, Why::Edited));
        }
        let full = self.disk.full(path)?;
        let Some(aside) = &self.pending.aside else { return Ok(()) };
        let old = aside.place(Role::Old, number, &full);
        match move_new(&full, &old) {
            Err(error) if super::disk::is_missing(&error) => return Err(refuse(op, Why::Edited)),
            result => result.with_context(|| format!("cannot move {path} aside"))?,
        }
        if !lstat(&old)?.is_some_and(|found| is_same_content(&found.stat, stat)) {
            move_new(&old, &full)
                .with_context(|| format!("cannot move {path} back from {}", old.display()))?;
            return Err(refuse(op, Why::Edited));
        }
        Ok(())
    }

    /// A file that was edited within the same tick of the clock in which it was looked at looks the same as before.
    fn has_silently_changed(&mut self, op: &Op, stat: &Stat) -> Result<bool, Stop> {
        if stat.mtime.secs.saturating_add(YOUNG) < self.began {
            return Ok(false);
        }
        let content =
            self.reader.read(&mut self.disk, op.path.as_bstr(), self.index, Into::Nowhere, self.watch)?;
        Ok(!matches!(content, Content::Read { id, .. } if op.old.is_some_and(|old| old.id == id)))
    }

    fn put_in_place(&mut self, number: usize, op: &Op, new: &Path, full: &Path) -> Result<(), Stop> {
        let written = lstat(new)?.with_context(|| format!("{} is gone", new.display()))?;
        match move_new(new, full) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(refuse(op, Why::InTheWay(op.path.clone())));
            }
            result => result.with_context(|| format!("cannot put {} in place", op.path))?,
        }
        self.pending.placed(number, &written.stat)?;
        if let Some(found) = lstat(full)?
            && is_same_content(&found.stat, &written.stat)
        {
            self.placed.insert(number, found.stat);
        }
        Ok(())
    }

    /// See that nobody has touched anything, and say since when the index may be sure of that.
    fn settle(&mut self, repo: &gix::Repository) -> Result<SystemTime, Stop> {
        let Some(aside) = &self.pending.aside else { return Ok(SystemTime::UNIX_EPOCH) };
        let mut written = Vec::new();
        for number in self.placed.keys() {
            written.push(self.disk.full(self.plan.ops[*number].path.as_bstr())?);
        }
        Durability::of(repo)
            .flushing(Part::WorkTree)
            .batch(self.disk.root(), &written)
            .context("cannot flush the work tree")?;
        let stamp = aside.folder().join("settled");
        let since = File::create(&stamp).and_then(|file| file.metadata()?.modified());
        let since = since.with_context(|| format!("cannot write {}", stamp.display()))?;
        for (number, op) in self.plan.ops.iter().enumerate() {
            self.watch.alive();
            let full = self.disk.full(op.path.as_bstr())?;
            if let Step::Replace(stat) | Step::Remove(stat) = op.step
                && let Some(old) = aside.find(Role::Old, number, &full)
                && !lstat(&old)?.is_some_and(|found| is_same_content(&found.stat, &stat))
            {
                // An editor that had it open has written to it after all.
                return Err(refuse(op, Why::Edited));
            }
            if let Some(stat) = self.placed.get(&number)
                && lstat(&full)?.is_none_or(|found| found.stat != *stat)
            {
                self.placed.remove(&number);
            }
        }
        Ok(since)
    }
}

fn refuse(op: &Op, why: Why) -> Stop {
    Stop::Refused(Refused { path: op.path.clone(), why })
}

/// Whether two looks saw one file with one content: moving a file changes the rest of what `lstat` tells.
pub(super) fn is_same_content(a: &Stat, b: &Stat) -> bool {
    (a.mtime, a.size, a.ino) == (b.mtime, b.size, b.ino)
}

/// Remove the folders on the way to `path` that have become empty, innermost first.
pub(super) fn remove_empty_parents(disk: &mut Disk, path: &BStr) {
    for parent in parents(path).rev() {
        let Ok(full) = disk.full(parent) else { return };
        if fs::remove_dir(full).is_err() {
            break;
        }
    }
    disk.forget();
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
