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
    /// As a delta of what it was before, if that pays.
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
pub(crate) fn arrange(items: &[Item], sizes: &HashMap<ObjectId, u64>, limits: Limits) -> Vec<Placed> {
    let size_of = |id: &ObjectId| sizes.get(id).copied().unwrap_or(0);
    let mut depths: HashMap<ObjectId, u32> = HashMap::new();
    let mut placed: Vec<(Rank, Placed)> = items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let size = size_of(&item.id);
            let plan = plan(item, size, size_of, &depths, limits);
            if let Plan::DeltaOf(base) = plan {
                depths.insert(item.id, depths.get(&base).map_or(1, |depth| depth + 1));
            }
            let rank = match (item.kind, plan) {
                // The newest first: that is the one that is read most.
                (Kind::Commit | Kind::Tag, _) => Rank::History(Reverse(at)),
                (kind, Plan::DeltaOfNeighbour) => {
                    Rank::Similar(kind == Kind::Blob, item.name, Reverse(size), at)
                }
                (_, Plan::Streamed | Plan::Whole) => Rank::Alone(at),
                (_, Plan::DeltaOf(_)) => Rank::Changed(at),
            };
            (rank, Placed { id: item.id, kind: item.kind, size, plan })
        })
        .collect();
    placed.sort_by_key(|(rank, _)| *rank);
    placed.into_iter().map(|(_, placed)| placed).collect()
}

/// The order of a pack. What was changed comes last, in the order of the history, so that what it was before is
/// always earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    History(Reverse<usize>),
    Similar(bool, NameHash, Reverse<u64>, usize),
    Alone(usize),
    Changed(usize),
}

fn plan(
    item: &Item,
    size: u64,
    size_of: impl Fn(&ObjectId) -> u64,
    depths: &HashMap<ObjectId, u32>,
    limits: Limits,
) -> Plan {
    if size > limits.big {
        return Plan::Streamed;
    }
    if matches!(item.kind, Kind::Commit | Kind::Tag) || size < SMALLEST {
        return Plan::Whole;
    }
    match item.before {
        None => Plan::DeltaOfNeighbour,
        Some(base) if size_of(&base) > limits.big => Plan::Whole,
        Some(base) if depths.get(&base).is_some_and(|depth| *depth >= limits.depth) => Plan::Whole,
        Some(base) => Plan::DeltaOf(base),
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
    fn chains_end_at_the_depth() {
        let items: Vec<_> = (1..=8).map(|n| blob(n, Some(n - 1))).collect();
        let plans: Vec<_> = arranged(&items).into_iter().map(|one| (one.id, one.plan)).collect();
        assert!(plans.contains(&(id(4), Plan::Whole)), "{plans:?}");
        assert!(plans.contains(&(id(5), Plan::DeltaOf(id(4)))), "{plans:?}");
        assert!(plans.contains(&(id(8), Plan::Whole)), "{plans:?}");
    }

    #[test]
    fn what_is_big_is_streamed_and_no_base_of_others() {
        let items = [blob(1, None), blob(2, Some(1))];
        let sizes = HashMap::from([(id(1), 2_000_000), (id(2), 10)]);
        let placed = arrange(&items, &sizes, LIMITS);
        assert!(placed.iter().any(|one| one.id == id(1) && one.plan == Plan::Streamed));
        assert!(placed.iter().any(|one| one.id == id(2) && one.plan == Plan::Whole));
    }
}
