//! Tells how much of one file is in another, by the measure with which git detects renames.
//!
//! It counts the lines that both have, wherever these are: a file whose sections were put into another order is still
//! the same file, and so is one whose line endings were converted. See `diffcore_count_changes` in git's
//! `diffcore-delta.c`, and `estimate_similarity` in `diffcore-rename.c`.

use std::cmp::Ordering;

/// The longest piece in bytes; longer lines are cut into several.
const PIECE: u32 = 64;
/// The number of different hashes, a prime.
const HASHES: u32 = 107_927;

/// The score of two files that are the same.
pub const MOST: usize = 60_000;

/// The lines of a file, or pieces of them.
#[derive(Debug)]
pub struct Pieces {
    /// The size of the file.
    size: usize,
    /// How many bytes are in pieces of each hash, sorted by hash.
    counts: Vec<(u32, usize)>,
}

/// Whether files of these sizes cannot have a score of `least`.
pub fn differ_too_much(old: u64, new: u64, least: usize) -> bool {
    let (largest, most, least) = (u128::from(old.max(new)), MOST as u128, least as u128);
    largest * (most - least) < u128::from(old.abs_diff(new)) * most
}

impl Pieces {
    /// Takes a file apart.
    pub fn of(bytes: &[u8]) -> Self {
        let mut all = pieces(bytes);
        all.sort_unstable_by_key(|(hash, _)| *hash);
        all.dedup_by(|(hash, bytes), (kept, sum)| {
            let is_same = hash == kept;
            *sum += if is_same { *bytes } else { 0 };
            is_same
        });
        Self { size: bytes.len(), counts: all }
    }

    /// Returns how much of the larger file is in the smaller one as well, in sixty-thousandths, as git counts, if
    /// this is the old file.
    pub fn score(&self, new: &Self) -> usize {
        let largest = self.size.max(new.size);
        if new.size == 0 || largest == 0 {
            return 0;
        }
        let (mut old, mut new) = (self.counts.iter().peekable(), new.counts.iter().peekable());
        let mut common = 0;
        while let (Some((one, here)), Some((other, there))) = (old.peek(), new.peek()) {
            match one.cmp(other) {
                Ordering::Less => drop(old.next()),
                Ordering::Greater => drop(new.next()),
                Ordering::Equal => {
                    common += here.min(there);
                    old.next();
                    new.next();
                }
            }
        }
        common * MOST / largest
    }
}

/// Returns the hash and the number of bytes of each piece.
fn pieces(bytes: &[u8]) -> Vec<(u32, usize)> {
    let is_text = !bytes[..bytes.len().min(8000)].contains(&0);
    let mut pieces = Vec::new();
    let (mut low, mut high, mut length) = (0_u32, 0_u32, 0_u32);
    for (at, &byte) in bytes.iter().enumerate() {
        if is_text && byte == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
            continue;
        }
        let before = low;
        low = (low << 7) ^ (high >> 25);
        high = (high << 7) ^ (before >> 25);
        low = low.wrapping_add(u32::from(byte));
        length += 1;
        if length == PIECE || byte == b'\n' {
            pieces.push((hash(low, high), length as usize));
            (low, high, length) = (0, 0, 0);
        }
    }
    if length > 0 {
        pieces.push((hash(low, high), length as usize));
    }
    pieces
}

fn hash(low: u32, high: u32) -> u32 {
    low.wrapping_add(high.wrapping_mul(0x61)) % HASHES
}

#[cfg(test)]
mod tests {
    use gix::bstr::ByteSlice as _;
    use testkit::World;

    use super::*;

    #[test]
    fn the_score_is_git_s() {
        let text = |lines: &[&str]| lines.concat().into_bytes();
        let lines: Vec<String> = (0..12).map(|number| format!("this is line number {number}\n")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let moved = [&lines[6..], &lines[..6], &["and another one\n"]].concat();
        let long =
            "a line that is much longer than sixty-four bytes, so that it is cut into pieces\n".repeat(9);
        for (old, new) in [
            (text(&lines), text(&moved)),
            (text(&lines), text(&lines).replace(b"\n", b"\r\n")),
            (text(&lines), text(&lines[3..])),
            (text(&lines[2..]), text(&lines)),
            (long.clone().into_bytes(), format!("first\n{long}").into_bytes()),
            (b"\0binary\r\n".repeat(20), [b"\0binary\r\n".repeat(20), b"more".to_vec()].concat()),
        ] {
            let world = World::new();
            let repo = world.init("mike");
            repo.write("old", &old);
            repo.commit_all("old");
            repo.remove("old");
            repo.write("new", &new);
            repo.commit_all("new");
            let found = repo.git(["diff", "--raw", "-M1%", "--abbrev=4", "HEAD~1", "HEAD"]);
            let percent = Pieces::of(&old).score(&Pieces::of(&new)) * 100 / MOST;
            assert!(found.contains(&format!(" R{percent:03}\t")), "{percent}: {found}");
        }
    }
}
