//! Decides which records a merged note has, and in which order.

use std::collections::{HashMap, HashSet};

use super::parse::{Kind, Parsed, Record};

/// The records of the merge, in order.
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
            // What only one side has was removed by the other where the base had it, and is new where it had not.
            kept(record.bytes) || !in_base.contains_key(record.bytes)
        }));
    }
    let mut records = order.finish();
    // Text after front matter belongs to it, so text of its own must come before.
    records.sort_by_key(|record| record.kind == Kind::FrontMatter);
    records
}

fn index<'a>(parsed: &Parsed<'a>) -> HashMap<&'a [u8], Record<'a>> {
    // Backwards, so that the first of several equal records is the one that stays.
    parsed.records.iter().rev().map(|record| (record.bytes, *record)).collect()
}

/// Records in groups: each but the first group begins with a record that both sides kept.
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

    /// Adds what is not there yet, each record behind the one that it follows on its side.
    fn add<'s>(&mut self, side: impl Iterator<Item = &'s Record<'a>>)
    where
        'a: 's,
    {
        let mut group = 0;
        // Where in the group the next record goes; at its end while the last one seen heads the group.
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
