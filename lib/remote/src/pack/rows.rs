//! Compresses trees whose entries are all alike, as the folders of notes and of loose objects are.
//!
//! Such a tree is rows of one length: a mode, hex digits, and an id that no compressor can make smaller. Searching it
//! for repetitions finds what is known beforehand, that each row begins like the one before, and takes most of the time
//! of writing it. So the rows are coded directly, with a code that gives short words to hex digits: smaller than the
//! fastest level of zlib makes them, and several times as fast. The result is an ordinary zlib stream ([RFC
//! 1950](https://www.rfc-editor.org/rfc/rfc1950), [RFC 1951](https://www.rfc-editor.org/rfc/rfc1951)).

/// Compresses trees of rows.
pub(super) struct Rows {
    words: [Word; SYMBOLS],
    lengths: [u8; SYMBOLS],
    /// Where the last stream was written, and the next one will be.
    room: Vec<u8>,
}

/// What stands for a symbol. Small, so that all of them stay close to the processor.
#[derive(Clone, Copy, Default)]
struct Word {
    bits: u16,
    len: u16,
}

/// A tree as rows.
struct Shape {
    /// Bytes of a row.
    row: usize,
    /// Bytes that each row begins with, up to and with the space after the mode.
    head: usize,
}

/// No repetition can be of anything farther back, nor a row be longer.
const FARTHEST: usize = 32 * 1024;
const END: usize = 256;
/// The symbol for a repetition of as many bytes as the shortest can have.
const REPEAT_3: usize = 257;
/// Modes of trees are five digits, those of files six.
const HEADS: [usize; 2] = [6, 7];
const SYMBOLS: usize = REPEAT_3 + 7 - 3 + 1;

impl Rows {
    pub fn new() -> Self {
        let mut lengths = [0; SYMBOLS];
        lengths[..END].fill(9);
        for digit in (b'0'..=b'9').chain(b'a'..=b'f') {
            lengths[usize::from(digit)] = 5;
        }
        for head in HEADS {
            lengths[REPEAT_3 + head - 3] = 6;
        }
        // So that the words fill the code, as they must: 16/32 + 2/64 + 239/512 + 2/1024. Spaces are in the heads
        // alone.
        lengths[END] = 10;
        lengths[usize::from(b' ')] = 10;
        Self { words: words(&lengths), lengths, room: Vec::new() }
    }

    /// The tree as a zlib stream; `None` where it is not of this kind.
    pub fn compress(&mut self, tree: &[u8], id: usize) -> Option<&[u8]> {
        let shape = Shape::of(tree, id)?;
        let mut out = Bits::new(std::mem::take(&mut self.room), tree.len());
        // A window of 32 KiB, the fastest level.
        out.put(0x0178, 16);
        // The last block, with a code of its own.
        out.put(0b101, 3);
        let (distance, extra, extra_len) = distance(shape.row);
        self.code(distance, &mut out);
        let again = self.words[REPEAT_3 + shape.head - 3];
        // The distance's own word is a single 0.
        let (repeat, repeat_len) =
            (u64::from(again.bits) | extra << (again.len + 1), u32::from(again.len) + 1 + extra_len);
        for (at, row) in tree.chunks_exact(shape.row).enumerate() {
            let rest = if at == 0 {
                row
            } else {
                out.put(repeat, repeat_len);
                &row[shape.head..]
            };
            let (full, last) = rest.as_chunks::<BYTES_AT_ONCE>();
            for bytes in full {
                self.literals(bytes, &mut out);
            }
            self.literals(last, &mut out);
        }
        out.word(self.words[END]);
        let len = out.finish(zlib_rs::adler32::adler32(1, tree));
        self.room = out.bytes;
        Some(&self.room[..len])
    }

    /// Writes a few bytes as themselves.
    #[inline]
    fn literals(&self, few: &[u8], out: &mut Bits) {
        let (mut bits, mut len) = (0, 0);
        for byte in few {
            let word = self.words[usize::from(*byte)];
            bits |= u64::from(word.bits) << len;
            len += u32::from(word.len);
        }
        out.put(bits, len);
    }

    /// Writes the lengths of all words, from which a reader makes the words; the only distance has one bit.
    fn code(&self, distance: usize, out: &mut Bits) {
        let mut lengths = self.lengths.to_vec();
        lengths.resize(SYMBOLS + distance, 0);
        lengths.push(1);
        out.put((SYMBOLS - 257) as u64, 5);
        out.put(distance as u64, 5);
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let inner = words(&INNER);
        out.put(order.len() as u64 - 4, 4);
        for symbol in order {
            out.put(u64::from(INNER[symbol]), 3);
        }
        let mut rest = &lengths[..];
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|len| *len == first).count();
            let word = inner[usize::from(*first)];
            out.word(word);
            let mut left = run - 1;
            while left >= 3 {
                let repeated = left.min(6);
                out.word(inner[16]);
                out.put(repeated as u64 - 3, 2);
                left -= repeated;
            }
            for _ in 0..left {
                out.word(word);
            }
            rest = &rest[run..];
        }
    }
}

/// The lengths of the words for lengths: mostly "as before".
const INNER: [u8; 19] = [3, 5, 0, 0, 0, 3, 4, 0, 0, 3, 5, 0, 0, 0, 0, 0, 1, 0, 0];

impl Shape {
    fn of(tree: &[u8], id: usize) -> Option<Self> {
        let head = tree.iter().take(7).position(|byte| *byte == b' ')? + 1;
        let name = tree.iter().skip(head).position(|byte| *byte == 0)?;
        let row = head + name + 1 + id;
        // As arrays, since their lengths are known then, and nobody needs to be called to compare them.
        let begins_alike = |row: &[u8]| match head {
            6 => row.first_chunk::<6>() == tree.first_chunk(),
            _ => row.first_chunk::<7>() == tree.first_chunk(),
        };
        let is_digit = |byte: &u8| (byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6);
        let are_digits = |name: &[u8]| {
            let (full, last) = name.as_chunks::<16>();
            full.iter().all(|bytes| bytes.iter().fold(true, |fine, byte| fine & is_digit(byte)))
                && last.iter().all(is_digit)
        };
        let alike =
            |row: &[u8]| begins_alike(row) && are_digits(&row[head..head + name]) && row[head + name] == 0;
        let rows = tree.chunks_exact(row);
        let fits = HEADS.contains(&head) && row <= FARTHEST && rows.remainder().is_empty() && rows.len() >= 2;
        (fits && rows.into_iter().all(alike)).then_some(Self { row, head })
    }
}

/// The symbol for a distance, and what is said beside it in how many bits.
fn distance(distance: usize) -> (usize, u64, u32) {
    let before = distance as u32 - 1;
    if before < 4 {
        return (before as usize, 0, 0);
    }
    let log = before.ilog2();
    let extra_len = log - 1;
    let symbol = 2 * log + (before >> extra_len & 1);
    (symbol as usize, u64::from(before & ((1 << extra_len) - 1)), extra_len)
}

/// The words of a canonical code, their bits in the order in which they are written.
fn words<const N: usize>(lengths: &[u8; N]) -> [Word; N] {
    let mut words = [Word::default(); N];
    let mut next = 0u16;
    for len in 1..=15u16 {
        next <<= 1;
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, of)| u16::from(**of) == len) {
            words[symbol] = Word { bits: next.reverse_bits() >> (16 - len), len };
            next += 1;
        }
    }
    words
}

/// The longest word has ten bits.
const BYTES_AT_ONCE: usize = 5;
/// What is written before the first word of a tree, its code above all, and after the last takes less.
const FRAME: usize = 256;

/// Bits on their way into bytes, the lowest first.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
    pending: u64,
    len: u32,
}

impl Bits {
    /// Writes to `bytes`, whatever is in there, with room for a tree of this length.
    fn new(mut bytes: Vec<u8>, tree: usize) -> Self {
        let room = tree + tree / 4 + FRAME;
        if bytes.len() < room {
            bytes.resize(room, 0);
        }
        Self { bytes, at: 0, pending: 0, len: 0 }
    }

    fn word(&mut self, word: Word) {
        self.put(word.bits.into(), word.len.into());
    }

    /// Adds at most 56 bits.
    #[inline]
    fn put(&mut self, bits: u64, len: u32) {
        self.pending |= bits << self.len;
        self.len += len;
        // All are written, and again with the next ones those that do not fill a byte: the same few steps for any
        // number.
        self.bytes[self.at..][..8].copy_from_slice(&self.pending.to_le_bytes());
        self.at += self.len as usize / 8;
        self.pending >>= self.len & !7;
        self.len %= 8;
    }

    /// Fills the last byte, and adds the checksum; how many bytes were written in all.
    fn finish(&mut self, checksum: u32) -> usize {
        self.put(0, (8 - self.len) % 8);
        self.bytes[self.at..][..4].copy_from_slice(&checksum.to_be_bytes());
        self.at + 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(mode: &str, digits: usize, rows: u32) -> Vec<u8> {
        let mut tree = Vec::new();
        for row in 0..rows {
            let mut hash = gix::hash::hasher(gix::hash::Kind::Sha1);
            hash.update(&row.to_be_bytes());
            let id = hash.try_finalize().expect("no collision");
            tree.extend_from_slice(mode.as_bytes());
            tree.extend_from_slice(&id.to_string().as_bytes()[..digits]);
            tree.push(0);
            tree.extend_from_slice(id.as_slice());
        }
        tree
    }

    fn inflated(stream: &[u8]) -> Vec<u8> {
        let mut out = vec![0; 1 << 20];
        let (_, _, written) = gix::zlib::Inflate::default().once(stream, &mut out).expect("a zlib stream");
        out.truncate(written);
        out
    }

    #[test]
    fn the_words_fill_the_code() {
        for lengths in [&Rows::new().lengths[..], &INNER] {
            let used: u32 = lengths.iter().filter(|len| **len > 0).map(|len| 1 << (15 - len)).sum();
            assert_eq!(used, 1 << 15, "{lengths:?}");
        }
    }

    #[test]
    fn rows_of_any_length_come_out_as_they_went_in_and_smaller() {
        let mut rows = Rows::new();
        for (mode, digits) in
            [("40000 ", 2), ("100644 ", 40), ("100644 ", 38), ("100644 ", 36), ("100644 ", 2)]
        {
            for count in [2, 3, 16, 256, 3000] {
                let tree = tree(mode, digits, count);
                let stream = rows.compress(&tree, 20).expect("rows");
                assert_eq!(inflated(stream), tree);
                assert!(
                    count < 100 || stream.len() * 100 < tree.len() * 95,
                    "{mode}{digits}: {}",
                    stream.len()
                );
            }
        }
    }

    #[test]
    fn other_trees_are_not_taken_for_rows() {
        let mut rows = Rows::new();
        let mut mixed = tree("100644 ", 40, 3);
        mixed.extend_from_slice(&tree("40000 ", 2, 1));
        let readme = [b"100644 README\0".as_slice(), &[7; 20], b"100644 readme\0", &[8; 20]].concat();
        let long = [b"100644 ".as_slice(), &[b'a'; 40_000], &[0; 21]].concat().repeat(2);
        for tree in [&b""[..], &tree("100644 ", 40, 1), &mixed, &readme, b"100644 cut of", &long] {
            assert!(rows.compress(tree, 20).is_none());
        }
    }
}
