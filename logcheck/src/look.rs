//! Finds the session logs that differ from the last commit.
//!
//! This scan is the one part of the phase that takes time, and it does only what the answer needs: directories are
//! read, since any may contain a new log, but files that cannot be session logs are not examined; and if the
//! cache-tree extension of the index shows that the index equals the last commit, no trees are read.

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
use scan::{Ahead, Difference, Index, Interest, Reason, Scanned, Status};

/// How a session log differs from the last commit: in the index, in the working tree, or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// The difference between the last commit and the index.
    pub(crate) index: Option<InIndex>,
    /// The difference between the index and the working tree.
    pub(crate) worktree: Option<InWorktree>,
}

/// A difference between the last commit and the index. Deletions are of no interest here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InIndex {
    /// The file was added.
    Added,
    /// The file's content or type was changed.
    Modified,
    /// Another file was renamed to this path.
    Renamed,
}

/// A difference between the index and the working tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InWorktree {
    /// The file is not in the index.
    Untracked,
    /// The file is in the index without content (`git add --intent-to-add`).
    IntendedToAdd,
    /// Its content or type was changed.
    Modified,
    /// It was deleted.
    Removed,
}

/// Returns all session logs that differ from the last commit, by path. `looked_at` is called with the number of files
/// examined so far.
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

/// Starts the scan before the phase begins.
pub(crate) fn ahead(repo: &gix::Repository, turn: Turn) -> Option<Ahead> {
    Ahead::begin(repo, Logs(Arc::new(SessionLogs::of(repo).ok()?)), move || turn.has_come())
}

fn scanned(
    repo: &gix::Repository,
    logs: &Arc<SessionLogs>,
    looked_at: &dyn Fn(usize),
) -> anyhow::Result<(Index, Scanned)> {
    let index = Index::read(repo, &repo.index_path())?;
    // Files in untracked directories are listed one by one, whatever status.showUntrackedFiles says: that is about
    // output for people, and a commit includes them all.
    let scanned = scan::scan(repo, &index, &Logs(logs.clone()), looked_at)
        .context("the work tree could not be compared with the index")?;
    Ok((index, scanned))
}

/// Restricts a scan to session logs.
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
            // A directory with the name of a session log that is an embedded repository is not a session log.
            (Status::EmbeddedRepository, _) => continue,
            (Status::Untracked, _) | (_, None) => InWorktree::Untracked,
            (Status::Deleted, _) => InWorktree::Removed,
            (Status::Unmerged, _) => InWorktree::Modified,
            (Status::MaybeModified(_), Some(entry)) if entry.flags.contains(Flags::INTENT_TO_ADD) => {
                InWorktree::IntendedToAdd
            }
            (Status::MaybeModified(doubt), Some(entry)) => match doubt.reason {
                Reason::Kind => InWorktree::Modified,
                Reason::Stat | Reason::Racy if content.is_that_of(entry)? => continue,
                Reason::Stat | Reason::Racy => InWorktree::Modified,
            },
        };
        see(path, change);
    }
    Ok(())
}

/// Compares the content of files with the index, after the conversions that git applies.
struct Content<'a> {
    /// A handle that creates objects in memory only.
    repo: &'a gix::Repository,
    index: &'a gix::index::State,
    /// The conversion of line ends and encodings and the filters, set up for the first file to be read.
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

/// Returns the tree of the last commit; the empty tree if there is no commit yet.
fn head_tree(repo: &gix::Repository) -> anyhow::Result<ObjectId> {
    if is_unborn(repo)? {
        return Ok(repo.object_hash().empty_tree());
    }
    Ok(repo.head_tree_id_or_empty()?.detach())
}

/// Whether HEAD is on an unborn branch, directly or through further symbolic refs.
fn is_unborn(repo: &gix::Repository) -> anyhow::Result<bool> {
    let mut name = FullName::try_from("HEAD")?;
    // Git does not follow more symbolic refs either.
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
    // A file may have been renamed from a path that does not match the patterns, so they do not limit the diff as a
    // pathspec. Without a pathspec, gix would limit it to the current directory.
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
