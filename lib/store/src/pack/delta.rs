//! Computes deltas in git's format.
//!
//! A delta describes an object as copies from another one and literal data in between, see
//! <https://git-scm.com/docs/gitformat-pack#_deltified_representation>.

use std::ops::Range;

/// A delta base with a hash table of its blocks.
pub(crate) struct Base {
    data: Vec<u8>,
    /// By hash: the first block with it, as its number plus one; 0 if there is no such block.
    heads: Vec<u32>,
    /// By block: the next one with the same hash, in the same form.
    previous: Vec<u32>,
}

/// The size of the blocks with which matches begin, which is also git's. With smaller ones, instructions would cost
/// more than they save.
const BLOCK: usize = 16;

/// The maximum number of blocks with the same hash that are tried: repetitive files have thousands.
const CANDIDATES: usize = 32;

/// A match of this length ends the search.
const GOOD: usize = 4096;

impl Base {
    /// Builds the hash table of `data`. `None` if the data is too small for a delta to be worthwhile, or too large.
    pub fn new(data: Vec<u8>) -> Option<Self> {
        let blocks = u32::try_from(data.len() / BLOCK).ok()?;
        if blocks == 0 || data.len() > u32::MAX as usize {
            return None;
        }
        let slots = (blocks as usize).next_power_of_two().max(16);
        let mut base = Self { data, heads: vec![0; slots], previous: vec![0; blocks as usize] };
        // Backwards, so that of equal blocks the first one is tried first: the longest match may begin there.
        for block in (0..blocks).rev() {
            let slot = base.slot(&base.data[block as usize * BLOCK..]);
            base.previous[block as usize] = base.heads[slot];
            base.heads[slot] = block + 1;
        }
        Some(base)
    }

    /// The size in bytes.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Returns `new` as a delta; `None` if that takes `limit` bytes or more.
    pub fn delta(&self, new: &[u8], limit: usize) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(limit.min(64 * 1024));
        varint(&mut out, self.data.len());
        varint(&mut out, new.len());
        let (mut at, mut pending) = (0, 0);
        while at + BLOCK <= new.len() {
            let Some(found) = self.longest(new, at, pending) else {
                at += 1;
                // Nothing has matched for so long that the limit is exceeded already.
                if out.len() + (at - pending) > limit {
                    return None;
                }
                continue;
            };
            insert(&mut out, &new[pending..found.new]);
            copy(&mut out, found.base..found.base + found.length);
            at = found.new + found.length;
            pending = at;
            if out.len() >= limit {
                return None;
            }
        }
        insert(&mut out, &new[pending..]);
        (out.len() < limit).then_some(out)
    }

    /// Returns the longest match around `new[at..]` that starts at `pending` or later.
    fn longest(&self, new: &[u8], at: usize, pending: usize) -> Option<Match> {
        let mut best: Option<Match> = None;
        let mut next = self.heads[self.slot(&new[at..])];
        for _ in 0..CANDIDATES {
            let block = next.checked_sub(1)? as usize;
            next = self.previous[block];
            let start = block * BLOCK;
            if self.data[start..start + BLOCK] == new[at..at + BLOCK] {
                let forward = common(&self.data[start + BLOCK..], &new[at + BLOCK..]);
                let back = common_end(&self.data[..start], &new[pending..at]);
                let length = back + BLOCK + forward;
                if best.as_ref().is_none_or(|best| best.length < length) {
                    best = Some(Match { base: start - back, new: at - back, length });
                }
                if length >= GOOD {
                    break;
                }
            }
            if next == 0 {
                break;
            }
        }
        best
    }

    fn slot(&self, bytes: &[u8]) -> usize {
        let mut low = [0; 8];
        let mut high = [0; 8];
        low.copy_from_slice(&bytes[..8]);
        high.copy_from_slice(&bytes[8..BLOCK]);
        let mixed = u64::from_le_bytes(low).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ u64::from_le_bytes(high).wrapping_mul(0xC2B2_AE3D_27D4_EB4F).rotate_left(31);
        (mixed ^ (mixed >> 29)) as usize & (self.heads.len() - 1)
    }
}

/// A delta that is assembled by a caller who knows the differences.
pub(crate) struct Draft {
    out: Vec<u8>,
    /// The range to be copied that is not written yet.
    copied: Range<usize>,
    /// The literal data that is not written yet; never both.
    inserted: Vec<u8>,
}

impl Draft {
    /// Begins a delta between contents of these sizes.
    pub fn new(base: usize, new: usize) -> Self {
        let mut out = Vec::with_capacity(64);
        varint(&mut out, base);
        varint(&mut out, new);
        Self { out, copied: 0..0, inserted: Vec::new() }
    }

    /// Appends these bytes of the base.
    pub fn copy(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        if self.copied.end == range.start && !self.copied.is_empty() {
            self.copied.end = range.end;
        } else {
            self.settle();
            self.copied = range;
        }
    }

    /// Appends these bytes.
    pub fn insert(&mut self, bytes: &[u8]) {
        if !self.copied.is_empty() {
            self.settle();
        }
        self.inserted.extend_from_slice(bytes);
    }

    /// Returns the delta; `None` if it takes `limit` bytes or more.
    pub fn finish(mut self, limit: usize) -> Option<Vec<u8>> {
        self.settle();
        (self.out.len() < limit).then_some(self.out)
    }

    fn settle(&mut self) {
        insert(&mut self.out, &self.inserted);
        self.inserted.clear();
        copy(&mut self.out, std::mem::replace(&mut self.copied, 0..0));
    }
}

/// A sequence of bytes that is the same in both objects.
struct Match {
    base: usize,
    new: usize,
    length: usize,
}

/// Returns the length of the common prefix.
pub(crate) fn common(a: &[u8], b: &[u8]) -> usize {
    // As arrays, whose length is known at compile time, so that they are compared without a function call.
    const WIDE: usize = 32;
    let wide = a.as_chunks::<WIDE>().0.iter().zip(b.as_chunks::<WIDE>().0);
    let alike = wide.take_while(|(a, b)| a == b).count() * WIDE;
    alike + a[alike..].iter().zip(&b[alike..]).take_while(|(a, b)| a == b).count()
}

fn common_end(a: &[u8], b: &[u8]) -> usize {
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// Appends a size in groups of seven bits, the lowest first.
fn varint(out: &mut Vec<u8>, mut size: usize) {
    while size >= 0x80 {
        out.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
}

fn insert(out: &mut Vec<u8>, bytes: &[u8]) {
    const MOST: usize = 0x7f;
    for piece in bytes.chunks(MOST) {
        out.push(piece.len() as u8);
        out.extend_from_slice(piece);
    }
}

/// Appends copy instructions: only the non-zero bytes of offset and size are written. A size of zero means 64 KiB,
/// the maximum.
fn copy(out: &mut Vec<u8>, range: Range<usize>) {
    const MOST: usize = 0x1_0000;
    let mut from = range.start;
    while from < range.end {
        let length = (range.end - from).min(MOST);
        let opcode_at = out.len();
        let mut opcode = 0x80u8;
        out.push(opcode);
        for (bit, byte) in (from as u32).to_le_bytes().into_iter().enumerate() {
            if byte != 0 {
                opcode |= 1 << bit;
                out.push(byte);
            }
        }
        for (bit, byte) in (length as u16).to_le_bytes().into_iter().enumerate() {
            if byte != 0 {
                opcode |= 0x10 << bit;
                out.push(byte);
            }
        }
        out[opcode_at] = opcode;
        from += length;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An independent implementation of the reader, following the description of the format.
    pub(in super::super) fn apply(base: &[u8], delta: &[u8]) -> Vec<u8> {
        let mut bytes = delta.iter().copied();
        let mut size = || {
            let (mut value, mut shift) = (0usize, 0);
            loop {
                let byte = bytes.next().unwrap();
                value |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    return value;
                }
            }
        };
        assert_eq!(size(), base.len());
        let length = size();
        let mut out = Vec::new();
        while let Some(opcode) = bytes.next() {
            if opcode & 0x80 == 0 {
                out.extend((0..opcode).map(|_| bytes.next().unwrap()));
                continue;
            }
            let mut take = |bits: std::ops::Range<u8>| {
                bits.clone().fold(0usize, |value, bit| {
                    let byte = if opcode & (1 << bit) == 0 { 0 } else { bytes.next().unwrap() };
                    value | usize::from(byte) << (8 * (bit - bits.start))
                })
            };
            let from = take(0..4);
            let size = match take(4..7) {
                0 => 0x1_0000,
                size => size,
            };
            out.extend_from_slice(&base[from..from + size]);
        }
        assert_eq!(out.len(), length);
        out
    }

    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 33) as u8
            })
            .collect()
    }

    #[test]
    fn every_delta_gives_the_new_bytes_again() {
        for round in 0..200u64 {
            let base = noise(17 + (round as usize * 97) % 5000, round + 1);
            let mut new = base.clone();
            let at = (round as usize * 31) % new.len();
            match round % 4 {
                0 => new.splice(at..at, noise(round as usize, 77)).for_each(drop),
                1 => new.truncate(at.max(17)),
                2 => new.extend(noise(300, round)),
                _ => new.rotate_left(at),
            }
            let delta = Base::new(base.clone()).unwrap().delta(&new, usize::MAX).unwrap();
            assert_eq!(apply(&base, &delta), new, "round {round}");
        }
    }

    #[test]
    fn a_line_added_to_a_long_log_costs_little_more_than_the_line() {
        let base: Vec<u8> =
            (0..20_000).flat_map(|n| format!("{n}: something happened here\n").into_bytes()).collect();
        let mut new = base.clone();
        new.extend_from_slice(b"one more line\n");
        let delta = Base::new(base.clone()).unwrap().delta(&new, new.len()).unwrap();
        assert!(delta.len() < 120, "{}", delta.len());
        assert_eq!(apply(&base, &delta), new);
    }

    #[test]
    fn a_delta_that_saves_nothing_is_none() {
        let (base, new) = (noise(1000, 3), noise(1000, 5));
        assert!(Base::new(base.clone()).unwrap().delta(&new, 500).is_none());
    }

    #[test]
    fn files_that_repeat_one_line_are_no_trap() {
        let base = b"the same line again\n".repeat(50_000);
        let mut new = base.clone();
        new.splice(500..500, *b"but not this");
        let delta = Base::new(base.clone()).unwrap().delta(&new, new.len()).unwrap();
        assert_eq!(apply(&base, &delta), new);
        assert!(delta.len() < 400, "{}", delta.len());
    }
}
