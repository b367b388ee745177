//! Determines how the local branch is related to the remote's: ahead, behind, diverged and so on.

use anyhow::Context as _;
use gix::ObjectId;
use store::History;

use crate::exchange::Theirs;
use crate::history;
use crate::plan::Relation;
use crate::rebase::{UpstreamReflog, base_for};

/// Determines how `local` is related to what the remote has, where `seen` are the commits that the upstream was at
/// before. What is `known` of the history is not read again.
///
/// # Errors
/// The history cannot be read.
pub fn relate_to_past(
    repo: &gix::Repository,
    known: &History,
    seen: &UpstreamReflog,
    local: ObjectId,
    theirs: Theirs,
) -> anyhow::Result<Relation> {
    let relation = relate(repo, known, local, theirs)?;
    let (Relation::Ahead, Some(onto)) = (relation, theirs.id()) else { return Ok(relation) };
    // The branch is usually ahead by few commits, while the upstream may have moved many times.
    let mut beyond =
        known.between(repo, vec![local], vec![onto]).context("cannot walk the history")?.into_iter();
    let is_rewound =
        beyond.any(|commit| seen.contains(commit.id)) && base_for(repo, known, seen, onto, local)? != onto;
    Ok(if is_rewound { Relation::Rewound } else { relation })
}

/// Determines how `local` is related to what the remote has. What is `known` of the history is not read again.
///
/// # Errors
/// The history cannot be read.
pub fn relate(
    repo: &gix::Repository,
    known: &History,
    local: ObjectId,
    theirs: Theirs,
) -> anyhow::Result<Relation> {
    let theirs = match theirs {
        Theirs::At(id) => id,
        Theirs::New => return Ok(Relation::New),
        Theirs::Gone => return Ok(Relation::Gone),
    };
    if local == theirs {
        return Ok(Relation::Same);
    }
    Ok(match history::merge_base(repo, known, local, theirs)? {
        // In a shallow clone, they may have a common ancestor below the shallow boundary.
        None if repo.is_shallow()? => Relation::CutOff,
        None => Relation::Unrelated,
        Some(base) if base == local => Relation::Behind,
        Some(base) if base != theirs => Relation::Diverged,
        Some(_) => Relation::Ahead,
    })
}
