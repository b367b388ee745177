//! Decides the order of the objects in a pack and the delta base of each.
//!
//! This is pure code. Its one invariant is that no delta chain forms a cycle, in whatever order files were changed
//! and changed back: a delta base always comes earlier in the pack, or the receiver already has it.

use std::cmp::Reverse;

use gix::{ObjectId, hashtable::HashMap, object::Kind};

use super::{Item, NameHash};

/// An object at its position in the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedEntry {
    /// The index of the item.
    pub item: usize,
    pub id: ObjectId,
    pub kind: Kind,
    /// The uncompressed size in bytes.
    pub size: u64,
    pub plan: Plan,
}

/// How an object is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Whole, and streamed, as it is too large to be held in memory.
    Streamed,
    /// Whole.
    Whole,
    /// As a delta against another version of it, if that saves enough.
    DeltaOf(ObjectId),
    /// As a delta against a similar object near it in the pack, if that saves enough.
    DeltaOfNeighbour,
}

/// Limits on deltas.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `core.bigFileThreshold`: larger objects are neither deltified nor held in memory.
    pub big: u64,
    /// `pack.depth`: the maximum length of a delta chain.
    pub depth: u32,
}

/// Smaller objects are not worth a delta: a receiver that does not find the base in the same pack has to append it.
pub(super) const SMALLEST: u64 = 128;

/// Arranges `items`. `sizes` contains their sizes and, as far as they are known, those of their previous versions.
/// The base of a delta is another item, or an object for which `is_there` returns true.
///
/// Of several versions of a file, the newest is a delta against the version that the receiver has, and each older one
/// a delta against the next newer one: files grow more often than they shrink, and a delta that only omits data is
/// tiny. Trees are deltified in the opposite direction, in which the walk compared them. If a tree has many versions,
/// the first one is written whole: git resolves deltas whose base is not in the pack one by one, but all others on
/// all cores.
pub(crate) fn arrange(
    items: &[Item],
    sizes: &HashMap<ObjectId, u64>,
    limits: Limits,
    is_there: &dyn Fn(&ObjectId) -> bool,
) -> Vec<PlannedEntry> {
    let versions = Versions::of(items);
    let mut depths = vec![0; items.len()];
    let mut placed: Vec<(Rank, PlannedEntry)> = Vec::with_capacity(items.len());
    let mut place = |at: usize, neighbour: Option<usize>| {
        let item: &Item = &items[at];
        let size = item.size.or_else(|| sizes.get(&item.id).copied()).unwrap_or(0);
        let neighbour = neighbour.filter(|neighbour| depths[*neighbour] < limits.depth);
        let first = versions.first_of_crowd(at, items);
        let theirs = versions.theirs[at].filter(is_there);
        let base = neighbour.or(first).map(|base| items[base].id).or(theirs);
        let plan = match first {
            Some(first) if first == at && size <= limits.big => Plan::Whole,
            // This costs less than a search for something similar, and later versions will be deltas against this
            // one.
            _ if base.is_none() && versions.theirs[at].is_some() && size <= limits.big => Plan::Whole,
            _ => plan(item, size, base.map(|id| (id, sizes.get(&id).copied().unwrap_or(0))), limits),
        };
        if let Plan::DeltaOf(_) = plan {
            depths[at] = neighbour.map_or(1, |neighbour| depths[neighbour] + 1);
        }
        let one = PlannedEntry { item: at, id: item.id, kind: item.kind, size, plan };
        placed.push((rank(item, at, size, plan), one));
    };
    let (trees, others): (Vec<_>, Vec<_>) = (0..items.len()).partition(|at| items[*at].kind == Kind::Tree);
    trees.into_iter().for_each(|at| place(at, versions.older[at]));
    others.into_iter().rev().for_each(|at| place(at, versions.newer[at]));
    placed.sort_by_key(|(rank, _)| *rank);
    placed.into_iter().map(|(_, placed)| placed).collect()
}

/// Which items are versions of the same path.
struct Versions {
    /// By item: its next newer version.
    newer: Vec<Option<usize>>,
    /// By item: its next older version, if that is in the list.
    older: Vec<Option<usize>>,
    /// By item: the version that the receiver has.
    theirs: Vec<Option<ObjectId>>,
    /// By item: the oldest of its versions in the list.
    first: Vec<usize>,
    /// By item: the number of later versions, if it is the oldest.
    followers: Vec<usize>,
}

/// The number of versions from which the first one of a tree is written whole.
const CROWD: usize = 64;
/// Unless it is larger than this, in bytes.
const LARGEST_WHOLE: u64 = 32 * 1024;

impl Versions {
    /// The previous version of an item is the receiver's or comes earlier in the list, so newer ones come later:
    /// there can be no cycle.
    fn of(items: &[Item]) -> Self {
        let places: HashMap<ObjectId, usize> =
            items.iter().enumerate().map(|(at, item)| (item.id, at)).collect();
        let none = || vec![None; items.len()];
        let mut versions = Self {
            newer: none(),
            older: none(),
            theirs: vec![None; items.len()],
            first: (0..items.len()).collect(),
            followers: vec![0; items.len()],
        };
        for (at, item) in items.iter().enumerate() {
            match item.before.map(|before| (before, places.get(&before))) {
                Some((_, Some(older))) if *older < at => {
                    versions.newer[*older] = Some(at);
                    versions.older[at] = Some(*older);
                    versions.theirs[at] = versions.theirs[*older];
                    versions.first[at] = versions.first[*older];
                    versions.followers[versions.first[at]] += 1;
                }
                Some((before, None)) => versions.theirs[at] = Some(before),
                _ => {}
            }
        }
        versions
    }

    /// Returns the oldest version of a tree that has many versions.
    fn first_of_crowd(&self, at: usize, items: &[Item]) -> Option<usize> {
        let first = self.first[at];
        let is_small = items[first].size.is_some_and(|size| size <= LARGEST_WHOLE);
        let is_crowd = self.followers[first] >= CROWD && is_small && self.theirs[at].is_some();
        (is_crowd && items[at].kind == Kind::Tree).then_some(first)
    }
}

/// The sort order of a pack. Deltas against another version come last, so that the base is always earlier: of trees
/// the oldest first, of files the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    History(Reverse<usize>),
    Similar(bool, NameHash, Reverse<u64>, usize),
    Alone(usize),
    Tree(usize),
    Version(Reverse<usize>),
}

fn rank(item: &Item, at: usize, size: u64, plan: Plan) -> Rank {
    match (item.kind, plan) {
        // The newest first, as that is the one that is read most.
        (Kind::Commit | Kind::Tag, _) => Rank::History(Reverse(at)),
        (kind, Plan::DeltaOfNeighbour) => Rank::Similar(kind == Kind::Blob, item.name, Reverse(size), at),
        (_, Plan::Streamed | Plan::Whole) => Rank::Alone(at),
        (Kind::Tree, Plan::DeltaOf(_)) => Rank::Tree(at),
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
        let (name, before) = (NameHash::of(b"log.md"), before.map(id));
        Item { id: id(number), kind: Kind::Blob, name, before, size: None, known: None }
    }

    fn tree(number: u8, before: Option<u8>) -> Item {
        Item { kind: Kind::Tree, ..blob(number, before) }
    }

    fn arranged(items: &[Item]) -> Vec<PlannedEntry> {
        let sizes = items.iter().map(|item| (item.id, 1000)).collect();
        arrange(items, &sizes, LIMITS, &|_| true)
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
    fn each_tree_is_a_delta_of_the_one_before_it_whatever_its_files_do() {
        let items = [tree(11, Some(19)), blob(1, Some(9)), tree(12, Some(11)), blob(2, Some(1))];
        let placed = arranged(&items);
        let at = |number| placed.iter().position(|one| one.id == id(number)).unwrap();
        assert_eq!(placed[at(11)].plan, Plan::DeltaOf(id(19)));
        assert_eq!(placed[at(12)].plan, Plan::DeltaOf(id(11)));
        assert!(at(11) < at(12) && at(2) < at(1));
    }

    #[test]
    fn chains_of_trees_end_at_the_depth_too() {
        let items: Vec<_> = (1..=5).map(|n| tree(n, Some(if n == 1 { 99 } else { n - 1 }))).collect();
        let plans: HashMap<_, _> = arranged(&items).into_iter().map(|one| (one.id, one.plan)).collect();
        assert_eq!(plans[&id(3)], Plan::DeltaOf(id(2)));
        assert_eq!(plans[&id(4)], Plan::DeltaOf(id(99)));
        assert_eq!(plans[&id(5)], Plan::DeltaOf(id(4)));
    }

    #[test]
    fn the_first_of_many_versions_of_a_tree_is_whole_and_chains_begin_with_it() {
        let many = CROWD as u8 + 1;
        let crowd = |size| -> HashMap<ObjectId, Plan> {
            let versions = (1..=many)
                .map(|n| Item { size: Some(size), ..tree(n, Some(if n == 1 { 99 } else { n - 1 })) });
            arranged(&versions.collect::<Vec<_>>()).into_iter().map(|one| (one.id, one.plan)).collect()
        };
        let plans = crowd(1000);
        assert_eq!(plans[&id(1)], Plan::Whole);
        assert_eq!(plans[&id(4)], Plan::DeltaOf(id(3)));
        assert_eq!(plans[&id(5)], Plan::DeltaOf(id(1)), "at the depth the next chain begins");
        assert!(plans.values().all(|plan| *plan != Plan::DeltaOf(id(99))));
        assert_eq!(crowd(LARGEST_WHOLE + 1)[&id(1)], Plan::DeltaOf(id(99)));
    }

    #[test]
    fn where_what_it_was_before_is_not_there_the_first_version_is_whole_and_the_others_are_deltas_in_the_list()
     {
        let items =
            [tree(11, Some(19)), blob(1, Some(9)), tree(12, Some(11)), blob(2, Some(1)), tree(13, Some(18))];
        let sizes = items.iter().map(|item| (item.id, 1000)).collect();
        let is_there = |theirs: &ObjectId| *theirs == id(18);
        let plans: HashMap<_, _> =
            arrange(&items, &sizes, LIMITS, &is_there).into_iter().map(|one| (one.id, one.plan)).collect();
        assert_eq!(plans[&id(11)], Plan::Whole);
        assert_eq!(plans[&id(12)], Plan::DeltaOf(id(11)));
        assert_eq!(plans[&id(2)], Plan::Whole);
        assert_eq!(plans[&id(1)], Plan::DeltaOf(id(2)));
        assert_eq!(plans[&id(13)], Plan::DeltaOf(id(18)));
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
        let sizes =
            HashMap::from_iter([(id(1), 1000), (id(2), 2_000_000), (id(3), 1000), (id(9), 2_000_000)]);
        let plans: HashMap<_, _> =
            arrange(&items, &sizes, LIMITS, &|_| true).into_iter().map(|one| (one.id, one.plan)).collect();
        assert_eq!(plans[&id(2)], Plan::Streamed);
        assert_eq!((plans[&id(1)], plans[&id(3)]), (Plan::Whole, Plan::Whole));
    }
}
