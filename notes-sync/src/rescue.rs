//! Finds tips of a notes ref that a racing writer threw out.
//!
//! `git notes` reads the ref, makes a commit, and writes the ref without looking again: of two at once, one wins and
//! the other's notes are gone, though it reported success. The ref's reflog still has them.
//!
//! A reset that somebody meant looks much alike. So a tip is only taken back where the reflog says that both sides were
//! at work by themselves: `notes:` wrote it, and another `notes:` or a forced fetch replaced it.

use std::collections::HashSet;

use anyhow::{Context, Result};
use gix::{ObjectId, bstr::ByteSlice, refs::FullName};

use crate::commits::{Commits, Relation};

/// A tip that the ref had and does not have any more, in itself or in its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Its commit.
    pub commit: ObjectId,
    /// What to do about it.
    pub fate: Fate,
}

/// What to do about a tip that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A racing writer threw it out: merge it back in.
    Rescue,
    /// It may have been meant: tell the user.
    Report,
}

/// One movement of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it went.
    pub new: ObjectId,
    /// Why, in the words of whoever moved it.
    pub message: String,
}

/// The tips that are missing from the history of `tip`, the oldest first.
///
/// `synced` is what the remote is known to have had: what the reflog holds from before the ref grew to that value was
/// looked at then.
///
/// # Errors
/// Where the reflog or a commit cannot be read.
pub fn look(
    commits: Commits<'_>,
    name: &FullName,
    tip: ObjectId,
    synced: Option<ObjectId>,
) -> Result<Vec<Lost>> {
    let mut candidates = thrown_out(&entries(commits, name, synced)?, tip);
    if candidates.is_empty() {
        return Ok(candidates);
    }
    let repo = commits.repo;
    let known = synced.into_iter().filter(|id| repo.has_object(id)).collect();
    let recent = commits.history.between(repo, vec![tip], known);
    let recent = recent.with_context(|| format!("cannot read the history of {}", name.as_bstr()))?;
    let recent: HashSet<ObjectId> = recent.into_iter().map(|commit| commit.id).collect();
    // Commits that nothing named any more may have been pruned.
    candidates.retain(|lost| !recent.contains(&lost.commit) && repo.has_object(lost.commit));
    let mut missing = Vec::new();
    for lost in candidates {
        if commits.relate(tip, lost.commit)? != Relation::Contained {
            missing.push(lost);
        }
    }
    missing.reverse();
    Ok(missing)
}

/// The tips in `entries`, the newest first, that were replaced by something else than `tip`.
fn thrown_out(entries: &[Entry], tip: ObjectId) -> Vec<Lost> {
    let mut seen = HashSet::from([tip]);
    let mut lost = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        // Whoever replaced the newest has not written why yet: another writer is at it right now.
        let replaced_by = index.checked_sub(1).and_then(|newer| entries.get(newer));
        if !entry.new.is_null() && seen.insert(entry.new) {
            let raced = replaced_by.is_none_or(|entry| is_notes(entry) || is_forced_fetch(entry));
            let fate = if is_notes(entry) && raced { Fate::Rescue } else { Fate::Report };
            lost.push(Lost { commit: entry.new, fate });
        }
    }
    lost
}

fn is_notes(entry: &Entry) -> bool {
    entry.message.starts_with("notes:")
}

fn is_forced_fetch(entry: &Entry) -> bool {
    entry.message.ends_with("forced-update")
}

/// The reflog, the newest entry first, back to when the ref had the value `until`.
fn entries(commits: Commits<'_>, name: &FullName, until: Option<ObjectId>) -> Result<Vec<Entry>> {
    let Some(reference) = commits.repo.try_find_reference(name.as_ref())? else {
        return Ok(Vec::new());
    };
    let mut platform = reference.log_iter();
    let unreadable = || format!("cannot read the reflog of {}", name.as_bstr());
    let mut entries = Vec::new();
    for line in platform.rev().with_context(unreadable)?.into_iter().flatten() {
        // A line that another writer is at the middle of is whole by the next run.
        let Ok(line) = line else { continue };
        entries.push(Entry { new: line.new_oid, message: line.message.to_str_lossy().into_owned() });
        // It may have been moved back there just now, and have thrown out what it had.
        if Some(line.new_oid) == until && grew(commits, line.previous_oid, line.new_oid)? {
            break;
        }
    }
    Ok(entries)
}

/// Whether a movement of the ref lost nothing.
fn grew(commits: Commits<'_>, old: ObjectId, new: ObjectId) -> Result<bool> {
    let repo = commits.repo;
    if old.is_null() || !repo.has_object(old) || !repo.has_object(new) {
        return Ok(true);
    }
    Ok(commits.relate(new, old)? == Relation::Contained)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::try_from([number; 20].as_slice()).expect("20 bytes")
    }

    fn entry(number: u8, message: &str) -> Entry {
        Entry { new: id(number), message: message.into() }
    }

    const APPENDED: &str = "notes: Notes added by 'git notes append'";

    #[test]
    fn a_tip_that_a_racing_append_replaced_is_rescued() {
        let entries = [entry(3, APPENDED), entry(2, APPENDED), entry(1, APPENDED)];
        let lost = thrown_out(&entries, id(3));
        assert_eq!(
            lost,
            [Lost { commit: id(2), fate: Fate::Rescue }, Lost { commit: id(1), fate: Fate::Rescue }]
        );
    }

    #[test]
    fn notes_that_a_forced_fetch_overwrote_are_rescued() {
        let entries = [entry(2, "fetch origin: forced-update"), entry(1, APPENDED)];
        assert_eq!(thrown_out(&entries, id(2)), [Lost { commit: id(1), fate: Fate::Rescue }]);
    }

    #[test]
    fn what_somebody_reset_is_only_reported() {
        let entries = [entry(2, "update by hand"), entry(1, APPENDED)];
        assert_eq!(thrown_out(&entries, id(2)), [Lost { commit: id(1), fate: Fate::Report }]);
        let entries = [entry(2, ""), entry(1, "fetch: storing head")];
        assert_eq!(thrown_out(&entries, id(2)), [Lost { commit: id(1), fate: Fate::Report }]);
    }
}
