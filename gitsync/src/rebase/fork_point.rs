//! Finds the commit at which the local commits left the upstream, even if the upstream has been rewritten since.
//!
//! Commits that the upstream once had, and dropped, would otherwise be replayed as if they were local: the mistake
//! that somebody just removed from the shared history would come back with the next sync. The reflog of the tracking
//! ref tells where the upstream was, as for `git merge-base --fork-point`:
//! <https://git-scm.com/docs/git-merge-base#_discussion_on_fork_point_mode>.

use anyhow::Context as _;
use gix::ObjectId;
use gix::refs::FullNameRef;
use store::History;

use super::{Replay, cherry, topo_order};

/// All commits that a tracking ref has been at, oldest first, up to the current one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamReflog(Vec<ObjectId>);

impl UpstreamReflog {
    /// Whether it was ever at this commit.
    pub fn contains(&self, id: ObjectId) -> bool {
        self.0.contains(&id)
    }
}

/// Reads the reflog of `tracking`. To be called before a fetch: local commits cannot have started from a commit that
/// is only fetched now.
///
/// # Errors
/// The ref or its log cannot be read.
pub fn seen(repo: &gix::Repository, tracking: &FullNameRef) -> anyhow::Result<UpstreamReflog> {
    let Some(mut reference) = repo.try_find_reference(tracking)? else {
        return Ok(UpstreamReflog::default());
    };
    let mut ids = Vec::new();
    let mut log = reference.log_iter();
    let lines = log.all().with_context(|| format!("cannot read the reflog of {}", tracking.as_bstr()))?;
    for line in lines.into_iter().flatten() {
        // A line that was truncated by a crash is ignored, as by git.
        let Ok(line) = line else { continue };
        if ids.is_empty() && !line.previous_oid().is_null() {
            ids.push(line.previous_oid());
        }
        ids.push(line.new_oid());
    }
    if ids.is_empty() {
        ids.push(reference.peel_to_id()?.detach());
    }
    ids.retain(|id| !id.is_null());
    let mut known = std::collections::HashSet::new();
    ids.retain(|id| known.insert(*id));
    Ok(UpstreamReflog(ids))
}

/// Returns the commit from which the local commits up to `head` are counted: `onto`, unless they started at a commit
/// that `onto` no longer contains.
///
/// # Errors
/// The history cannot be read.
pub fn base_for(
    repo: &gix::Repository,
    history: &History,
    seen: &UpstreamReflog,
    onto: ObjectId,
    head: ObjectId,
) -> anyhow::Result<ObjectId> {
    // Commits that were dropped long ago may have been pruned.
    let known: Vec<ObjectId> = seen.0.iter().copied().filter(|id| repo.has_object(id)).collect();
    if known.is_empty() {
        return Ok(onto);
    }
    let bases = history.bases(repo, head, &known)?;
    let &[fork_point] = bases.as_slice() else { return Ok(onto) };
    if !known.contains(&fork_point) || crate::history::is_ancestor(repo, history, fork_point, onto)? {
        return Ok(onto);
    }
    Ok(fork_point)
}

/// Local commits that a replay leaves out because the upstream once had them and has dropped them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedCommits {
    /// The former tip of the upstream: all of them are reachable from it.
    pub tip: ObjectId,
    /// The commits, newest first, without merges and without commits that the upstream has under another id.
    pub commits: Vec<ObjectId>,
}

/// Returns what a replay leaves out, or `None` if that is nothing. What is `known` of the history is not read again.
///
/// # Errors
/// An object cannot be read.
pub fn thrown_out(
    repo: &gix::Repository,
    known: &History,
    what: Replay,
) -> anyhow::Result<Option<DroppedCommits>> {
    if what.upstream == what.onto {
        return Ok(None);
    }
    let range = topo_order::commits(repo, known, what.onto, what.upstream)?;
    let rewritten = Replay { upstream: what.onto, head: what.upstream, ..what };
    let still_there = cherry::upstream_has(repo, known, rewritten, &range)?;
    let gone = range.iter().rev().filter(|commit| !commit.is_merge() && !still_there.contains(&commit.id));
    let commits: Vec<ObjectId> = gone.map(|commit| commit.id).collect();
    Ok((!commits.is_empty()).then_some(DroppedCommits { tip: what.upstream, commits }))
}
