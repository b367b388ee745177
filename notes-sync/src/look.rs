//! Gathers what is known about a notes ref before anything is decided.

use anyhow::{Context as _, Result};
use gix::{ObjectId, Repository};
use remote::RemoteName;
use store::local_ref;

use crate::{
    clobbered::{self, Memory, Place},
    commits::Commits,
    globs::Globs,
    names::{NOTES, NotesRef},
    plan::Facts,
    reflog,
    refs::{self, Tip},
    rescue::{self, Fate},
};

/// What is known about a ref at the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Theirs {
    /// The commit that the remote has; `None` if it has no such ref.
    pub now: Option<ObjectId>,
    /// The commit that it was known to have before this run asked.
    pub before: Option<ObjectId>,
    /// The remote's commit up to which an earlier run has examined the history.
    pub seen: Option<ObjectId>,
}

/// Whether to look for tips that racing writers dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rescue {
    /// Merge them back in.
    Merge,
    /// Leave them dropped.
    Leave,
}

/// Examines a ref. Also returns the tip that the ref had then; what is found out about commits goes into `memory`.
///
/// # Errors
/// If the repository cannot be read.
pub fn look(
    commits: Commits<'_>,
    name: &NotesRef,
    theirs: Theirs,
    rescue: Rescue,
    memory: &mut Memory,
) -> Result<(Tip, Facts)> {
    let tip = refs::read(commits.repo, name.full().as_ref())?;
    let mut facts = Facts { local: tip.commit, theirs: theirs.now, lost: Vec::new(), undone: Vec::new() };
    if let (Some(commit), Rescue::Merge) = (tip.commit, rescue) {
        let reflog = reflog::read(commits, &tip.name, theirs.seen)?;
        facts.lost = rescue::look(commits, reflog.fresh(), commit, theirs.seen)?;
        let rescued = facts.lost.iter().filter(|lost| lost.fate == Fate::Rescue).map(|lost| lost.commit);
        let tips: Vec<ObjectId> = [commit].into_iter().chain(rescued).collect();
        // What the remote has may have been made here and pushed by git, and then nobody has examined it.
        let known = match theirs.seen {
            Some(seen) => vec![seen],
            None if reflog.entries().is_empty() => theirs.now.into_iter().collect(),
            None => rescue::given(reflog.fresh()),
        };
        let place = Place { tips: &tips, known: &known, reflog: reflog.entries() };
        facts.undone = clobbered::look(commits, place, memory)?;
    }
    Ok((tip, facts))
}

/// Returns the local refs that the run syncs, sorted by name.
///
/// # Errors
/// If the refs cannot be listed.
pub fn local_refs(repo: &Repository, globs: &Globs) -> Result<Vec<NotesRef>> {
    let mut found = Vec::new();
    for name in local_ref::names(repo, NOTES.into()).context("cannot list the notes refs")? {
        let Some(name) = NotesRef::found(name).filter(|name| globs.matches(name)) else { continue };
        // It may be a tracking ref of a remote that has been renamed or removed since.
        if !reflog::follows_a_remote(repo, name.full())? {
            found.push(name);
        }
    }
    Ok(found)
}

/// Returns what the remote is known to have had of a ref: when it was last asked, and up to where a run has examined
/// it. These differ as git moves the tracking ref too: through a refspec, and at the end of a push, to commits that
/// nobody has examined.
///
/// # Errors
/// If the tracking ref or its reflog cannot be read.
pub fn theirs(repo: &Repository, name: &NotesRef, remote: &RemoteName) -> Result<Theirs> {
    let Some(tracking) = tracking(repo, name, remote)? else { return Ok(Theirs::default()) };
    let Some(now) = tracking.commit else { return Ok(Theirs::default()) };
    let before = commit(repo, now)?;
    let seen = match reflog::looked_at(repo, &tracking.name, now)? {
        Some(seen) if seen == now => before,
        Some(seen) => commit(repo, seen)?,
        None => None,
    };
    Ok(Theirs { now: None, before, seen })
}

/// Returns the commit that the remote had when it was last asked; `None` also if its ref was not at a commit.
///
/// # Errors
/// If the tracking ref cannot be read.
pub fn tracked(repo: &Repository, name: &NotesRef, remote: &RemoteName) -> Result<Option<ObjectId>> {
    let tracking = tracking(repo, name, remote)?.and_then(|tracking| tracking.commit);
    tracking.map_or(Ok(None), |now| commit(repo, now))
}

fn tracking(repo: &Repository, name: &NotesRef, remote: &RemoteName) -> Result<Option<Tip>> {
    name.tracking(remote).map(|tracking| refs::find(repo, tracking.as_ref())).transpose()
}

fn commit(repo: &Repository, id: ObjectId) -> Result<Option<ObjectId>> {
    let commit = repo.try_find_object(id)?.and_then(|object| object.peel_to_commit().ok());
    Ok(commit.map(|commit| commit.id))
}
