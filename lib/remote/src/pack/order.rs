//! In what order objects go into a pack, and what each may be a delta of.
//!
//! Pure. The one thing to get right is that no chain of deltas leads back to where it began, in whatever order
//! files were changed and changed back: so a base always comes earlier in the pack, or is the receiver's.

use std::{cmp::Reverse, collections::HashMap};

use gix::{ObjectId, object::Kind};

use super::{Item, NameHash};

/// An object in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub id: ObjectId,
    pub kind: Kind,
    /// Bytes, uncompressed.
    pub size: u64,
    pub plan: Plan,
}

/// How an object is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Whole, and too large to be held in memory.
    Streamed,
    /// Whole.
    Whole,
    /// As a delta of another version of it, if that pays.
    DeltaOf(ObjectId),
    /// As a delta of whatever similar object is near, if that pays.
    DeltaOfNeighbour,
}

/// Limits on deltas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// `core.bigFileThreshold`: objects above are neither deltified nor held in memory.
    pub big: u64,
    /// `pack.depth`: how many deltas in a row a reader may have to follow.
    pub depth: u32,
}

/// Smaller ones do not pay.
const SMALLEST: u64 = 50;

/// Puts `items` into order. `sizes` has theirs, and those of what they were before as far as these are known.
///
/// Of several versions of a file, the newest is a delta of what the receiver has, and each older one is a delta of
/// the next: files grow more than they shrink, and what is only left out costs nothing.
pub(crate) fn arrange(items: &[Item], sizes: &HashMap<ObjectId, u64>, limits: Limits) -> Vec<Placed> {
    let versions = Versions::of(items);
    let mut depths = vec![0; items.len()];
    let mut placed: Vec<(Rank, Placed)> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate().rev() {
        let size = sizes.get(&item.id).copied().unwrap_or(0);
        let newer = versions.newer[at].filter(|newer| depths[*newer] < limits.depth);
        let base = match newer {
            Some(newer) => Some(items[newer].id),
            None => versions.theirs[at],
        };
        let plan = plan(item, size, base.map(|id| (id, sizes.get(&id).copied().unwrap_or(0))), limits);
        if let Plan::DeltaOf(_) = plan {
            depths[at] = newer.map_or(1, |newer| depths[newer] + 1);
        }
        placed.push((rank(item, at, size, plan), Placed { id: item.id, kind: item.kind, size, plan }));
    }
    placed.sort_by_key(|(rank, _)| *rank);
    placed.into_iter().map(|(_, placed)| placed).collect()
}

/// How the items hang together as versions of the same path.
struct Versions {
    /// By item: one that came right after it.
    newer: Vec<Option<usize>>,
    /// By item: the version that the receiver has.
    theirs: Vec<Option<ObjectId>>,
}

impl Versions {
    /// Every item's predecessor is theirs or earlier in the list, so newer ones are later: no circle is possible.
    fn of(items: &[Item]) -> Self {
        let places: HashMap<ObjectId, usize> =
            items.iter().enumerate().map(|(at, item)| (item.id, at)).collect();
        let mut versions = Self { newer: vec![None; items.len()], theirs: vec![None; items.len()] };
        for (at, item) in items.iter().enumerate() {
            match item.before.map(|before| (before, places.get(&before))) {
                Some((_, Some(older))) if *older < at => {
                    versions.newer[*older] = Some(at);
                    versions.theirs[at] = versions.theirs[*older];
                }
                Some((before, None)) => versions.theirs[at] = Some(before),
                _ => {}
            }
        }
        versions
    }
}

/// The order of a pack. What is a delta of another version comes last, the newest first, so that its base is
/// always earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    History(Reverse<usize>),
    Similar(bool, NameHash, Reverse<u64>, usize),
    Alone(usize),
    Version(Reverse<usize>),
}

fn rank(item: &Item, at: usize, size: u64, plan: Plan) -> Rank {
    match (item.kind, plan) {
        // The newest first: that is the one that is read most.
        (Kind::Commit | Kind::Tag, _) => Rank::History(Reverse(at)),
        (kind, Plan::DeltaOfNeighbour) => Rank::Similar(kind == Kind::Blob, item.name, Reverse(size), at),
        (_, Plan::Streamed | Plan::Whole) => Rank::Alone(at),
        (_, Plan::DeltaOf(_)) => Rank::Version(Reverse(at)),
    }
}

fn plan(item: &Item, size: u64, base: Option<(ObjectId, u64)>, limits: Limits) -> Plan {
    if size > limits.big {
        return Plan::Streamed;
    }
    if matches!(item.kind, Kind::Commit | Kind::Tag) || size < SMALLEST {
        return Plan::Whole;
    }
    match base {
        Some((_, size)) if size > limits.big => Plan::Whole,
        Some((base, _)) => Plan::DeltaOf(base),
        None => Plan::DeltaOfNeighbour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { big: 1_000_000, depth: 3 };

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    fn blob(number: u8, before: Option<u8>) -> Item {
        Item { id: id(number), kind: Kind::Blob, name: NameHash::of(b"log.md"), before: before.map(id) }
    }

    fn arranged(items: &[Item]) -> Vec<Placed> {
        let sizes = items.iter().map(|item| (item.id, 1000)).collect();
        arrange(items, &sizes, LIMITS)
    }

    #[test]
    fn a_base_always_comes_earlier_in_the_pack() {
        let items = [blob(1, None), blob(2, Some(1)), blob(3, Some(2)), blob(9, None), blob(4, Some(9))];
        let placed = arranged(&items);
        let at = |id: ObjectId| placed.iter().position(|one| one.id == id);
        for one in &placed {
            if let Plan::DeltaOf(base) = one.plan {
                assert!(at(base) < at(one.id), "{placed:?}");
            }
        }
    }

    #[test]
    fn the_newest_version_is_a_delta_of_theirs_and_each_older_one_of_the_next() {
        let plans: HashMap<_, _> = arranged(&[blob(1, Some(9)), blob(2, Some(1)), blob(3, Some(2))])
            .into_iter()
            .map(|one| (one.id, one.plan))
            .collect();
        assert_eq!(plans[&id(3)], Plan::DeltaOf(id(9)));
        assert_eq!(plans[&id(2)], Plan::DeltaOf(id(3)));
        assert_eq!(plans[&id(1)], Plan::DeltaOf(id(2)));
    }

    #[test]
    fn chains_end_at_the_depth() {
        let items: Vec<_> = (1..=8).map(|n| blob(n, Some(if n == 1 { 99 } else { n - 1 }))).collect();
        let plans: HashMap<_, _> = arranged(&items).into_iter().map(|one| (one.id, one.plan)).collect();
        assert_eq!(plans[&id(8)], Plan::DeltaOf(id(99)));
        assert_eq!(plans[&id(6)], Plan::DeltaOf(id(7)));
        assert_eq!(plans[&id(5)], Plan::DeltaOf(id(99)), "the fourth in a row starts anew");
        assert_eq!(plans[&id(4)], Plan::DeltaOf(id(5)));
    }

    #[test]
    fn what_is_big_is_streamed_and_no_base_of_others() {
        let items = [blob(1, None), blob(2, Some(1)), blob(3, Some(9))];
        let sizes = HashMap::from([(id(1), 1000), (id(2), 2_000_000), (id(3), 1000), (id(9), 2_000_000)]);
        let plans: HashMap<_, _> =
            arrange(&items, &sizes, LIMITS).into_iter().map(|one| (one.id, one.plan)).collect();
        assert_eq!(plans[&id(2)], Plan::Streamed);
        assert_eq!((plans[&id(1)], plans[&id(3)]), (Plan::Whole, Plan::Whole));
    }
}
