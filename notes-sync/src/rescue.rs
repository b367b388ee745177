//! Finds tips of a notes ref that a racing writer dropped.
//!
//! `git notes` reads the ref, makes a commit, and overwrites the ref without checking it again: of two concurrent
//! commands, one wins and the other's notes are gone, though it reported success. The ref's reflog still has them.
//!
//! An intentional reset looks much alike. So a tip is only restored if the reflog shows that commands on both sides
//! moved the ref: `notes:` wrote the tip, and another `notes:`, a fetch, or the end of a push replaced it.

use std::collections::HashSet;

use anyhow::{Context, Result};
use gix::ObjectId;

use crate::{
    commits::{Commits, Relation},
    reflog::{self, Entry},
};

/// A former tip of the ref that is neither its tip any more nor in its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Its commit.
    pub commit: ObjectId,
    /// What to do about it.
    pub fate: Fate,
}

/// What to do about a lost tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A racing writer dropped it: merge it back in.
    Rescue,
    /// It may have been dropped on purpose: tell the user.
    Report,
}

/// Returns the tips that are missing from the history of `tip`, the oldest first.
///
/// `fresh` are the reflog entries that no run has examined, the newest first; `synced` is the commit that the remote
/// is known to have had.
///
/// # Errors
/// If a commit cannot be read.
pub fn look(
    commits: Commits<'_>,
    fresh: &[Entry],
    tip: ObjectId,
    synced: Option<ObjectId>,
) -> Result<Vec<Lost>> {
    let mut candidates = thrown_out(fresh, tip);
    if candidates.is_empty() {
        return Ok(candidates);
    }
    let repo = commits.repo;
    let known = synced.into_iter().filter(|id| repo.has_object(id)).collect();
    let recent = commits.history.between(repo, vec![tip], known);
    let recent = recent.context("cannot read the history of notes")?;
    let recent: HashSet<ObjectId> = recent.into_iter().map(|commit| commit.id).collect();
    // Unreachable commits may have been pruned.
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

/// Returns the new values in `entries` that were set neither by a notes command here nor at the end of a push of the
/// ref: commits made elsewhere.
pub fn given(entries: &[Entry]) -> Vec<ObjectId> {
    entries.iter().filter(|entry| !is_notes(entry) && !is_of_a_push(entry)).map(|entry| entry.new).collect()
}

/// Returns the values in `entries` other than `tip`, the newest first, with what to do about each.
fn thrown_out(entries: &[Entry], tip: ObjectId) -> Vec<Lost> {
    let mut seen = HashSet::from([tip]);
    let mut lost = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        // The newest entry may be replaced already without a log line: the other writer is just writing it.
        let replaced_by = index.checked_sub(1).and_then(|newer| entries.get(newer));
        if !entry.new.is_null() && seen.insert(entry.new) {
            let raced = replaced_by.is_none_or(|entry| is_notes(entry) || is_of_a_refspec(entry));
            let fate = if is_notes(entry) && raced { Fate::Rescue } else { Fate::Report };
            lost.push(Lost { commit: entry.new, fate });
        }
    }
    lost
}

fn is_notes(entry: &Entry) -> bool {
    entry.message.starts_with("notes:")
}

/// Whether a refspec that fetches into local notes moved the ref, according to git's messages (`builtin/fetch.c`,
/// `transport.c`): a forced update, one that created the ref although it had existed a moment before, or one back to
/// what a push had just sent.
fn is_of_a_refspec(entry: &Entry) -> bool {
    let message = entry.message.as_str();
    is_of_a_push(entry) || message.ends_with(": forced-update") || message.ends_with(": storing ref")
}

fn is_of_a_push(entry: &Entry) -> bool {
    entry.message == reflog::PUSHED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::try_from([number; 20].as_slice()).expect("20 bytes")
    }

    fn entry(number: u8, message: &str) -> Entry {
        Entry { old: None, new: id(number), message: message.into() }
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
    fn what_was_written_while_git_fetched_or_pushed_through_a_refspec_onto_it_is_rescued() {
        for reason in ["fetch origin +refs/notes/*:refs/notes/*: storing ref", "update by push"] {
            let entries = [entry(2, reason), entry(1, APPENDED)];
            assert_eq!(thrown_out(&entries, id(2)), [Lost { commit: id(1), fate: Fate::Rescue }], "{reason}");
        }
    }

    #[test]
    fn what_somebody_reset_is_only_reported() {
        let entries = [entry(2, "update by hand"), entry(1, APPENDED)];
        assert_eq!(thrown_out(&entries, id(2)), [Lost { commit: id(1), fate: Fate::Report }]);
        let entries = [entry(2, ""), entry(1, "fetch: storing head")];
        assert_eq!(thrown_out(&entries, id(2)), [Lost { commit: id(1), fate: Fate::Report }]);
    }
}
