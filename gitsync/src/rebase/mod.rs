//! `git rebase` in memory: replays local commits onto the upstream without touching the repository.
//!
//! Git replays in the working tree, and stops half-way at a conflict: the user is left with a detached `HEAD` and
//! files with conflict markers, and a script that then commits makes it worse. Here the result is known before
//! anything changes, and a conflict is an ordinary result.
//!
//! The same commits are replayed, dropped and kept as by `git rebase` (the merge backend, without `--rebase-merges`):
//! <https://git-scm.com/docs/git-rebase>. But content that exists only in a merge commit, which git loses, is kept.

mod alive;
mod attributes;
mod cherry;
mod conflict_paths;
mod content;
mod driver;
mod encoding;
mod entries;
mod fork_point;
mod line_diff;
mod merge;
mod merges;
mod patch_id;
mod pick;
mod similarity;
mod submodules;
mod text_merge;
mod topo_order;
mod tree_merge;
mod trivial;

use anyhow::Context as _;
use gix::ObjectId;
use store::{History, PackKeep, RecentObjects};

pub use conflict_paths::ConflictPaths;
pub use fork_point::{DroppedCommits, UpstreamReflog, base_for, seen, thrown_out};

use crate::ident::Person;
use crate::signing::Signing;
use crate::watch::{Doing, Watch};

/// What to replay, and onto what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// The commit that the local commits are replayed onto.
    pub onto: ObjectId,
    /// Commits that are reachable from this one are not replayed: `onto`, or the fork point if `onto` was rewritten.
    pub upstream: ObjectId,
    /// The tip of the local branch.
    pub head: ObjectId,
}

/// How new commits are made.
#[derive(Debug)]
pub struct Replayer<'a> {
    /// The committer of the new commits.
    pub committer: &'a Person,
    /// How the new commits are signed.
    pub signing: &'a Signing,
}

/// The result of a rebase.
#[derive(Debug)]
pub enum Outcome {
    /// The local commits are on top of `onto` already.
    Nothing,
    /// They were replayed, in memory.
    Replayed(Replayed),
    /// They cannot be replayed without somebody resolving a conflict.
    Conflict(Conflict),
}

/// A history that was replayed in memory.
#[derive(Debug)]
pub struct Replayed {
    /// Its newest commit.
    pub head: ObjectId,
    /// Old and new ids of the commits that got a new one, oldest first.
    pub rewritten: Vec<(ObjectId, ObjectId)>,
    /// The commits that were left out because `onto` has their changes already, oldest first.
    pub dropped: Vec<ObjectId>,
    objects: gix::odb::memory::Storage,
}

/// Why replaying had to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The commit that does not apply.
    pub commit: ObjectId,
    /// The paths on which it conflicts with `onto`.
    pub disputed: ConflictPaths,
    /// How the user can resolve it.
    pub way_out: Advice,
}

/// The command that integrates both sides when replaying does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// A rebase by hand.
    Rebase,
    /// A merge: a rebase would meet a conflict that a local merge has resolved, or lose content that only that merge
    /// has.
    Merge,
}

/// Replays local commits. What is `known` of the history is not read again; trees are read repeatedly, so `repo`
/// should have an object cache.
///
/// # Errors
/// An object cannot be read, a merge driver or the signing program fails, or the lock is lost.
pub fn rebase(
    repo: &gix::Repository,
    known: &History,
    what: Replay,
    by: &Replayer<'_>,
    watch: &dyn Watch,
) -> anyhow::Result<Outcome> {
    let mut repo = store::clone_view(repo).with_object_memory();
    let range = topo_order::commits(&repo, known, what.upstream, what.head)?;
    let already = cherry::upstream_has(&repo, known, what, &range)?;
    let encoding = encoding::Wanted::of(&repo);
    let mut onto = pick::Onto::new(&repo, what.onto)?;
    let (mut rewritten, mut dropped) = (Vec::new(), Vec::new());
    {
        let mut merger = merge::Merger::new(&repo, watch);
        let single: Vec<_> = range.iter().filter(|commit| !commit.is_merge()).collect();
        for (done, id) in single.iter().map(|commit| commit.id).enumerate() {
            watch.done_with(Doing::Replaying, done, single.len());
            let picking = || format!("cannot replay commit {id}");
            let commit = pick::Original::read(&repo, id, &encoding).with_context(picking)?;
            if already.contains(&id) && !commit.is_empty() {
                dropped.push(id);
                continue;
            }
            match pick::pick(&repo, &mut merger, &mut onto, commit, by).with_context(picking)? {
                pick::Picked::AsItIs => {}
                pick::Picked::Anew(new) => rewritten.push((id, new)),
                pick::Picked::Dropped => dropped.push(id),
                pick::Picked::Conflict(disputed) => {
                    let way_out = merges::way_out(&repo, &mut merger, what, &range)?;
                    return Ok(Outcome::Conflict(Conflict { commit: id, disputed, way_out }));
                }
            }
        }
        if let Some(id) = merges::newest_with_content_of_its_own(&repo, &range, watch)? {
            match merges::of_tips(&repo, &mut merger, what)? {
                merge::Merged::Clean(tree) if tree == onto.tree => {}
                merge::Merged::Clean(tree) => {
                    let keeping = || format!("cannot keep what only the merge {id} holds");
                    let merge = pick::Original::read(&repo, id, &encoding).with_context(keeping)?;
                    let new = pick::commit(&repo, &mut onto, merge, tree, by).with_context(keeping)?;
                    rewritten.push((id, new));
                }
                merge::Merged::Conflict(disputed) => {
                    let way_out = Advice::Merge;
                    return Ok(Outcome::Conflict(Conflict { commit: id, disputed, way_out }));
                }
            }
        }
    }
    if onto.id == what.head {
        return Ok(Outcome::Nothing);
    }
    let objects = repo.objects.take_object_memory().unwrap_or_default();
    Ok(Outcome::Replayed(Replayed { head: onto.id, rewritten, dropped, objects }))
}

/// Returns how many commits a replay creates if each applies and none becomes empty. What is `known` of the history
/// is not read again.
///
/// # Errors
/// An object cannot be read, or a merge driver fails.
pub fn count(
    repo: &gix::Repository,
    known: &History,
    what: Replay,
    watch: &dyn Watch,
) -> anyhow::Result<usize> {
    let range = topo_order::commits(repo, known, what.upstream, what.head)?;
    let already = cherry::upstream_has(repo, known, what, &range)?;
    let single = range.iter().filter(|commit| !commit.is_merge() && !already.contains(&commit.id)).count();
    let of_a_merge = merges::newest_with_content_of_its_own(repo, &range, watch)?;
    Ok(single + usize::from(of_a_merge.is_some()))
}

impl Replayed {
    /// Stores the objects of the new history in `repo`; they are on disk when this returns. The returned `PackKeep`
    /// protects them until it is dropped, which must not happen before a branch refers to them. The returned
    /// `RecentObjects` holds them, unless they are large, so that later steps need not read them.
    ///
    /// # Errors
    /// The disk failed.
    pub fn keep(&mut self, repo: &gix::Repository) -> anyhow::Result<(RecentObjects, PackKeep)> {
        let objects = std::mem::take(&mut self.objects);
        store::add_objects(repo, objects).context("cannot store the commits that were replayed")
    }

    /// Returns the new id of a commit of the old history, or `None` if the commit was dropped.
    pub fn now(&self, old: ObjectId) -> Option<ObjectId> {
        if self.dropped.contains(&old) {
            return None;
        }
        Some(self.rewritten.iter().find(|(before, _)| *before == old).map_or(old, |(_, after)| *after))
    }
}
