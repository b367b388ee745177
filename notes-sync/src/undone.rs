//! Finds commits of `git notes` that silently undid another writer's notes.
//!
//! `git notes add` reads the notes, and later asks once more what the ref is to name that as the parent of its commit.
//! If another writer came between the two, the commit stands on the other's and yet has none of its notes: in the
//! history they look removed, and a merge would remove them everywhere. What gives it away is that such a command
//! changes one note, and the commit seems to change several, or to cut off what it was to append to.

use std::collections::{HashSet, VecDeque};

use anyhow::{Context, Result};
use gix::{ObjectId, Repository};

use crate::{
    combine, commits,
    tree::diff::{self, Change},
};

/// The message of the commits that put such notes back. What is older than one of them was looked at when it was made.
pub const RESTORED: &str = "Notes restored that were undone by";

/// How many commits are looked at for the notes that a command had read. A race spans the few that were made meanwhile, and a
/// merge among them brings in as many as came from elsewhere.
const REACH: usize = 256;

/// A commit that undid what its parent brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undone {
    /// The commit.
    pub commit: ObjectId,
    /// Its parent, of which it knew nothing but the id.
    pub parent: ObjectId,
    /// The older commit whose notes it had read; `None` where there were no notes yet.
    pub read: Option<ObjectId>,
}

/// Looks for such commits in the history of `tip`, the oldest first, leaving out that of `known`. What a command had read may
/// be one of `thrown_out`, the tips that the ref had for a moment.
///
/// # Errors
/// Where a commit or tree cannot be read.
pub fn look(
    repo: &Repository,
    tip: ObjectId,
    known: &[ObjectId],
    thrown_out: &[ObjectId],
) -> Result<Vec<Undone>> {
    let known: Vec<ObjectId> = known.iter().copied().filter(|id| repo.has_object(id)).collect();
    if known.contains(&tip) {
        return Ok(Vec::new());
    }
    let mut undone = Vec::new();
    let mut settled: HashSet<ObjectId> = HashSet::new();
    for info in repo.rev_walk([tip]).with_hidden(known).all()? {
        let info = info.context("cannot read the history of notes")?;
        let commit = repo.find_commit(info.id)?;
        let message = commit.message_raw()?.to_string();
        if settled.contains(&info.id) || message.starts_with(RESTORED) {
            settled.extend(info.parent_ids.iter().copied());
            continue;
        }
        if let ([parent], Some(command)) = (info.parent_ids.as_slice(), Command::of(&message))
            && let Some(read) = what_it_read(repo, info.id, *parent, thrown_out, command)?
        {
            undone.push(Undone { commit: info.id, parent: *parent, read });
        }
    }
    undone.reverse();
    Ok(undone)
}

/// A command of git that changes one note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    /// It puts a note in place.
    Add,
    /// It puts text behind a note.
    Append,
}

impl Command {
    fn of(message: &str) -> Option<Self> {
        match message.trim_end() {
            "Notes added by 'git notes add'" => Some(Self::Add),
            "Notes added by 'git notes append'" => Some(Self::Append),
            _ => None,
        }
    }

    /// Whether the command can have made these changes.
    fn explains(self, repo: &Repository, changes: &[Change]) -> Result<bool> {
        let [change] = changes else {
            return Ok(changes.is_empty());
        };
        match (self, change.old, change.new) {
            (Self::Add, _, _) | (Self::Append, None, Some(_)) => Ok(true),
            (Self::Append, _, None) => Ok(false),
            (Self::Append, Some(old), Some(new)) => {
                let (old, new) = (combine::read(repo, old)?, combine::read(repo, new)?);
                Ok(new.starts_with(old.trim_ascii_end()))
            }
        }
    }
}

/// What the command had read, where that was not the parent: another commit, or that there were no notes yet.
fn what_it_read(
    repo: &Repository,
    commit: ObjectId,
    parent: ObjectId,
    thrown_out: &[ObjectId],
    command: Command,
) -> Result<Option<Option<ObjectId>>> {
    let tree = commits::tree_of(repo, commit)?;
    let changes_since = |older: Option<ObjectId>| -> Result<Vec<Change>> {
        let older = older.map(|older| commits::tree_of(repo, older)).transpose()?;
        Ok(diff::changes(repo, older, Some(tree))?.notes.into_values().collect())
    };
    if command.explains(repo, &changes_since(Some(parent))?)? {
        return Ok(None);
    }
    // The nearest first: in the history of what the ref was, it stood there a moment ago.
    let tips = thrown_out.iter().copied().filter(|tip| *tip != commit && repo.has_object(*tip));
    let mut waiting: VecDeque<Option<ObjectId>> = [parent].into_iter().chain(tips).map(Some).collect();
    let mut seen: HashSet<Option<ObjectId>> = [Some(commit)].into();
    while let Some(read) = waiting.pop_front() {
        if seen.len() > REACH || !seen.insert(read) {
            continue;
        }
        let changes = changes_since(read)?;
        if read != Some(parent) && !changes.is_empty() && command.explains(repo, &changes)? {
            return Ok(Some(read));
        }
        if let Some(read) = read {
            let before: Vec<_> = repo.find_commit(read)?.parent_ids().map(|id| Some(id.detach())).collect();
            // Before the first commit there were no notes.
            waiting.extend(if before.is_empty() { vec![None] } else { before });
        }
    }
    Ok(None)
}
