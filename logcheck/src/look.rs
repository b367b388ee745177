//! The session logs that differ from the last commit, as plain facts.
//!
//! This is the scan, and the one place in the phase that takes time. It asks only what the answer needs: where a
//! pathspec is known that leaves out no session log, other files are not looked at, and where the index says by its
//! tree cache that it equals the last commit, the trees are not read.

use std::collections::BTreeMap;

use anyhow::Context as _;
use gix::{
    bstr::{BStr, BString},
    diff::index::{Action, ChangeRef},
    status::{
        UntrackedFiles, index_worktree::Item, plumbing::index_as_worktree_with_renames::Summary, tree_index,
    },
};

use phase::SessionLogs;

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

/// All session logs that differ from the last commit, by path.
pub(crate) fn changes(
    repo: &gix::Repository,
    logs: &SessionLogs,
) -> anyhow::Result<BTreeMap<BString, Change>> {
    let mut changes = BTreeMap::<BString, Change>::new();
    in_the_worktree(repo, logs, |path, change| {
        changes.entry(path.into()).or_default().worktree = Some(change)
    })
    .context("the work tree could not be compared with the index")?;
    if !is_index_as_committed(repo)? {
        in_the_index(repo, logs, |path, change| changes.entry(path.into()).or_default().index = Some(change))
            .context("the index could not be compared with the last commit")?;
    }
    Ok(changes)
}

fn in_the_worktree(
    repo: &gix::Repository,
    logs: &SessionLogs,
    mut see: impl FnMut(&BStr, InWorktree),
) -> anyhow::Result<()> {
    // Every file by itself, whatever status.showUntrackedFiles says: that is for people, and a commit takes them all.
    // Submodules have their own session logs and their own runs.
    let walk = repo.dirwalk_options()?;
    let items = repo
        .status(gix::progress::Discard)?
        // Where status.showUntrackedFiles says no, there is no walk to be told about yet.
        .index_worktree_options_mut(|options| options.dirwalk_options = Some(walk))
        .untracked_files(UntrackedFiles::Files)
        .index_worktree_rewrites(None)
        .index_worktree_submodules(gix::status::Submodule::Given {
            ignore: gix::submodule::config::Ignore::All,
            check_dirty: false,
        })
        .into_index_worktree_iter(scope(repo, logs)?)?;
    for item in items {
        let item = item?;
        if !logs.contain(item.rela_path()) || is_repository(&item) {
            continue;
        }
        let change = match item.summary() {
            None => continue,
            Some(Summary::Removed) => InWorktree::Removed,
            Some(Summary::Added) => InWorktree::Untracked,
            Some(Summary::IntentToAdd) => InWorktree::IntendedToAdd,
            // The last two do not occur, as no renames are looked for.
            Some(
                Summary::Modified
                | Summary::TypeChange
                | Summary::Conflict
                | Summary::Renamed
                | Summary::Copied,
            ) => InWorktree::Modified,
        };
        see(item.rela_path(), change);
    }
    Ok(())
}

/// What the scan is limited to; nothing means everything.
fn scope(repo: &gix::Repository, logs: &SessionLogs) -> anyhow::Result<Option<BString>> {
    // GIT_LITERAL_PATHSPECS and the like change the meaning of a pathspec.
    let means_what_it_says = repo.pathspec_defaults()? == gix::pathspec::Defaults::default();
    Ok(logs.pathspec().filter(|_| means_what_it_says))
}

/// A folder named like a session log that is a repository of its own is no session log.
fn is_repository(item: &Item) -> bool {
    match item {
        Item::DirectoryContents { entry, .. } => entry.disk_kind.is_some_and(|kind| kind.is_dir()),
        Item::Modification { entry, .. } => entry.mode.is_submodule(),
        Item::Rewrite { .. } => false,
    }
}

/// Whether the index provably equals the last commit. git keeps the id of the tree that the index would make in the
/// index's `TREE` extension, and drops it with any change.
fn is_index_as_committed(repo: &gix::Repository) -> anyhow::Result<bool> {
    let index = repo.index_or_empty()?;
    let head = repo.head_tree_id_or_empty()?;
    Ok(index.tree().is_some_and(|tree| tree.num_entries.is_some() && tree.id == head.detach()))
}

fn in_the_index(
    repo: &gix::Repository,
    logs: &SessionLogs,
    mut see: impl FnMut(&BStr, InIndex),
) -> anyhow::Result<()> {
    let index = repo.index_or_empty()?;
    let head = repo.head_tree_id_or_empty()?;
    // Where a file came from may lie outside of what the patterns match, so the pathspec does not limit this; without a
    // pathspec, gix would limit it to the current directory.
    let mut everything = repo.pathspec(
        false,
        None::<&str>,
        false,
        &gix::index::State::new(repo.object_hash()),
        gix::worktree::stack::state::attributes::Source::IdMapping,
    )?;
    let renames = tree_index::TrackRenames::AsConfigured;
    repo.tree_index_status(&head, &index, Some(&mut everything), renames, |change, _, _| {
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
