//! Finds local commits whose change the upstream already has in a commit with another id.
//!
//! Somebody cherry-picked them, or an earlier run in another clone rebased them. Replayed again they would at best
//! become empty, and at worst conflict with themselves.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::BString;
use store::History;

use super::{Replay, patch_id::PatchIds, topo_order};

/// Returns the commits of `range` that have the same patch id as a commit that only `what.upstream` has. What is
/// `known` of the history is not read again.
///
/// # Errors
/// An object cannot be read.
pub fn upstream_has(
    repo: &gix::Repository,
    known: &History,
    what: Replay,
    range: &[topo_order::Commit],
) -> anyhow::Result<HashSet<ObjectId>> {
    if range.is_empty() {
        return Ok(HashSet::new());
    }
    let theirs = topo_order::commits(repo, known, what.head, what.upstream)?;
    if theirs.is_empty() {
        return Ok(HashSet::new());
    }
    let mut ids = PatchIds::new(repo);
    // The paths that a commit changes are cheap to determine, and rarely the same for two commits: more is compared
    // only if they are.
    let mut by_top: HashMap<Vec<BString>, Sides<'_>> = HashMap::new();
    for commit in range.iter().filter(|commit| !commit.is_merge()) {
        by_top.entry(ids.top(commit)?).or_default().ours.push(commit);
    }
    for commit in theirs.iter().filter(|commit| !commit.is_merge()) {
        if let Some(sides) = by_top.get_mut(&ids.top(commit)?) {
            sides.theirs.push(commit);
        }
    }
    let mut already = HashSet::new();
    for sides in by_top.values().filter(|sides| !sides.theirs.is_empty()) {
        let mut by_outline: HashMap<ObjectId, Vec<&topo_order::Commit>> = HashMap::new();
        for commit in &sides.theirs {
            by_outline.entry(ids.outline(commit)?).or_default().push(commit);
        }
        for commit in &sides.ours {
            for other in by_outline.get(&ids.outline(commit)?).into_iter().flatten() {
                if ids.whole(commit)? == ids.whole(other)? {
                    already.insert(commit.id);
                    break;
                }
            }
        }
    }
    Ok(already)
}

/// Commits of both sides that may have the same patch id.
#[derive(Default)]
struct Sides<'a> {
    ours: Vec<&'a topo_order::Commit>,
    theirs: Vec<&'a topo_order::Commit>,
}
