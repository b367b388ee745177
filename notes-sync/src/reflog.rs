//! Reads the reflogs of notes refs, as far back as needed.
//!
//! A reflog records in which order git's commands saw the ref, and only it still names the commits that they dropped.

use anyhow::{Context, Result};
use gix::{
    ObjectId, Repository,
    bstr::ByteSlice,
    refs::{FullName, log::Line},
};
use store::local_ref::Movements;

use crate::commits::{Commits, Relation};

/// How many entries to read beyond the fresh ones, since a command may have read a value from before those.
const BEFORE: usize = 64;

/// One entry of a reflog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The old value; `None` if the ref did not exist.
    pub old: Option<ObjectId>,
    /// The new value.
    pub new: ObjectId,
    /// The message of the writer.
    pub message: String,
}

/// The entries of a reflog, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reflog {
    entries: Vec<Entry>,
    fresh: usize,
}

impl Reflog {
    /// Returns the entries that no run has examined yet.
    pub fn fresh(&self) -> &[Entry] {
        &self.entries[..self.fresh]
    }

    /// Returns the fresh entries and some before them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Reads a ref's reflog. Entries from before the ref grew to `synced` were examined then and are not fresh. Without a
/// reflog the result is empty.
///
/// # Errors
/// If the reflog or a commit cannot be read.
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
        // The ref may have been reset to `synced` just now, which drops what it had: that entry is fresh.
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

/// Returns the commit up to which runs have examined what a tracking ref tracks. That is `now`, its value, unless git
/// has set it at the end of a push since a run last moved it; then it is the value which that run gave it. `None` if
/// no run has moved it.
///
/// # Errors
/// If the reflog cannot be read.
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

/// Whether this ref was last moved by a run, as a tracking ref.
///
/// # Errors
/// If the reflog cannot be read.
pub fn follows_a_remote(repo: &Repository, name: &FullName) -> Result<bool> {
    let newest = lines(repo, name)?.and_then(|mut lines| lines.next()).transpose()?;
    Ok(newest.is_some_and(|line| line.message.starts_with(FOLLOWS)))
}

/// The beginning of the messages that a run writes to the reflogs of tracking refs, and to no others.
const FOLLOWS: &[u8] = b"notes-sync:";

/// The message that git writes to the reflog of a tracking ref at the end of a push (`transport.c`).
pub const PUSHED: &str = "update by push";

/// Returns the lines of a ref's reflog, the newest first; `None` if there is no reflog.
fn lines<'a>(
    repo: &Repository,
    name: &'a FullName,
) -> Result<Option<impl Iterator<Item = Result<Line>> + use<'a>>> {
    let context = move || format!("cannot read the reflog of {}", name.as_bstr());
    let lines = Movements::of(repo, name.as_ref()).with_context(context)?;
    Ok(lines.map(|lines| lines.map(move |line| line.with_context(context))))
}

/// Whether an update of the ref kept the old value's history. If a commit is missing, it counts as kept.
fn grew(commits: Commits<'_>, old: Option<ObjectId>, new: ObjectId) -> Result<bool> {
    let Some(old) = old.filter(|old| commits.repo.has_object(old) && commits.repo.has_object(new)) else {
        return Ok(true);
    };
    Ok(commits.relate(new, old)? == Relation::Contained)
}
