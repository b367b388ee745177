//! Moving the branch that is checked out, from the commit that it is known to be at and from no other.
//!
//! Somebody may commit, or switch branches, while a run is at work. A ref that is written without looking at what it
//! was throws their commit away.

use std::path::Path;

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::refs::FullName;
use remote::durable::{Durability, Part};
use remote::local_ref::reflog::{self, Line, Log};
use remote::local_ref::{Edit, Writer, Written, claim};

use crate::faults;
use crate::look::{self, Head};
use crate::place::Place;

const HEAD: &str = "HEAD";

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

/// Moves the branch and writes its reflog and that of `HEAD`.
///
/// # Errors
/// Somebody else holds the ref or `HEAD`, or it cannot be written.
pub fn step(place: &Place<'_>, step: &Step) -> anyhow::Result<Moved> {
    let repo = place.repo;
    let doing = || format!("cannot move {}", step.branch.as_bstr());
    let mut writer = Writer::new(repo);
    // Nobody switches branches or commits from here on.
    let head = writer.hold(HEAD.try_into()?).map_err(faults::of_ref).with_context(doing)?;
    match look::head(repo)? {
        Head::Branch(now) if now.name == step.branch && now.commit == step.from => {}
        Head::Branch(_) | Head::Detached(_) => return Ok(Moved::SomebodyElseDid),
    }
    // As git's, a reflog does without a name where nobody said who the user is: only a commit needs one.
    let by = reflog::committer(repo).with_context(doing)?;
    // Whether that can be written shows before the branch moves: a branch without its index is half a step.
    let log = Log::open(repo, repo.git_dir(), Path::new(HEAD))
        .context("cannot write the reflog of HEAD")
        .with_context(doing)?;
    let reason = step.reason.to_str_lossy();
    let edit = Edit { name: step.branch.as_ref(), expected: step.from, new: step.to, reason: &reason };
    match writer.write(edit).map_err(faults::of_ref).with_context(doing)? {
        Written::Done => {}
        Written::Moved => return Ok(Moved::SomebodyElseDid),
    }
    let line = Line { old: step.from, new: step.to, by: &by, reason: step.reason.as_bstr() };
    // The branch has moved, whether there is room to note it or not.
    let _ = log.append(line);
    drop(head);
    Ok(Moved::Done)
}

/// Remembers where the branch was, as `ORIG_HEAD`, so that its user can go back.
///
/// # Errors
/// Somebody else holds it, or it cannot be written.
pub fn remember(place: &Place<'_>, before: ObjectId) -> anyhow::Result<()> {
    let repo = place.repo;
    let flushing = Durability::of(repo).flushing(Part::Reference);
    let held = Writer::new(repo).hold("ORIG_HEAD".try_into()?).map_err(faults::of_ref)?;
    Ok(held.commit(repo, format!("{before}\n").as_bytes(), flushing).map_err(faults::of_ref)?)
}

/// Removes the locks that killed runs left behind, and the objects that they were writing.
pub fn clear(repo: &gix::Repository) {
    remote::sweep(repo.objects.store_ref().path());
    for base in [repo.common_dir(), repo.git_dir()] {
        claim::sweep(base);
    }
}
