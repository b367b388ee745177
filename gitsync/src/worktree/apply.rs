//! Carries out the plan, checking every path once more right before it is changed.
//!
//! New files are written elsewhere first. One that replaces another is exchanged with it, and the old file is then
//! examined in its new location: either it is what was verified, or the two are exchanged back. A file to be removed
//! is moved aside in the same way, and a file to be added is moved into place, which fails if something has appeared
//! there. So at no moment can an edit be overwritten unnoticed, and each path has its complete old or its complete
//! new content.

mod settle;
mod steps;

use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context as _;
use gix::bstr::{BString, ByteSlice as _};
use gix::index::entry::{Mode, Stat};

use super::backup::Role;
use super::dir::Folder;
use super::journal::Pending;
use super::leading_dirs::LeadingDirs;
use super::plan::{Op, Step, UpdatePlan};
use super::smudge::Smudger;
use super::undo::undo_files;
use super::{Refused, Side, Why};
use crate::convert::is_of_attributes;
use crate::failpoint;
use crate::index::{Edit, Edits, Lock, Looked, Put, Revised};
use crate::stage::content::Reader;
use crate::watch::Watch;
use settle::Settled;

/// The result of an update.
#[derive(Debug)]
pub enum Applied {
    /// Working tree and index are those of the new tree.
    Done(Box<Done>),
    /// Something was changed meanwhile; everything is as it was before.
    Refused(Vec<Refused>),
}

/// An update that was made.
#[derive(Debug)]
pub struct Done {
    /// To be finished once the branch has moved too, or undone if it does not move.
    pub pending: Pending,
    /// How many files were written.
    pub written: usize,
    /// How many files were removed.
    pub removed: usize,
    /// Edited files marked assume-unchanged, which were left as they are.
    pub kept: Vec<BString>,
}

/// Makes the changes that `plan` lists, and writes the index. `index` is the one that was examined, under `lock`.
///
/// # Errors
/// A file cannot be written or an object is missing; everything is then as it was before. Or the run has lost its
/// lock: then nothing more is changed, and the run that has the lock now undoes what was done.
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
    // The stat data of the new files are not known yet, only the paths.
    let mut becomes = Revised { index, edits: edits(plan, &HashMap::new()) };
    let pending = Pending::begin(repo, plan)?;
    failpoint::reach("update-journal", root);
    let mut lock = lock;
    let mut update = Update {
        repo,
        plan,
        pending: &pending,
        root,
        way: LeadingDirs::from(root)?.keeping(plan.staying_folders()),
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

/// Returns the index edits for the new tree, with the stat data of the files that were put in place.
fn edits(plan: &UpdatePlan, placed: &HashMap<usize, Stat>) -> Edits {
    let mut edits = Edits::default();
    for (number, op) in plan.ops.iter().enumerate() {
        edits.insert(op.path.clone(), edit(op, placed.get(&number)));
    }
    edits
}

/// Returns the index edit for one step, with the stat data of the file that was put in place, if any.
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
    /// The lock is lost: the run that has it now undoes what was done.
    Lost(anyhow::Error),
    /// Something was changed by someone else, or something failed. What was done is undone.
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
    way: LeadingDirs,
    /// The directory in the git directory where files are kept.
    kept: Folder,
    smudger: Smudger<'a>,
    attributes: Attributes,
    index: &'a scan::Index,
    /// Created for the first file that has to be read; most often no file has.
    reader: Option<Reader<'a>>,
    /// When the index was locked.
    began: SystemTime,
    /// The last directory that was asked about, and whether its files can be kept in the git directory.
    near: (BString, bool),
    /// The stat data of the new files when they were written.
    written: HashMap<usize, Stat>,
    /// Under which name each replaced file is kept.
    replaced: HashMap<usize, Role>,
    /// The stat data that the index may record for the files in place.
    placed: HashMap<usize, Stat>,
    watch: &'a dyn Watch,
}

/// What an update does to the attribute files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attributes {
    /// Nothing.
    Stay,
    /// Some are added, removed or changed. Those to be removed apply as long as they are there.
    Change,
}

impl Attributes {
    fn of(plan: &UpdatePlan) -> Self {
        let changes = plan.ops.iter().any(|op| is_of_attributes(op.path.as_bstr()));
        if changes { Self::Change } else { Self::Stay }
    }

    /// The attribute files of the new tree (which are those of the old tree if none changes).
    fn becoming(self, index: &scan::Index, plan: &UpdatePlan) -> gix::index::State {
        let mut becoming = index.part(is_of_attributes);
        if self == Self::Change {
            edits(plan, &HashMap::new()).apply(&mut becoming);
        }
        // Where an attribute file has become a symbolic link, git reads what the link contains, not the file that was
        // there before.
        for entry in becoming.entries_mut().iter_mut().filter(|entry| entry.mode == Mode::SYMLINK) {
            entry.mode = Mode::FILE;
        }
        becoming
    }
}

fn refuse(op: &Op, why: Why) -> Stop {
    Stop::Undo(Ok(Refused { path: op.path.clone(), why }))
}
