//! Packs that are taken as they are.
//!
//! Whoever has pushed a hundred commits has left a pack with just those and what belongs to them. To copy it is much
//! less work than to find all of that object by object and to pack it once more; what is in it is found out anyway,
//! when it arrives. What else there may be in it the user could have read where it was. The other way, from this
//! repository to the remote, nothing goes but what is pushed: nobody else is to see what was never meant for them.

use std::{collections::BTreeSet, fs, path::PathBuf};

use gix::{ObjectId, Repository, objs::Exists, odb::pack::index, odb::store::RefreshMode};

use crate::{history::Commit, pack};

/// How many packs are looked at, the newest first.
const MOST: usize = 32;

/// Packs, and what is not in them.
pub(super) struct Whole {
    pub packs: Vec<Vec<u8>>,
    /// The commits that have to be had in another way, with what belongs to them.
    pub rest: Vec<ObjectId>,
}

/// The packs of `from` that hold most of `commits`, where they are small and mostly new to whom they are for. `None`:
/// there are none such.
pub(super) fn packs(from: &Repository, to: &Repository, commits: &[Commit]) -> Option<Whole> {
    let mut to = to.clone();
    to.objects.refresh = RefreshMode::Never;
    let mut missing: BTreeSet<ObjectId> = commits.iter().map(|commit| commit.id).collect();
    let mut room = pack::LARGEST_AT_ONCE;
    let mut packs = Vec::new();
    for path in newest(from, room as u64)? {
        if missing.is_empty() {
            break;
        }
        let index = index::File::at(path.with_extension("idx"), from.object_hash()).ok()?;
        let (held, others): (BTreeSet<_>, _) = missing.iter().partition(|id| index.lookup(id).is_some());
        let is_small = index.num_objects() as usize <= pack::MOST_AT_ONCE;
        if !held.is_empty() && is_small && is_mostly_new(&index, &to) {
            let pack = fs::read(path).ok()?;
            room = room.checked_sub(pack.len())?;
            packs.push(pack);
            missing = others;
        }
    }
    let is_most = missing.len() * 2 < commits.len();
    is_most.then(|| Whole { packs, rest: missing.into_iter().collect() })
}

/// The packs of up to so many bytes.
fn newest(repo: &Repository, largest: u64) -> Option<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(repo.objects.store_ref().path().join("pack")).ok()? {
        let path = entry.ok()?.path();
        if path.extension().is_some_and(|extension| extension == "pack") {
            let meta = fs::metadata(&path).ok()?;
            if meta.len() <= largest {
                found.push((meta.modified().ok()?, path));
            }
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.truncate(MOST);
    Some(found.into_iter().map(|(_, path)| path).collect())
}

/// Whether so many objects of a pack are new that the others may come as well. A sample tells, as ids are spread
/// evenly.
fn is_mostly_new(index: &index::File, to: &Repository) -> bool {
    const SAMPLE: u32 = 64;
    let step = (index.num_objects() / SAMPLE).max(1) as usize;
    let (mut new, mut all) = (0, 0);
    for at in (0..index.num_objects()).step_by(step) {
        all += 1;
        new += usize::from(!to.objects.exists(index.oid_at_index(at)));
    }
    // A pack that was completed holds what its deltas are of as well.
    new * 3 > all
}
