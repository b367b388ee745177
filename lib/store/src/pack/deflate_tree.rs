//! Compresses trees whose entries all have the same form, as those of notes do.
//!
//! Such a tree consists of rows of one length: a mode, hex digits (as in the paths of loose objects), and an id that
//! cannot be compressed. Searching it for repetitions only finds what is known beforehand, that each row begins like
//! the one before, and takes most of the time of writing it. So the rows are encoded directly, with a Huffman code
//! that has short codes for hex digits: this is several times as fast as zlib's fastest level, and the result is
//! smaller. It is an ordinary zlib stream ([RFC 1950](https://www.rfc-editor.org/rfc/rfc1950), [RFC
//! 1951](https://www.rfc-editor.org/rfc/rfc1951)).

/// A compressor for trees that consist of rows.
pub(super) struct TreeDeflate {
    words: [Word; SYMBOLS],
    lengths: [u8; SYMBOLS],
    /// The buffer for the output, which is reused.
    room: Vec<u8>,
}

/// The code of a symbol. It is small, so that all codes fit into the cache.
#[derive(Clone, Copy, Default)]
struct Word {
    bits: u16,
    len: u16,
}

/// The layout of a tree of rows.
struct Shape {
    /// The length of a row in bytes.
    row: usize,
    /// The number of bytes up to and including the space after the mode, with which each row begins.
    head: usize,
}

/// The maximum distance of a repetition, and therefore the maximum length of a row.
const FARTHEST: usize = 32 * 1024;
const END: usize = 256;
/// The symbol for a repetition of the minimum length.
const REPEAT_3: usize = 257;
/// Modes of trees have five digits, those of files six.
const HEADS: [usize; 2] = [6, 7];
const SYMBOLS: usize = REPEAT_3 + 7 - 3 + 1;

impl TreeDeflate {
    pub fn new() -> Self {
        let mut lengths = [0; SYMBOLS];
        lengths[..END].fill(9);
        for digit in (b'0'..=b'9').chain(b'a'..=b'f') {
            lengths[usize::from(digit)] = 5;
        }
        for head in HEADS {
            lengths[REPEAT_3 + head - 3] = 6;
        }
        // So that the code is complete, as it must be: 16/32 + 2/64 + 239/512 + 2/1024. Spaces occur in the heads
        // only.
        lengths[END] = 10;
        lengths[usize::from(b' ')] = 10;
        Self { words: words(&lengths), lengths, room: Vec::new() }
    }

    /// Returns the tree as a zlib stream; `None` if it does not consist of rows.
    pub fn compress(&mut self, tree: &[u8], id: usize) -> Option<&[u8]> {
        let shape = Shape::of(tree, id)?;
        let mut out = Bits::new(std::mem::take(&mut self.room), tree.len());
        // The header: a window of 32 KiB, the fastest level.
        out.put(0x0178, 16);
        // The last block, with a dynamic Huffman code.
        out.put(0b101, 3);
        let (distance, extra, extra_len) = distance(shape.row);
        self.code(distance, &mut out);
        let again = self.words[REPEAT_3 + shape.head - 3];
        // The code of the distance is a single 0.
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

    /// Writes a few bytes as literals.
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

    /// Writes the lengths of all codes, from which a reader derives the codes; the code of the only distance has one
    /// bit.
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

/// The lengths of the codes for code lengths: mostly "repeat the previous length".
const INNER: [u8; 19] = [3, 5, 0, 0, 0, 3, 4, 0, 0, 3, 5, 0, 0, 0, 0, 0, 1, 0, 0];

impl Shape {
    fn of(tree: &[u8], id: usize) -> Option<Self> {
        let head = tree.iter().take(7).position(|byte| *byte == b' ')? + 1;
        let name = tree.iter().skip(head).position(|byte| *byte == 0)?;
        let row = head + name + 1 + id;
        // As arrays, whose length is known at compile time, so that they are compared without a function call.
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

/// Returns the symbol for a distance, and the value and number of its extra bits.
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

/// Returns the codes of a canonical Huffman code, with their bits in the order in which they are written.
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

/// The longest code has ten bits.
const BYTES_AT_ONCE: usize = 5;
/// More than the bytes before the first row, which are mostly the code, and after the last one.
const FRAME: usize = 256;

/// Packs bits into bytes, the lowest first.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
    pending: u64,
    len: u32,
}

impl Bits {
    /// Writes to `bytes`, whose content is overwritten, with room for a tree of this length.
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

    /// Appends at most 56 bits.
    #[inline]
    fn put(&mut self, bits: u64, len: u32) {
        self.pending |= bits << self.len;
        self.len += len;
        // All pending bits are written, and those that do not fill a byte are written again with the next ones: the
        // same few steps for any number of bits.
        self.bytes[self.at..][..8].copy_from_slice(&self.pending.to_le_bytes());
        self.at += self.len as usize / 8;
        self.pending >>= self.len & !7;
        self.len %= 8;
    }

    /// Fills the last byte, and appends the checksum. Returns the number of bytes written in all.
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
        for lengths in [&TreeDeflate::new().lengths[..], &INNER] {
            let used: u32 = lengths.iter().filter(|len| **len > 0).map(|len| 1 << (15 - len)).sum();
            assert_eq!(used, 1 << 15, "{lengths:?}");
        }
    }

    #[test]
    fn rows_of_any_length_come_out_as_they_went_in_and_smaller() {
        let mut rows = TreeDeflate::new();
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
        let mut rows = TreeDeflate::new();
        let mut mixed = tree("100644 ", 40, 3);
        mixed.extend_from_slice(&tree("40000 ", 2, 1));
        let readme = [b"100644 README\0".as_slice(), &[7; 20], b"100644 readme\0", &[8; 20]].concat();
        let long = [b"100644 ".as_slice(), &[b'a'; 40_000], &[0; 21]].concat().repeat(2);
        for tree in [&b""[..], &tree("100644 ", 40, 1), &mixed, &readme, b"100644 cut of", &long] {
            assert!(rows.compress(tree, 20).is_none());
        }
    }
}
