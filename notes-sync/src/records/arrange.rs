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
///
/// A note may hold a line of JSON for each event of a year, so the records of a group are a linked list: an insertion
/// takes the same time wherever it is.
struct Order<'a> {
    groups: Vec<Group>,
    nodes: Vec<Node<'a>>,
    placed: HashMap<&'a [u8], Place>,
}

/// The first and the last node of a group.
struct Group {
    head: usize,
    last: usize,
}

/// A record of a group, and the node after it.
struct Node<'a> {
    /// `None`: the head of the first group.
    record: Option<Record<'a>>,
    next: Option<usize>,
}

/// Where a record is.
#[derive(Clone, Copy)]
struct Place {
    group: usize,
    node: usize,
}

impl<'a> Order<'a> {
    fn new(kept: impl Iterator<Item = Record<'a>>) -> Self {
        let mut order = Self { groups: Vec::new(), nodes: Vec::new(), placed: HashMap::new() };
        order.begin_group(None);
        for record in kept {
            if !order.placed.contains_key(record.bytes) {
                let place = order.begin_group(Some(record));
                order.placed.insert(record.bytes, place);
            }
        }
        order
    }

    fn begin_group(&mut self, record: Option<Record<'a>>) -> Place {
        let place = Place { group: self.groups.len(), node: self.nodes.len() };
        self.nodes.push(Node { record, next: None });
        self.groups.push(Group { head: place.node, last: place.node });
        place
    }

    /// Adds the records that are not there yet, each after the one that it follows on its side.
    fn add<'s>(&mut self, side: impl Iterator<Item = &'s Record<'a>>)
    where
        'a: 's,
    {
        let mut group = 0;
        // The node after which the next record goes; `None` means the last one of the group, while the last record seen
        // is the head of the group.
        let mut before = None;
        let mut seen = HashSet::new();
        for record in side.filter(|record| seen.insert(record.bytes)) {
            let node = match self.placed.get(record.bytes) {
                Some(place) => {
                    group = place.group;
                    place.node
                }
                None => {
                    let node = self.insert(*record, group, before.unwrap_or(self.groups[group].last));
                    self.placed.insert(record.bytes, Place { group, node });
                    node
                }
            };
            before = (node != self.groups[group].head).then_some(node);
        }
    }

    /// Inserts a record into `group`, behind the node `before`.
    fn insert(&mut self, record: Record<'a>, group: usize, before: usize) -> usize {
        let node = self.nodes.len();
        let next = self.nodes[before].next.replace(node);
        self.nodes.push(Node { record: Some(record), next });
        if next.is_none() {
            self.groups[group].last = node;
        }
        node
    }

    fn finish(self) -> Vec<Record<'a>> {
        let of_group = |group: &Group| {
            std::iter::successors(Some(&self.nodes[group.head]), |node| {
                node.next.map(|next| &self.nodes[next])
            })
        };
        self.groups.iter().flat_map(of_group).filter_map(|node| node.record).collect()
    }
}
