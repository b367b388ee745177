//! Keeps content that exists only in a merge commit, such as the resolution of a conflict or another edit.
//!
//! A replay leaves merges out, since the commits that they merged are replayed one by one. Content that is in none of
//! these commits would silently disappear from the branch and the working tree. A merge of both tips contains it.

use gix::ObjectId;
use store::History;

use super::merge::{Merged, Merger};
use super::topo_order::Commit;
use super::{Advice, Replay, content};
use crate::watch::Watch;

/// Returns the newest merge of `range`, which is sorted oldest first, whose tree differs from the result of merging
/// its parents.
///
/// # Errors
/// An object cannot be read, or a merge driver fails.
pub fn newest_with_content_of_its_own(
    repo: &gix::Repository,
    range: &[Commit],
    watch: &dyn Watch,
) -> anyhow::Result<Option<ObjectId>> {
    if !range.iter().any(Commit::is_merge) {
        return Ok(None);
    }
    // The trial merges are not to be stored in the repository.
    let repo = store::clone_view(repo).with_object_memory();
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
    // The order in which an octopus merge was made is unknown, so it counts as having content of its own.
    let &[ours, theirs] = merge.parents.as_slice() else { return Ok(true) };
    let base = base_tree(repo, history, ours, theirs)?;
    Ok(match merger.merge(base, tree(repo, ours)?, tree(repo, theirs)?)? {
        Merged::Clean(merged) => merged != tree(repo, merge.id)?,
        Merged::Conflict(_) => true,
    })
}

/// Merges the trees of both tips. The local one is merged into the other, as when it is replayed commit by commit, so
/// that drivers and attributes apply in the same way.
///
/// # Errors
/// An object cannot be read, or a merge driver fails.
pub fn of_tips(repo: &gix::Repository, merger: &mut Merger<'_>, what: Replay) -> anyhow::Result<Merged> {
    let base = if what.upstream == what.onto {
        base_tree(repo, &History::of(repo), what.onto, what.head)?
    } else {
        tree(repo, what.upstream)?
    };
    merger.merge(base, tree(repo, what.onto)?, tree(repo, what.head)?)
}

/// Returns the advice for a conflict in a commit of `range`.
///
/// # Errors
/// An object cannot be read, or a merge driver fails.
pub fn way_out(
    repo: &gix::Repository,
    merger: &mut Merger<'_>,
    what: Replay,
    range: &[Commit],
) -> anyhow::Result<Advice> {
    if !range.iter().any(Commit::is_merge) {
        return Ok(Advice::Rebase);
    }
    Ok(match of_tips(repo, merger, what)? {
        Merged::Clean(_) => Advice::Merge,
        Merged::Conflict(_) => Advice::Rebase,
    })
}

/// Returns the tree of the merge base of two commits: an empty one if they have none, and the merged tree if they
/// have several.
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

/// Returns the merged tree of several merge bases, as git's recursive merge makes it, but merged as text throughout:
/// what a driver cannot merge would be a conflict, which a merge base cannot have.
fn merged_base(
    repo: &gix::Repository,
    first: ObjectId,
    second: ObjectId,
    others: Vec<ObjectId>,
) -> anyhow::Result<ObjectId> {
    let graph = store::commit_graph(repo);
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
