//! Where a notes ref has been: its reflog, as far back as it matters.
//!
//! It is what git's commands leave behind of the order in which they saw the ref, and the only thing that still names
//! the commits which they threw out.

use anyhow::{Context, Result};
use gix::{
    ObjectId, Repository,
    bstr::ByteSlice,
    refs::{FullName, log::Line},
};
use remote::local_ref::Movements;

use crate::commits::{Commits, Relation};

/// How many movements are read beyond those that are new: what a command had read is from before they began.
const BEFORE: usize = 64;

/// One movement of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it was; `None` where it did not exist.
    pub old: Option<ObjectId>,
    /// Where it went.
    pub new: ObjectId,
    /// Why, in the words of whoever moved it.
    pub message: String,
}

/// The movements of a ref, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reflog {
    entries: Vec<Entry>,
    fresh: usize,
}

impl Reflog {
    /// Those that nobody has looked at yet.
    pub fn fresh(&self) -> &[Entry] {
        &self.entries[..self.fresh]
    }

    /// Those and some before them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Reads a ref's reflog. What it holds from before the ref grew to `synced` was looked at then; nothing at all where no
/// log is kept.
///
/// # Errors
/// Where the reflog or a commit cannot be read.
pub fn read(commits: Commits<'_>, name: &FullName, synced: Option<ObjectId>) -> Result<Reflog> {
    let (mut reflog, mut last_fresh) = (Reflog::default(), None);
    for line in lines(commits.repo, name)?.into_iter().flatten() {
        let line = line?;
        let old = Some(line.previous_oid).filter(|old| !old.is_null());
        reflog.entries.push(Entry {
            old,
            new: line.new_oid,
            message: line.message.to_str_lossy().into_owned(),
        });
        let read = reflog.entries.len();
        // It may have been moved back there just now, and have thrown out what it had.
        if last_fresh.is_none() && Some(line.new_oid) == synced && grew(commits, old, line.new_oid)? {
            last_fresh = Some(read);
        }
        if last_fresh.is_some_and(|last| read >= last + BEFORE) {
            break;
        }
    }
    reflog.fresh = last_fresh.unwrap_or(reflog.entries.len());
    Ok(reflog)
}

/// Up to where runs have looked at what a tracking ref follows, which is at `now`: there, unless git put it there, or
/// below, at the end of a push; then where a run last moved it. `None`: no run has.
///
/// # Errors
/// Where the reflog cannot be read.
pub fn looked_at(repo: &Repository, name: &FullName, now: ObjectId) -> Result<Option<ObjectId>> {
    let Some(lines) = lines(repo, name)? else { return Ok(Some(now)) };
    let mut is_pushed = false;
    for line in lines {
        let line = line?;
        if line.message.starts_with(FOLLOWS) {
            return Ok(Some(if is_pushed { line.new_oid } else { now }));
        }
        is_pushed |= line.message == PUSHED;
    }
    Ok(None)
}

/// Whether it was a run that last moved this ref, as one that follows what a remote has.
///
/// # Errors
/// Where the reflog cannot be read.
pub fn follows_a_remote(repo: &Repository, name: &FullName) -> Result<bool> {
    let newest = lines(repo, name)?.and_then(|mut lines| lines.next()).transpose()?;
    Ok(newest.is_some_and(|line| line.message.starts_with(FOLLOWS)))
}

/// What a run notes down for tracking refs begins so, and nothing that it notes down for others.
const FOLLOWS: &[u8] = b"notes-sync:";

/// What git notes down for a tracking ref at the end of a push (`transport.c`).
pub const PUSHED: &str = "update by push";

/// The lines of a ref's reflog, the newest first; none where no log is kept.
fn lines<'a>(
    repo: &Repository,
    name: &'a FullName,
) -> Result<Option<impl Iterator<Item = Result<Line>> + use<'a>>> {
    let context = move || format!("cannot read the reflog of {}", name.as_bstr());
    let lines = Movements::of(repo, name.as_ref()).with_context(context)?;
    Ok(lines.map(|lines| lines.map(move |line| line.with_context(context))))
}

/// Whether a movement of the ref lost nothing.
fn grew(commits: Commits<'_>, old: Option<ObjectId>, new: ObjectId) -> Result<bool> {
    let Some(old) = old.filter(|old| commits.repo.has_object(old) && commits.repo.has_object(new)) else {
        return Ok(true);
    };
    Ok(commits.relate(new, old)? == Relation::Contained)
}
