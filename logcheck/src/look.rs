//! The session logs that differ from the last commit, as plain facts.
//!
//! This is the scan, and the one place in the phase that takes time. It asks only what the answer needs: folders are
//! read, since a log may be new in any of them, but no file is looked at that cannot be a session log; and where the
//! index says by its tree cache that it equals the last commit, the trees are not read.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context as _;
use gix::{
    ObjectId,
    bstr::{BStr, BString},
    diff::index::{Action, ChangeRef},
    index::{Entry, entry::Flags},
    refs::FullName,
    status::tree_index,
    worktree::stack::state::attributes::Source,
};
use phase::{SessionLogs, Turn};
use scan::{Ahead, Difference, Index, Interest, Reason, Scanned, Seen};

/// How a session log stands to the last commit: through the index, through the work tree, or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// What the index changes in the last commit.
    pub(crate) index: Option<InIndex>,
    /// What the work tree changes in the index.
    pub(crate) worktree: Option<InWorktree>,
}

/// What the index changes in the last commit. That it removes a file is of no interest here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InIndex {
    /// It adds the file.
    Added,
    /// It changes the file's content or kind.
    Modified,
    /// It moves another file to this path.
    Renamed,
}

/// What the work tree changes in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InWorktree {
    /// The index does not know the file.
    Untracked,
    /// The index knows that the file is to be added, and nothing of its content (`git add --intent-to-add`).
    IntendedToAdd,
    /// Its content or kind is another.
    Modified,
    /// It is gone.
    Removed,
}

/// All session logs that differ from the last commit, by path. `looked_at` is told how many files were looked at so
/// far.
pub(crate) fn changes(
    repo: &gix::Repository,
    logs: &Arc<SessionLogs>,
    ahead: Option<Ahead>,
    looked_at: &dyn Fn(usize),
) -> anyhow::Result<BTreeMap<BString, Change>> {
    let (index, scanned) = match ahead.and_then(|ahead| ahead.end(repo)) {
        Some(seen) => seen,
        None => scanned(repo, logs, looked_at)?,
    };
    let mut changes = BTreeMap::<BString, Change>::new();
    in_the_worktree(repo, &index, scanned.differences, |path, change| {
        changes.entry(path).or_default().worktree = Some(change)
    })
    .context("the work tree could not be compared with the index")?;
    if !is_as_committed(repo, &index)? {
        in_the_index(repo, index.decoded()?, logs, |path, change| {
            changes.entry(path.into()).or_default().index = Some(change)
        })
        .context("the index could not be compared with the last commit")?;
    }
    Ok(changes)
}

/// Begins to look for them before the phase is at work.
pub(crate) fn ahead(repo: &gix::Repository, turn: Turn) -> Option<Ahead> {
    Ahead::begin(repo, Logs(Arc::new(SessionLogs::of(repo).ok()?)), move || turn.has_come())
}

fn scanned(
    repo: &gix::Repository,
    logs: &Arc<SessionLogs>,
    looked_at: &dyn Fn(usize),
) -> anyhow::Result<(Index, Scanned)> {
    let index = Index::read(repo, &repo.index_path())?;
    // Each file of an untracked folder by itself, whatever status.showUntrackedFiles says: that is for people, and a
    // commit takes them all.
    let scanned = scan::scan(repo, &index, &Logs(logs.clone()), looked_at)
        .context("the work tree could not be compared with the index")?;
    Ok((index, scanned))
}

/// The session logs, as all that a scan has to look at.
struct Logs(Arc<SessionLogs>);

impl Interest for Logs {
    fn in_folder(&self, path: &BStr) -> bool {
        self.0.may_lie_in(path)
    }

    fn at(&self, path: &BStr) -> bool {
        self.0.contain(path)
    }
}

fn in_the_worktree(
    repo: &gix::Repository,
    index: &Index,
    differences: Vec<Difference>,
    mut see: impl FnMut(BString, InWorktree),
) -> anyhow::Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    let in_memory = repo.clone().with_object_memory();
    let index = index.decoded()?;
    let mut content = Content { repo: &in_memory, index, pipeline: None };
    for Difference { path, seen } in differences {
        let entry = index.entry_by_path(path.as_ref());
        // Submodules have their own session logs and their own runs.
        if entry.is_some_and(|entry| entry.mode.is_submodule()) {
            continue;
        }
        let change = match (seen, entry) {
            // A folder named like a session log that is a repository of its own is no session log.
            (Seen::NewRepository, _) => continue,
            (Seen::New, _) | (_, None) => InWorktree::Untracked,
            (Seen::Gone, _) => InWorktree::Removed,
            (Seen::Unmerged, _) => InWorktree::Modified,
            (Seen::Doubtful(_), Some(entry)) if entry.flags.contains(Flags::INTENT_TO_ADD) => {
                InWorktree::IntendedToAdd
            }
            (Seen::Doubtful(doubt), Some(entry)) => match doubt.reason {
                Reason::Kind => InWorktree::Modified,
                Reason::Stat | Reason::Racy if content.is_that_of(entry)? => continue,
                Reason::Stat | Reason::Racy => InWorktree::Modified,
            },
        };
        see(path, change);
    }
    Ok(())
}

/// The content of files, as git would keep it.
struct Content<'a> {
    /// Objects are made in memory only.
    repo: &'a gix::Repository,
    index: &'a gix::index::State,
    /// What line ends, encodings and filters need, once there is a file to be read.
    pipeline: Option<gix::filter::Pipeline<'a>>,
}

impl Content<'_> {
    /// Whether the file of `entry` still has the content that the entry names.
    fn is_that_of(&mut self, entry: &Entry) -> anyhow::Result<bool> {
        let pipeline = match &mut self.pipeline {
            Some(pipeline) => pipeline,
            none => {
                let attributes = self.repo.attributes_only(self.index, Source::WorktreeThenIdMapping)?;
                none.insert(gix::filter::Pipeline::new(self.repo, attributes.detach())?)
            }
        };
        let made = pipeline.worktree_file_to_object(entry.path(self.index), self.index)?;
        Ok(made.is_some_and(|(id, _, _)| id == entry.id))
    }
}

/// Whether the index provably equals the last commit.
fn is_as_committed(repo: &gix::Repository, index: &Index) -> anyhow::Result<bool> {
    Ok(index.tree() == Some(head_tree(repo)?))
}

/// The tree of the last commit; the empty one where there is none yet.
fn head_tree(repo: &gix::Repository) -> anyhow::Result<ObjectId> {
    if is_unborn(repo)? {
        return Ok(repo.object_hash().empty_tree());
    }
    Ok(repo.head_tree_id_or_empty()?.detach())
}

/// Whether the branch that is checked out has no commit yet, be it by its own name or by a second one.
fn is_unborn(repo: &gix::Repository) -> anyhow::Result<bool> {
    let mut name = FullName::try_from("HEAD")?;
    // Git follows no more names either.
    for _ in 0..=5 {
        let Some(found) = repo.try_find_reference(&name)? else { return Ok(true) };
        match found.target().try_name() {
            Some(next) => name = next.to_owned(),
            None => return Ok(false),
        }
    }
    Ok(false)
}

fn in_the_index(
    repo: &gix::Repository,
    index: &gix::index::State,
    logs: &SessionLogs,
    mut see: impl FnMut(&BStr, InIndex),
) -> anyhow::Result<()> {
    let head = head_tree(repo)?;
    // Where a file came from may lie outside of what the patterns match, so the pathspec does not limit this; without a
    // pathspec, gix would limit it to the current directory.
    let mut everything = repo.pathspec(
        false,
        None::<&str>,
        false,
        &gix::index::State::new(repo.object_hash()),
        Source::IdMapping,
    )?;
    let renames = tree_index::TrackRenames::AsConfigured;
    repo.tree_index_status(&head, index, Some(&mut everything), renames, |change, _, _| {
        let (path, mode, change) = match &change {
            ChangeRef::Deletion { .. } => return Ok(Action::Continue(())),
            ChangeRef::Addition { location, entry_mode, .. } => (location, entry_mode, InIndex::Added),
            ChangeRef::Modification { location, entry_mode, .. } => (location, entry_mode, InIndex::Modified),
            ChangeRef::Rewrite { location, entry_mode, copy: true, .. } => {
                (location, entry_mode, InIndex::Added)
            }
            ChangeRef::Rewrite { location, entry_mode, copy: false, .. } => {
                (location, entry_mode, InIndex::Renamed)
            }
        };
        if logs.contain(path) && !mode.is_submodule() {
            see(path, change);
        }
        Ok(Action::Continue(()))
    })?;
    Ok(())
}
