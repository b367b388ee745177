//! Doing what was planned, looking at every path once more right before it is changed.
//!
//! New files are written elsewhere first. One that takes the place of another changes places with it, and what it took
//! the place of is looked at where it is then: it is what was verified, or the two change back. A file that only goes
//! is moved aside in the same way, and one that only comes is moved into place, which fails if something has come to be
//! there. So there is no moment in which an edit can be overwritten unseen, and each path has its old or its new
//! content, whole.

mod settle;
mod steps;

use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context as _;
use gix::bstr::{BString, ByteSlice as _};
use gix::index::entry::{Mode, Stat};

use super::aside::Role;
use super::folder::Folder;
use super::journal::Pending;
use super::plan::{Op, Step, UpdatePlan};
use super::smudge::Smudger;
use super::undo::undo_files;
use super::way::Way;
use super::{Refused, Side, Why};
use crate::convert::is_of_attributes;
use crate::failpoint;
use crate::index::{Edit, Edits, Lock, Looked, Put, Revised};
use crate::stage::content::Reader;
use crate::watch::Watch;
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
    let becoming = attributes.becoming(&index, plan);
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
        Err(Stop::Undo(outcome)) => {
            undo_files(repo, &pending, becomes.index.decoded()?, None)?;
            pending.finish()?;
            return outcome.map(|refused| Applied::Refused(vec![refused]));
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

/// Why an update ends early.
enum Stop {
    /// The lock is gone: what was done is another run's to undo.
    Lost(anyhow::Error),
    /// Somebody changed something, or something does not work. What was done is undone.
    Undo(anyhow::Result<Refused>),
}

impl<E: std::convert::Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Undo(Err(error.into()))
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

    /// The attribute files of the new tree; where none changes, that is, of the old one.
    fn becoming(self, index: &scan::Index, plan: &UpdatePlan) -> gix::index::State {
        let mut becoming = index.part(is_of_attributes);
        if self == Self::Change {
            edits(plan, &HashMap::new()).apply(&mut becoming);
        }
        // Where an attribute file is a link now, git reads what the link holds, and not the file that was there before.
        for entry in becoming.entries_mut().iter_mut().filter(|entry| entry.mode == Mode::SYMLINK) {
            entry.mode = Mode::FILE;
        }
        becoming
    }
}

fn refuse(op: &Op, why: Why) -> Stop {
    Stop::Undo(Ok(Refused { path: op.path.clone(), why }))
}
