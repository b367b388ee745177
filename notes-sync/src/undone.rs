//! Finds commits of `git notes` that silently undid another writer's notes.
//!
//! `git notes add` reads the notes, and later asks once more what the ref is to name that as the parent of its commit.
//! If another writer came between the two, the commit stands on the other's and yet has none of its notes: in the
//! history they look removed, and a merge would remove them everywhere. What gives it away is that such a command
//! changes one note, and the commit seems to change several, or to cut off what it was to append to.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet, VecDeque},
};

use anyhow::{Context, Result};
use gix::{
    ObjectId, Repository,
    hash::oid,
    object::Kind,
    objs::{Data, Find, FindExt},
};
use remote::Commit;

use crate::{
    combine,
    commits::Commits,
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
    commits: Commits<'_>,
    tip: ObjectId,
    known: &[ObjectId],
    thrown_out: &[ObjectId],
) -> Result<Vec<Undone>> {
    let known: Vec<ObjectId> = known.iter().copied().filter(|id| commits.repo.has_object(id)).collect();
    if known.contains(&tip) {
        return Ok(Vec::new());
    }
    let trees = Trees::of(commits);
    let mut undone = Vec::new();
    let mut settled: HashSet<ObjectId> = HashSet::new();
    let history = commits.history.between(commits.repo, vec![tip], known);
    for commit in history.context("cannot read the history of notes")? {
        let message = message(commits, commit.id)?;
        if settled.contains(&commit.id) || message.starts_with(RESTORED.as_bytes()) {
            settled.extend(commit.parents.iter().copied());
            continue;
        }
        if let ([parent], Some(command)) = (commit.parents.as_slice(), Command::of(&message))
            && let Some(read) = trees.what_it_read(&commit, *parent, thrown_out, command)?
        {
            undone.push(Undone { commit: commit.id, parent: *parent, read });
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
    fn of(message: &[u8]) -> Option<Self> {
        match message.trim_ascii_end() {
            b"Notes added by 'git notes add'" => Some(Self::Add),
            b"Notes added by 'git notes append'" => Some(Self::Append),
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

fn message(commits: Commits<'_>, commit: ObjectId) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    let found = commits.objects().find_commit_iter(&commit, &mut buffer)?;
    Ok(found.message().with_context(|| format!("the commit {commit} is damaged"))?.to_vec())
}

/// Compares the notes of commits. Each commit is compared with the one before it, whose trees are kept until it is its turn.
struct Trees<'a> {
    commits: Commits<'a>,
    kept: RefCell<HashMap<ObjectId, Vec<u8>>>,
    /// Bytes of those.
    bytes: Cell<usize>,
}

/// How many bytes of trees are kept.
const ROOM: usize = 512 * 1024;

impl<'a> Trees<'a> {
    fn of(commits: Commits<'a>) -> Self {
        Self { commits, kept: RefCell::default(), bytes: Cell::new(0) }
    }

    /// What changed, as far as it matters: a command changes one note.
    fn changes(&self, older: Option<ObjectId>, tree: ObjectId) -> Result<Vec<Change>> {
        let older = older.map(|older| self.commits.tree_of(older)).transpose()?;
        let changes = diff::first_changes(self.commits.repo, self, older, Some(tree), 2)?;
        Ok(changes.notes.into_values().collect())
    }

    /// What the command had read, where that was not the parent: another commit, or that there were no notes yet.
    fn what_it_read(
        &self,
        commit: &Commit,
        parent: ObjectId,
        thrown_out: &[ObjectId],
        command: Command,
    ) -> Result<Option<Option<ObjectId>>> {
        let repo = self.commits.repo;
        if command.explains(repo, &self.changes(Some(parent), commit.tree)?)? {
            return Ok(None);
        }
        // The nearest first: in the history of what the ref was, it stood there a moment ago.
        let tips = thrown_out.iter().copied().filter(|tip| *tip != commit.id && repo.has_object(*tip));
        let mut waiting: VecDeque<Option<ObjectId>> = [parent].into_iter().chain(tips).map(Some).collect();
        let mut seen: HashSet<Option<ObjectId>> = [Some(commit.id)].into();
        while let Some(read) = waiting.pop_front() {
            if seen.len() > REACH || !seen.insert(read) {
                continue;
            }
            let changes = self.changes(read, commit.tree)?;
            if read != Some(parent) && !changes.is_empty() && command.explains(repo, &changes)? {
                return Ok(Some(read));
            }
            if let Some(read) = read {
                let before: Vec<_> =
                    repo.find_commit(read)?.parent_ids().map(|id| Some(id.detach())).collect();
                // Before the first commit there were no notes.
                waiting.extend(if before.is_empty() { vec![None] } else { before });
            }
        }
        Ok(None)
    }
}

impl Find for Trees<'_> {
    fn try_find<'b>(&self, id: &oid, buffer: &'b mut Vec<u8>) -> gix::Result<Option<Data<'b>>> {
        let mut kept = self.kept.borrow_mut();
        if let Some(tree) = kept.get(id) {
            buffer.clear();
            buffer.extend_from_slice(tree);
            return Ok(Some(Data { kind: Kind::Tree, object_hash: id.kind(), data: buffer }));
        }
        let Some(kind) = self.commits.objects().try_find(id, buffer)?.map(|found| found.kind) else {
            return Ok(None);
        };
        if kind == Kind::Tree {
            self.bytes.set(self.bytes.get() + buffer.len());
            if self.bytes.get() > ROOM {
                kept.clear();
                self.bytes.set(buffer.len());
            }
            kept.insert(id.to_owned(), buffer.clone());
        }
        Ok(Some(Data { kind, object_hash: id.kind(), data: buffer }))
    }
}
