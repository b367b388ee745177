//! How two histories stand to each other.

use gix::ObjectId;
use remote::History;

use crate::exchange::Theirs;
use crate::history;
use crate::plan::Relation;

/// How `local` stands to what the remote has. What is `known` of the history is not read again.
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
        // What they have in common may lie below where it ends.
        None if repo.is_shallow()? => Relation::CutOff,
        None => Relation::Unrelated,
        Some(base) if base == local => Relation::Behind,
        Some(base) if base != theirs => Relation::Diverged,
        Some(_) => Relation::Ahead,
    })
}
