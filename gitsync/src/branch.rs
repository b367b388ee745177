//! Moves the branch that is checked out, as a compare-and-swap on the commit that it is expected to be at.
//!
//! Somebody may commit, or switch branches, while a run is at work. Updating the ref without comparing its old value
//! would discard their commit.

use std::path::Path;

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::refs::FullName;
use store::durable::{Durability, Part};
use store::local_ref::reflog::{self, Line, Log};
use store::local_ref::{RefStore, RefUpdate, UpdateOutcome, claim};

use crate::context::SyncContext;
use crate::faults;
use crate::look::{self, Head};

const HEAD: &str = "HEAD";

/// An update of the branch that is checked out.
#[derive(Debug, Clone)]
pub struct Step {
    /// The branch.
    pub branch: FullName,
    /// The commit that it is at, or `None` if it is unborn.
    pub from: Option<ObjectId>,
    /// The commit that it is moved to.
    pub to: ObjectId,
    /// The reflog message.
    pub reason: BString,
}

/// The result of moving the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Moved {
    /// The branch is at the new commit.
    Done,
    /// The branch was not at the expected commit, or is no longer checked out.
    SomebodyElseDid,
}

/// Moves the branch and writes its reflog and that of `HEAD`.
///
/// # Errors
/// Another process holds the lock of the ref or of `HEAD`, or it cannot be written.
pub fn step(place: &SyncContext<'_>, step: &Step) -> anyhow::Result<Moved> {
    let repo = place.repo;
    let doing = || format!("cannot move {}", step.branch.as_bstr());
    let mut writer = RefStore::new(repo);
    // From here on nobody can switch branches or commit.
    let head = writer.hold(HEAD.try_into()?).map_err(faults::of_ref).with_context(doing)?;
    match look::head(repo)? {
        Head::Branch(now) if now.name == step.branch && now.commit == step.from => {}
        Head::Branch(_) | Head::Detached(_) => return Ok(Moved::SomebodyElseDid),
    }
    // As in git, a reflog entry needs no configured user name; only a commit does.
    let by = reflog::committer(repo).with_context(doing)?;
    // Opened before the branch moves, so that a failure leaves nothing half done: a branch without its index is half
    // a step.
    let log = Log::open(repo, repo.git_dir(), Path::new(HEAD))
        .context("cannot write the reflog of HEAD")
        .with_context(doing)?;
    let reason = step.reason.to_str_lossy();
    let edit = RefUpdate { name: step.branch.as_ref(), expected: step.from, new: step.to, reason: &reason };
    match writer.write(edit).map_err(faults::of_ref).with_context(doing)? {
        UpdateOutcome::Updated => {}
        UpdateOutcome::Stale => return Ok(Moved::SomebodyElseDid),
    }
    let line = Line { old: step.from, new: step.to, by: &by, reason: step.reason.as_bstr() };
    // The branch has moved, whether or not there is space left to log it.
    let _ = log.append(line);
    drop(head);
    Ok(Moved::Done)
}

/// Records the previous commit of the branch as `ORIG_HEAD`, so that the user can go back.
///
/// # Errors
/// Another process holds its lock, or it cannot be written.
pub fn remember(place: &SyncContext<'_>, before: ObjectId) -> anyhow::Result<()> {
    let repo = place.repo;
    let flushing = Durability::of(repo).flushing(Part::Reference);
    let held = RefStore::new(repo).hold("ORIG_HEAD".try_into()?).map_err(faults::of_ref)?;
    Ok(held.commit(repo, format!("{before}\n").as_bytes(), flushing).map_err(faults::of_ref)?)
}

/// Removes the locks that killed runs left behind, and the objects that they were writing.
pub fn clear(repo: &gix::Repository) {
    store::remove_stale_packs(repo.objects.store_ref().path());
    for base in [repo.common_dir(), repo.git_dir()] {
        claim::sweep(base);
    }
}
