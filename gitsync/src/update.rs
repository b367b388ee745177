//! Takes the branch that is checked out to another commit: working tree, index and ref.
//!
//! None of the user's work is lost. The ref moves last: until then the update can be undone, by this run or, if it is
//! killed, by the next one.

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use phase::Fault;
use store::RecentObjects;

use crate::branch::{self, Moved};
use crate::changed_logs::{self, ChangedLogs};
use crate::commit::tree_of;
use crate::context::SyncContext;
use crate::look::{self, Branch, Head};
use crate::submodules::Outdated;
use crate::worktree::diff::diff;
use crate::worktree::{self, Applied, Recovered, Refused, Trash, Why};
use crate::{failpoint, index, patience, refuse};

/// The result of an update.
#[derive(Debug)]
pub enum Outcome {
    /// The branch is at the new commit.
    Done(Done),
    /// These paths must not be changed; nothing was.
    Refused(Vec<Refused>),
    /// Another process moved the branch in the meantime; nothing was changed.
    SomebodyElseMoved,
}

/// An update that was made.
#[derive(Debug)]
pub struct Done {
    /// The files that were replaced, which may still have to be removed.
    pub leavings: Option<Trash>,
    /// The session logs that changed, if that can be told.
    pub logs: Option<ChangedLogs>,
}

/// Takes `branch` to the commit `to`, of whose objects many may be in `recent`.
///
/// # Errors
/// A file or ref cannot be written, or the lock is lost.
pub fn update(
    place: &SyncContext<'_>,
    recent: &RecentObjects,
    branch: &Branch,
    to: ObjectId,
    reason: &str,
) -> anyhow::Result<Outcome> {
    let repo = &place.history.view(place.repo, recent);
    place.guard.check()?;
    let lock = patience::index_lock(place)?;
    let index = index::open(repo)?;
    refuse::unmerged(&index::unmerged_in(&index)?)?;
    let (from_tree, to_tree) = (tree_of(repo, branch.commit)?, tree_of(repo, Some(to))?);
    let facts = worktree::look(repo, &index, from_tree, to_tree, place)?;
    failpoint::reach("update-looked", place.root());
    let plan = match worktree::plan(&facts) {
        Ok(plan) => plan,
        Err(refused) => return Ok(Outcome::Refused(refused)),
    };
    let paths = facts.paths.iter().map(|facts| (facts.path.as_bstr(), facts.old, facts.new));
    let logs = branch.commit.zip(changed_logs::among(repo, paths));
    let logs = logs.map(|(from, files)| ChangedLogs { from, to, files });
    let mut submodules = Outdated::of(repo)?;
    submodules.note(repo, &facts.paths);
    submodules.write(place)?;
    place.progress.set(|| "updating the work tree".into());
    let done = match worktree::apply(repo, lock, index, &plan, place)? {
        Applied::Done(done) => done,
        Applied::Refused(refused) => return Ok(Outcome::Refused(refused)),
    };
    failpoint::reach("updated", place.root());
    place.guard.check()?;
    if let Some(before) = branch.commit {
        branch::remember(place, before)?;
    }
    let step =
        branch::Step { branch: branch.name.clone(), from: branch.commit, to, reason: BString::from(reason) };
    match branch::step(place, &step)? {
        Moved::Done => {
            failpoint::reach("moved", place.root());
            Ok(Outcome::Done(Done { leavings: done.pending.retire(repo)?, logs }))
        }
        Moved::SomebodyElseDid => {
            undone(worktree::undo(repo, done.pending, head_tree(repo)?, place)?)?;
            Ok(Outcome::SomebodyElseMoved)
        }
    }
}

/// Finishes or undoes what a killed run was doing. Returns whether there was nothing to do.
///
/// # Errors
/// A file cannot be written, another process holds the index, or the lock is lost.
pub fn recover(place: &SyncContext<'_>) -> anyhow::Result<bool> {
    place.guard.check()?;
    branch::clear(place.repo);
    index::clear(place.repo)?;
    let recovered = worktree::recover(place.repo, head_tree(place.repo)?, place)?;
    let was_settled = matches!(recovered, Recovered::Nothing);
    undone(recovered).map(|()| was_settled)
}

fn undone(recovered: Recovered) -> anyhow::Result<()> {
    match recovered {
        Recovered::Nothing | Recovered::Finished | Recovered::RolledBack { .. } => Ok(()),
        Recovered::Held(by) => Err(patience::held(&by).into()),
    }
}

fn head_tree(repo: &gix::Repository) -> anyhow::Result<ObjectId> {
    let commit = match look::head(repo)? {
        Head::Branch(branch) => branch.commit,
        Head::Detached(id) => Some(id),
    };
    tree_of(repo, commit)
}

/// Checks that the tree of `theirs` has no forbidden names other than those that `ours` has already.
///
/// # Errors
/// A fault with exit 1 that names them, or an object cannot be read.
pub fn presentable(repo: &gix::Repository, ours: ObjectId, theirs: ObjectId) -> anyhow::Result<()> {
    let hostile = diff(repo, tree_of(repo, Some(ours))?, tree_of(repo, Some(theirs))?)?.hostile;
    if hostile.is_empty() { Ok(()) } else { Err(refused(&hostile).into()) }
}

/// Returns the fault that reports paths that must not be changed.
pub fn refused(paths: &[Refused]) -> Fault {
    let mut lines: Vec<String> = paths.iter().take(10).map(ToString::to_string).collect();
    if paths.len() > lines.len() {
        lines.push(format!("and {} more", paths.len() - lines.len()));
    }
    // The user cannot do anything locally about names in a tree that somebody else pushed.
    let help = if paths.iter().any(|path| matches!(path.why, Why::Hostile(_))) {
        "such names do harm: have whoever pushed them take them out of the remote's branch; then run this again"
    } else if paths.iter().all(|path| path.why == Why::UnderFoot) {
        "run this again in another directory, such as the root of the work tree"
    } else {
        "commit these paths, or move them out of the way; then run this again"
    };
    Fault::failed(format!("what came in cannot be written, and nothing was:\n  {}", lines.join("\n  ")))
        .help(help)
}
