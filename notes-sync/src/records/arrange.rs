//! Decides which records a merged note has, and in which order.

use std::collections::{HashMap, HashSet};

use super::parse::{Kind, Parsed, Record};

/// Returns the records of the merged note, in order.
pub(super) fn arrange<'a>(base: &Parsed<'a>, local: &Parsed<'a>, remote: &Parsed<'a>) -> Vec<Record<'a>> {
    let [in_base, in_local, in_remote] = [base, local, remote].map(index);
    let kept = |bytes: &[u8]| in_local.contains_key(bytes) && in_remote.contains_key(bytes);

    let mut order = Order::new(
        base.records
            .iter()
            .filter_map(|record| kept(record.bytes).then(|| in_local.get(record.bytes).copied()).flatten()),
    );
    for side in [local, remote] {
        order.add(side.records.iter().filter(|record| {
            // A record that only one side has was removed by the other if the base had it, and added if not.
            kept(record.bytes) || !in_base.contains_key(record.bytes)
        }));
    }
    let mut records = order.finish();
    // Text after front matter would become part of it, so text that is not must come before.
    records.sort_by_key(|record| record.kind == Kind::FrontMatter);
    records
}

fn index<'a>(parsed: &Parsed<'a>) -> HashMap<&'a [u8], Record<'a>> {
    // In reverse, so that the first of several equal records stays in the map.
    parsed.records.iter().rev().map(|record| (record.bytes, *record)).collect()
}

/// Records in groups: each group but the first begins with a record that both sides kept.
struct Order<'a> {
    groups: Vec<Vec<Record<'a>>>,
    placed: HashMap<&'a [u8], usize>,
}

impl<'a> Order<'a> {
    fn new(kept: impl Iterator<Item = Record<'a>>) -> Self {
        let mut order = Self { groups: vec![Vec::new()], placed: HashMap::new() };
        for record in kept {
            if !order.placed.contains_key(record.bytes) {
                order.placed.insert(record.bytes, order.groups.len());
                order.groups.push(vec![record]);
            }
        }
        order
    }

    /// Adds the records that are not there yet, each after the one that it follows on its side.
    fn add<'s>(&mut self, side: impl Iterator<Item = &'s Record<'a>>)
    where
        'a: 's,
    {
        let mut group = 0;
        // The index in the group for the next record; `None` means its end, while the last record seen is the head of
        // the group.
        let mut place = None;
        let mut seen = HashSet::new();
        for record in side.filter(|record| seen.insert(record.bytes)) {
            match self.placed.get(record.bytes) {
                Some(found) => {
                    group = *found;
                    let at = self.groups[group].iter().position(|other| other.bytes == record.bytes);
                    place = match at {
                        Some(0) if group > 0 => None,
                        at => at.map(|at| at + 1),
                    };
                }
                None => {
                    let at = place.unwrap_or(self.groups[group].len());
                    self.groups[group].insert(at, *record);
                    self.placed.insert(record.bytes, group);
                    place = Some(at + 1);
                }
            }
        }
    }

    fn finish(self) -> Vec<Record<'a>> {
        self.groups.into_iter().flatten().collect()
    }
}
