//! Moving the branch that is checked out, from the commit that it is known to be at and from no other.
//!
//! Somebody may commit, or switch branches, while a run is at work. A ref that is written without looking at what it
//! was throws their commit away.

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::BString;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};

use crate::durable::Durability;
use crate::look::{self, Head};

/// A step of the branch that is checked out.
#[derive(Debug, Clone)]
pub struct Step {
    /// The branch.
    pub branch: FullName,
    /// Where it is; none where it has no commit yet.
    pub from: Option<ObjectId>,
    /// Where it goes.
    pub to: ObjectId,
    /// What the reflogs say about it.
    pub reason: BString,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Moved {
    /// The branch is there.
    Done,
    /// The branch was not where it was thought to be, or is not checked out any more.
    SomebodyElseDid,
}

/// Moves the branch and writes its reflog and that of `HEAD`. The ref is on disk when this returns.
///
/// # Errors
/// The ref cannot be written.
pub fn step(repo: &gix::Repository, step: &Step) -> anyhow::Result<Moved> {
    match look::head(repo)? {
        Head::Branch(branch) if branch.name == step.branch => {}
        Head::Branch(_) | Head::Detached(_) => return Ok(Moved::SomebodyElseDid),
    }
    let expected = match step.from {
        Some(id) => PreviousValue::MustExistAndMatch(Target::Object(id)),
        None => PreviousValue::MustNotExist,
    };
    // By way of HEAD, as both have a log.
    let edit = RefEdit {
        change: Change::Update {
            log: LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: step.reason.clone() },
            expected,
            new: Target::Object(step.to),
        },
        name: FullName::try_from("HEAD")?,
        deref: true,
    };
    match repo.edit_reference(edit) {
        Ok(_) => {}
        Err(error) if error.is_conflict() || now(repo, &step.branch)? != step.from => return Ok(Moved::SomebodyElseDid),
        Err(error) => return Err(error).with_context(|| format!("cannot move {}", step.branch.as_bstr())),
    }
    flush(repo, &step.branch).with_context(|| format!("cannot flush {}", step.branch.as_bstr()))?;
    Ok(Moved::Done)
}

/// Remembers where the branch was, as `ORIG_HEAD`, so that its user can go back.
///
/// # Errors
/// It cannot be written.
pub fn remember(repo: &gix::Repository, before: ObjectId) -> anyhow::Result<()> {
    let edit = RefEdit {
        change: Change::Update {
            log: LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: BString::default() },
            expected: PreviousValue::Any,
            new: Target::Object(before),
        },
        name: FullName::try_from("ORIG_HEAD")?,
        deref: false,
    };
    repo.edit_reference(edit).context("cannot write ORIG_HEAD")?;
    Ok(())
}

fn now(repo: &gix::Repository, branch: &FullName) -> anyhow::Result<Option<ObjectId>> {
    let Some(mut reference) = repo.try_find_reference(branch.as_ref())? else { return Ok(None) };
    Ok(Some(reference.peel_to_id()?.detach()))
}

/// gix leaves a ref to the system's caches; what comes next relies on it.
fn flush(repo: &gix::Repository, branch: &FullName) -> anyhow::Result<()> {
    let path = repo.common_dir().join(gix::path::from_bstr(branch.as_bstr())?);
    let durability = Durability::of(repo);
    durability.file(&std::fs::File::open(&path)?)?;
    path.parent().map_or(Ok(()), |folder| durability.folder(folder))?;
    Ok(())
}
