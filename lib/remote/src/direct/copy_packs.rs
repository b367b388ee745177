//! Copies small packs of a remote on this machine unchanged, instead of packing their objects anew.
//!
//! A clone that has pushed a hundred commits has left a pack of exactly these and their objects. Copying it is much
//! less work than finding all of that object by object and packing it again; its content is checked on arrival
//! anyway. Any other object in such a pack is one that the user can read in the remote as well. In the other
//! direction, from this repository to the remote, only what is pushed is sent: others must not see what was not meant
//! for them.

use std::{collections::BTreeSet, fs, path::PathBuf};

use gix::{ObjectId, Repository, objs::Exists, odb::pack::index, odb::store::RefreshMode};
use store::{Commit, pack};

/// How many packs are considered, the newest first.
const MOST: usize = 32;

/// Packs, and the commits that they lack.
pub(super) struct Whole {
    pub packs: Vec<Vec<u8>>,
    /// The commits that have to be fetched in another way, with all that they need.
    pub rest: Vec<ObjectId>,
}

/// Returns packs of `from` that hold more than half of `commits`, if these packs are small and their objects mostly
/// new to `to`. `None` if there are no such packs.
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

/// Returns the newest packs of at most `largest` bytes each.
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

/// Whether enough objects of a pack are new that the rest may be copied as well. A sample suffices, since ids are
/// evenly distributed.
fn is_mostly_new(index: &index::File, to: &Repository) -> bool {
    const SAMPLE: u32 = 64;
    let step = (index.num_objects() / SAMPLE).max(1) as usize;
    let (mut new, mut all) = (0, 0);
    for at in (0..index.num_objects()).step_by(step) {
        all += 1;
        new += usize::from(!to.objects.exists(index.oid_at_index(at)));
    }
    // A thin pack that was completed holds its delta bases as well.
    new * 3 > all
}
