//! Moving the branch that is checked out, from the commit that it is known to be at and from no other.
//!
//! Somebody may commit, or switch branches, while a run is at work. A ref that is written without looking at what it
//! was throws their commit away.

use std::path::Path;

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::refs::FullName;

use crate::claim;
use crate::look::{self, Head};
use crate::place::Place;
use crate::reflog::{self, Line};

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
/// Somebody else holds the ref or `HEAD`, or it cannot be written.
pub fn step(place: &Place<'_>, step: &Step) -> anyhow::Result<Moved> {
    let repo = place.repo;
    let name = gix::path::from_bstr(step.branch.as_bstr())?;
    let doing = || format!("cannot move {}", step.branch.as_bstr());
    // Nobody switches branches or commits from here on.
    let head = claim::take(repo.git_dir(), Path::new("HEAD")).with_context(doing)?;
    let branch = claim::take(repo.common_dir(), &name).with_context(doing)?;
    match look::head(repo)? {
        Head::Branch(now) if now.name == step.branch && now.commit == step.from => {}
        Head::Branch(_) | Head::Detached(_) | Head::Unknown => return Ok(Moved::SomebodyElseDid),
    }
    let line =
        Line { old: step.from, new: step.to, by: &place.people.committer, reason: step.reason.as_bstr() };
    reflog::append(repo, repo.common_dir(), &name, line).with_context(doing)?;
    reflog::append(repo, repo.git_dir(), Path::new("HEAD"), line).with_context(doing)?;
    branch.commit(repo, format!("{}\n", step.to).as_bytes()).with_context(doing)?;
    drop(head);
    Ok(Moved::Done)
}

/// Remembers where the branch was, as `ORIG_HEAD`, so that its user can go back.
///
/// # Errors
/// Somebody else holds it, or it cannot be written.
pub fn remember(place: &Place<'_>, before: ObjectId) -> anyhow::Result<()> {
    claim::take(place.repo.git_dir(), Path::new("ORIG_HEAD"))?
        .commit(place.repo, format!("{before}\n").as_bytes())
        .context("cannot write ORIG_HEAD")
}

/// Removes the locks that a killed run left behind.
///
/// # Errors
/// One cannot be removed.
pub fn clear(repo: &gix::Repository) -> anyhow::Result<()> {
    for base in [repo.common_dir(), repo.git_dir()] {
        claim::clear(base)
            .with_context(|| format!("cannot clear the locks of refs in {}", base.display()))?;
    }
    Ok(())
}
