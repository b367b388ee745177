//! What somebody wrote in a merge itself: how they resolved a conflict, or an edit that went along.
//!
//! Merges are left out of a replay, since what they merged is replayed commit by commit. What is in none of these
//! commits would be gone from branch and work tree, without a word. A merge of both tips has it.

use gix::ObjectId;
use remote::History;

use super::linear::Commit;
use super::merge::{Merged, Merger};
use super::{Replay, WayOut, content};
use crate::watch::Watch;

/// The newest merge of `range`, which is sorted oldest first, that is not what merging its parents gives.
///
/// # Errors
/// An object cannot be read, or a merge driver breaks down.
pub fn newest_with_content_of_its_own(
    repo: &gix::Repository,
    range: &[Commit],
    watch: &dyn Watch,
) -> anyhow::Result<Option<ObjectId>> {
    if !range.iter().any(Commit::is_merge) {
        return Ok(None);
    }
    // What is tried out here belongs to no history.
    let repo = remote::another(repo).with_object_memory();
    let (mut merger, history) = (Merger::new(&repo, watch), History::of(&repo));
    for merge in range.iter().rev().filter(|commit| commit.is_merge()) {
        if has_content_of_its_own(&repo, &history, &mut merger, merge)? {
            return Ok(Some(merge.id));
        }
    }
    Ok(None)
}

fn has_content_of_its_own(
    repo: &gix::Repository,
    history: &History,
    merger: &mut Merger<'_>,
    merge: &Commit,
) -> anyhow::Result<bool> {
    // Of more than two parents nobody knows in which order they were merged.
    let &[ours, theirs] = merge.parents.as_slice() else { return Ok(true) };
    let base = base_tree(repo, history, ours, theirs)?;
    Ok(match merger.merge(base, tree(repo, ours)?, tree(repo, theirs)?)? {
        Merged::Clean(merged) => merged != tree(repo, merge.id)?,
        Merged::Conflict(_) => true,
    })
}

/// The trees of both tips, merged. The local one is merged into the other, as when it is replayed commit by commit:
/// drivers and attributes then have the same say.
///
/// # Errors
/// An object cannot be read, or a merge driver breaks down.
pub fn of_tips(repo: &gix::Repository, merger: &mut Merger<'_>, what: Replay) -> anyhow::Result<Merged> {
    let base = if what.upstream == what.onto {
        base_tree(repo, &History::of(repo), what.onto, what.head)?
    } else {
        tree(repo, what.upstream)?
    };
    merger.merge(base, tree(repo, what.onto)?, tree(repo, what.head)?)
}

/// What helps where a commit of `range` does not apply.
///
/// # Errors
/// An object cannot be read, or a merge driver breaks down.
pub fn way_out(
    repo: &gix::Repository,
    merger: &mut Merger<'_>,
    what: Replay,
    range: &[Commit],
) -> anyhow::Result<WayOut> {
    if !range.iter().any(Commit::is_merge) {
        return Ok(WayOut::Rebase);
    }
    Ok(match of_tips(repo, merger, what)? {
        Merged::Clean(_) => WayOut::Merge,
        Merged::Conflict(_) => WayOut::Rebase,
    })
}

/// The tree that two commits began with: an empty one where they have nothing in common, and where they have several
/// such commits, those merged.
fn base_tree(
    repo: &gix::Repository,
    history: &History,
    one: ObjectId,
    other: ObjectId,
) -> anyhow::Result<ObjectId> {
    let bases = history.bases(repo, one, &[other])?;
    match bases.as_slice() {
        [] => Ok(repo.object_hash().empty_tree()),
        [base] => tree(repo, *base),
        [rest @ .., second, first] => merged_base(repo, *first, *second, rest.to_vec()),
    }
}

/// The tree of several commits that two others have in common, merged as git merges such, but as text throughout: what a
/// driver cannot merge would have to be a conflict, and a base has none.
fn merged_base(
    repo: &gix::Repository,
    first: ObjectId,
    second: ObjectId,
    others: Vec<ObjectId>,
) -> anyhow::Result<ObjectId> {
    let graph = repo.commit_graph_if_enabled()?;
    let merged = gix::merge::plumbing::commit::virtual_merge_base(
        first,
        second,
        others,
        &mut repo.revision_graph(graph.as_ref()),
        &mut repo.diff_resource_cache_for_tree_diff()?,
        &mut content::without_drivers(repo)?,
        repo,
        &mut |id| id.to_string(),
        content::options(repo)?,
    )?;
    Ok(merged.tree_id)
}

fn tree(repo: &gix::Repository, commit: ObjectId) -> anyhow::Result<ObjectId> {
    Ok(repo.find_commit(commit)?.tree_id()?.detach())
}
