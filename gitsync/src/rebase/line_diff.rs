//! Compares texts line by line, and pairs equal lines exactly as git does when it merges.
//!
//! Which of several equal lines belong together decides which changes overlap, and so whether a merge is clean. Another
//! implementation of the same algorithm pairs some of them otherwise, and would then report conflicts where git has
//! none, or merge to another text. So this follows git's own: `xdiff/xhistogram.c`, and `xdl_change_compact` in
//! `xdiff/xdiffi.c` without the indent heuristic, which merges do not use.

use std::ops::Range;

use gix::diff::blob::{Algorithm, Diff, InternedInput};

/// A line that occurs more often than this is not used to align the texts.
const MOST: u32 = 64;
/// No line.
const NONE: usize = usize::MAX;

/// Lines of the old text that were replaced by lines of the new one. Either range may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The lines of the old text.
    pub before: Range<usize>,
    /// The lines of the new text.
    pub after: Range<usize>,
}

/// Returns the differences between two texts, in order.
pub fn changes(before: &[&[u8]], after: &[&[u8]]) -> Vec<Hunk> {
    let mut input = InternedInput::default();
    input.update_before(before.iter().copied());
    input.update_after(after.iter().copied());
    let tokens = |lines: &[gix::diff::blob::Token]| lines.iter().map(|token| token.0).collect();
    let mut before = Side::new(tokens(&input.before));
    let mut after = Side::new(tokens(&input.after));
    mark(&mut before, &mut after, input.interner.num_tokens() as usize);
    compact(&mut before, &mut after);
    compact(&mut after, &mut before);
    hunks(&before, &after)
}

/// One of the texts.
struct Side {
    /// A number for each line; equal lines have the same one.
    lines: Vec<u32>,
    /// Whether each line is part of a change.
    changed: Vec<bool>,
}

impl Side {
    fn new(lines: Vec<u32>) -> Self {
        Self { changed: vec![false; lines.len()], lines }
    }

    fn is_changed(&self, line: usize) -> bool {
        self.changed.get(line) == Some(&true)
    }
}

/// Marks the lines that differ.
fn mark(before: &mut Side, after: &mut Side, tokens: usize) {
    let mut search = Search::new(before.lines.len(), tokens);
    let mut regions = vec![(0..before.lines.len(), 0..after.lines.len())];
    while let Some((old, new)) = regions.pop() {
        if old.is_empty() || new.is_empty() {
            before.changed[old].fill(true);
            after.changed[new].fill(true);
            continue;
        }
        match search.run(&before.lines, &after.lines, &old, &new) {
            Found::Common(both) => {
                regions.push((old.start..both.before.start, new.start..both.after.start));
                regions.push((both.before.end..old.end, both.after.end..new.end));
            }
            Found::Nothing => {
                before.changed[old].fill(true);
                after.changed[new].fill(true);
            }
            Found::TooFrequent => fall_back(before, after, old, new),
        }
    }
}

/// Marks the lines that differ by Myers' algorithm, since all lines that both regions have occur too often.
fn fall_back(before: &mut Side, after: &mut Side, old: Range<usize>, new: Range<usize>) {
    let mut input: InternedInput<u32> = InternedInput::default();
    input.update_before(before.lines[old.clone()].iter().copied());
    input.update_after(after.lines[new.clone()].iter().copied());
    let within = |range: Range<u32>, start: usize| start + range.start as usize..start + range.end as usize;
    for hunk in Diff::compute(Algorithm::Myers, &input).hunks() {
        before.changed[within(hunk.before, old.start)].fill(true);
        after.changed[within(hunk.after, new.start)].fill(true);
    }
}

/// The result of looking for the lines by which to align two regions.
enum Found {
    /// These lines are the same in both.
    Common(Hunk),
    /// The regions have no line in common.
    Nothing,
    /// They have, but only such as occur too often.
    TooFrequent,
}

/// Looks for the longest run of equal lines, rare ones first; see `find_lcs`.
struct Search {
    /// What is known of each token in this round.
    records: Vec<Record>,
    /// For each old line the next one that equals it.
    next: Vec<usize>,
    round: u32,
}

/// The old lines that have one token.
#[derive(Debug, Clone, Copy, Default)]
struct Record {
    /// The round in which it was made; it means nothing in others.
    round: u32,
    first: usize,
    count: u32,
}

impl Search {
    fn new(lines: usize, tokens: usize) -> Self {
        Self { records: vec![Record::default(); tokens], next: vec![NONE; lines], round: 0 }
    }

    fn run(&mut self, before: &[u32], after: &[u32], old: &Range<usize>, new: &Range<usize>) -> Found {
        self.round += 1;
        for line in old.clone().rev() {
            let record = &mut self.records[before[line] as usize];
            if record.round == self.round {
                self.next[line] = record.first;
                (record.first, record.count) = (line, record.count + 1);
            } else {
                self.next[line] = NONE;
                *record = Record { round: self.round, first: line, count: 1 };
            }
        }
        let mut best: Option<Hunk> = None;
        let mut rarest = MOST + 1;
        let mut has_common = false;
        let mut at = new.start;
        while at < new.end {
            let record = self.records[after[at] as usize];
            let mut next_at = at + 1;
            if record.round == self.round {
                has_common = true;
            }
            let mut candidate =
                if record.round == self.round && record.count <= rarest { record.first } else { NONE };
            while candidate != NONE {
                let (both, count) = self.grow(before, after, (old, new), (candidate, at), record.count);
                next_at = next_at.max(both.after.end);
                let longest = best.as_ref().map_or(1, |best| best.before.len());
                let mut following = self.next[candidate];
                while following != NONE && following < both.before.end {
                    following = self.next[following];
                }
                if longest < both.before.len() || count < rarest {
                    best = Some(both);
                    rarest = count;
                }
                candidate = following;
            }
            at = next_at;
        }
        match best {
            _ if has_common && rarest > MOST => Found::TooFrequent,
            Some(best) => Found::Common(best),
            None => Found::Nothing,
        }
    }

    /// Extends a pair of equal lines in both directions. Also returns how often the rarest of these lines occurs.
    fn grow(
        &self,
        before: &[u32],
        after: &[u32],
        (old, new): (&Range<usize>, &Range<usize>),
        (mut start, mut new_start): (usize, usize),
        mut count: u32,
    ) -> (Hunk, u32) {
        let (mut end, mut new_end) = (start + 1, new_start + 1);
        let occurs = |line: usize| self.records[before[line] as usize].count;
        while old.start < start && new.start < new_start && before[start - 1] == after[new_start - 1] {
            (start, new_start) = (start - 1, new_start - 1);
            count = count.min(occurs(start));
        }
        while end < old.end && new_end < new.end && before[end] == after[new_end] {
            count = count.min(occurs(end));
            (end, new_end) = (end + 1, new_end + 1);
        }
        (Hunk { before: start..end, after: new_start..new_end }, count)
    }
}

/// Moves changes that could be elsewhere as well, as when one of several equal lines was removed: as far down as
/// possible, or to where the other text has a change. Changes that meet are joined.
fn compact(side: &mut Side, other: &mut Side) {
    let (mut group, mut across) = (Group::first(side), Group::first(other));
    loop {
        if !group.is_empty() {
            let (mut highest, mut aligned);
            loop {
                let size = group.end - group.start;
                while group.slide_up(side) {
                    across.previous(other);
                }
                highest = group.end;
                aligned = !across.is_empty();
                while group.slide_down(side) {
                    across.next(other);
                    aligned |= !across.is_empty();
                }
                if size == group.end - group.start {
                    break;
                }
            }
            while group.end != highest && aligned && across.is_empty() {
                group.slide_up(side);
                across.previous(other);
            }
        }
        if !group.next(side) {
            return;
        }
        across.next(other);
    }
}

/// A change, or the place between two unchanged lines.
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn first(side: &Side) -> Self {
        let mut group = Self { start: 0, end: 0 };
        group.extend(side);
        group
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn extend(&mut self, side: &Side) {
        while side.is_changed(self.end) {
            self.end += 1;
        }
    }

    /// Goes to the next group, the one behind the next unchanged line; returns false if there is none.
    fn next(&mut self, side: &Side) -> bool {
        if self.end == side.lines.len() {
            return false;
        }
        *self = Self { start: self.end + 1, end: self.end + 1 };
        self.extend(side);
        true
    }

    /// Goes to the previous group, if there is one.
    fn previous(&mut self, side: &Side) {
        if self.start == 0 {
            return;
        }
        *self = Self { start: self.start - 1, end: self.start - 1 };
        while self.start > 0 && side.is_changed(self.start - 1) {
            self.start -= 1;
        }
    }

    /// Moves the change one line down, if it remains the same change; returns whether it was moved.
    fn slide_down(&mut self, side: &mut Side) -> bool {
        let can = self.end < side.lines.len() && side.lines[self.start] == side.lines[self.end];
        if can {
            side.changed[self.start] = false;
            side.changed[self.end] = true;
            (self.start, self.end) = (self.start + 1, self.end + 1);
            self.extend(side);
        }
        can
    }

    /// Moves the change one line up, if it remains the same change; returns whether it was moved.
    fn slide_up(&mut self, side: &mut Side) -> bool {
        let can = self.start > 0 && side.lines[self.start - 1] == side.lines[self.end - 1];
        if can {
            (self.start, self.end) = (self.start - 1, self.end - 1);
            side.changed[self.start] = true;
            side.changed[self.end] = false;
            while self.start > 0 && side.is_changed(self.start - 1) {
                self.start -= 1;
            }
        }
        can
    }
}

fn hunks(before: &Side, after: &Side) -> Vec<Hunk> {
    let mut hunks = Vec::new();
    let (mut old, mut new) = (0, 0);
    while old < before.lines.len() || new < after.lines.len() {
        let (old_start, new_start) = (old, new);
        while before.is_changed(old) {
            old += 1;
        }
        while after.is_changed(new) {
            new += 1;
        }
        if (old, new) != (old_start, new_start) {
            hunks.push(Hunk { before: old_start..old, after: new_start..new });
        }
        (old, new) = (old + 1, new + 1);
    }
    hunks
}
