//! Lists the commits that one command may have read, the likeliest first.

use std::collections::{HashSet, VecDeque};

use anyhow::{Context, Result};
use gix::{ObjectId, objs::FindExt};

use super::search::Suspect;
use crate::{commits::Commits, reflog::Entry};

/// The maximum number of reflog entries, commits and candidates to consider. A race spans the few commits made
/// meanwhile, plus those that a merge among them brings in.
const REACH: usize = 256;

/// The candidates for what a command had read: commits, and `None` for no notes yet.
pub(super) struct Trail<'a> {
    /// The commit of the command.
    pub(super) suspect: Suspect,
    /// The reflog entries up to its parent. Their old values are the first candidates.
    movements: &'a [Entry],
    /// Commits of its history whose parents come next.
    walk: VecDeque<ObjectId>,
    walked: HashSet<ObjectId>,
    /// The next candidates from that history.
    found: VecDeque<Option<ObjectId>>,
    seen: HashSet<Option<ObjectId>>,
}

impl<'a> Trail<'a> {
    /// Creates the list for a commit from the reflog entries up to it, the newest first.
    pub(super) fn new(suspect: Suspect, movements: &'a [Entry]) -> Self {
        let movements = &movements[..movements.len().min(REACH)];
        let parent = movements.iter().position(|entry| entry.new == suspect.parent);
        Self {
            suspect,
            movements: &movements[parent.unwrap_or(0)..],
            walk: [suspect.parent].into(),
            walked: HashSet::new(),
            found: VecDeque::new(),
            seen: [Some(suspect.commit), Some(suspect.parent)].into(),
        }
    }

    /// Returns the next candidate.
    ///
    /// # Errors
    /// If a commit cannot be read.
    pub(super) fn next(&mut self, commits: Commits<'_>) -> Result<Option<Option<ObjectId>>> {
        if self.seen.len() > REACH {
            return Ok(None);
        }
        // Unreachable commits may have been pruned.
        let is_here = |read: Option<ObjectId>| read.is_none_or(|read| commits.repo.has_object(read));
        while let Some((movement, older)) = self.movements.split_first() {
            self.movements = older;
            if self.seen.insert(movement.old) && is_here(movement.old) {
                return Ok(Some(movement.old));
            }
        }
        while self.walked.len() < REACH {
            if let Some(read) = self.found.pop_front() {
                return Ok(Some(read));
            }
            let Some(commit) = self.walk.pop_front() else { break };
            if self.walked.insert(commit) {
                self.step_behind(commit, commits)?;
            }
        }
        Ok(self.found.pop_front())
    }

    fn step_behind(&mut self, commit: ObjectId, commits: Commits<'_>) -> Result<()> {
        let mut buffer = Vec::new();
        let found = commits.objects().find_commit_iter(&commit, &mut buffer);
        let parents: Vec<_> =
            found.with_context(|| format!("cannot read the commit {commit}"))?.parent_ids().collect();
        // Before the root commit there were no notes.
        if parents.is_empty() && self.seen.insert(None) {
            self.found.push_back(None);
        }
        // The history of a shallow clone ends earlier.
        for parent in parents.into_iter().filter(|parent| commits.repo.has_object(parent)) {
            self.walk.push_back(parent);
            if self.seen.insert(Some(parent)) {
                self.found.push_back(Some(parent));
            }
        }
        Ok(())
    }
}
