//! Compresses trees whose entries are all alike, as the folders of notes and of loose objects are.
//!
//! Such a tree is rows of one length: a mode, hex digits, and an id that no compressor can make smaller. Searching it for
//! repetitions finds what is known beforehand, that each row begins like the one before, and takes most of the time of
//! writing it. So the rows are coded directly, with a code that gives short words to hex digits: smaller than the fastest
//! level of zlib makes them, and several times as fast. The result is an ordinary zlib stream
//! ([RFC 1950](https://www.rfc-editor.org/rfc/rfc1950), [RFC 1951](https://www.rfc-editor.org/rfc/rfc1951)).

/// Compresses trees of rows.
pub(super) struct Rows {
    words: [Word; SYMBOLS],
    lengths: [u8; SYMBOLS],
}

/// What stands for a symbol.
#[derive(Clone, Copy, Default)]
struct Word {
    bits: u64,
    len: u32,
}

/// A tree as rows.
struct Shape {
    /// Bytes of a row.
    row: usize,
    /// Bytes that each row begins with, up to and with the space after the mode.
    head: usize,
}

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
        // So that the words fill the code, as they must: 16/32 + 2/64 + 239/512 + 2/1024. Spaces are in the heads alone.
        lengths[END] = 10;
        lengths[usize::from(b' ')] = 10;
        Self { words: words(&lengths), lengths }
    }

    /// The tree as a zlib stream; `None` where it is not of this kind.
    pub fn compress(&self, tree: &[u8], id: usize) -> Option<Vec<u8>> {
        let shape = Shape::of(tree, id)?;
        let mut out = Bits::with_capacity(tree.len());
        // A window of 32 KiB, the fastest level.
        out.bytes.extend_from_slice(&[0x78, 0x01]);
        // The last block, with a code of its own.
        out.put(0b101, 3);
        let (distance, extra, extra_len) = distance(shape.row);
        self.code(distance, &mut out);
        let again = self.words[REPEAT_3 + shape.head - 3];
        // The distance's own word is a single 0.
        let repeat = Word { bits: again.bits | extra << (again.len + 1), len: again.len + 1 + extra_len };
        for (at, row) in tree.chunks_exact(shape.row).enumerate() {
            let rest = if at == 0 {
                row
            } else {
                out.put(repeat.bits, repeat.len);
                &row[shape.head..]
            };
            for bytes in rest.chunks(BYTES_AT_ONCE) {
                let (mut bits, mut len) = (0, 0);
                for byte in bytes {
                    let word = self.words[usize::from(*byte)];
                    bits |= word.bits << len;
                    len += word.len;
                }
                out.put(bits, len);
            }
        }
        out.put(self.words[END].bits, self.words[END].len);
        let mut stream = out.finish();
        stream.extend_from_slice(&zlib_rs::adler32::adler32(1, tree).to_be_bytes());
        Some(stream)
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
            out.put(word.bits, word.len);
            let mut left = run - 1;
            while left >= 3 {
                let repeated = left.min(6);
                out.put(inner[16].bits, inner[16].len);
                out.put(repeated as u64 - 3, 2);
                left -= repeated;
            }
            for _ in 0..left {
                out.put(word.bits, word.len);
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
        let alike = |row: &[u8]| {
            row[..head] == tree[..head]
                && row[head..head + name].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                && row[head + name] == 0
        };
        let rows = tree.chunks_exact(row);
        let fits = HEADS.contains(&head) && rows.remainder().is_empty() && rows.len() >= 2;
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
    let mut next = 0u32;
    for len in 1..=15u32 {
        next <<= 1;
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, of)| u32::from(**of) == len) {
            words[symbol] = Word { bits: u64::from(next.reverse_bits() >> (32 - len)), len };
            next += 1;
        }
    }
    words
}

/// Bits on their way into bytes, the lowest first.
struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    len: u32,
}

/// The longest word has ten bits.
const BYTES_AT_ONCE: usize = 5;

impl Bits {
    fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes + 64), pending: 0, len: 0 }
    }

    /// Adds at most 56 bits.
    #[inline]
    fn put(&mut self, bits: u64, len: u32) {
        self.pending |= bits << self.len;
        self.len += len;
        // All are written, and those taken back that do not fill a byte: the same few steps for any number of them.
        let (at, whole) = (self.bytes.len(), self.len / 8);
        self.bytes.extend_from_slice(&self.pending.to_le_bytes());
        self.bytes.truncate(at + whole as usize);
        self.pending = self.pending.checked_shr(8 * whole).unwrap_or(0);
        self.len %= 8;
    }

    fn finish(mut self) -> Vec<u8> {
        let whole = self.len.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&self.pending.to_le_bytes()[..whole]);
        self.bytes
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
        let rows = Rows::new();
        for (mode, digits) in
            [("40000 ", 2), ("100644 ", 40), ("100644 ", 38), ("100644 ", 36), ("100644 ", 2)]
        {
            for count in [2, 3, 16, 256, 3000] {
                let tree = tree(mode, digits, count);
                let stream = rows.compress(&tree, 20).expect("rows");
                assert_eq!(inflated(&stream), tree);
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
        let rows = Rows::new();
        let mut mixed = tree("100644 ", 40, 3);
        mixed.extend_from_slice(&tree("40000 ", 2, 1));
        let readme = [b"100644 README\0".as_slice(), &[7; 20], b"100644 readme\0", &[8; 20]].concat();
        for tree in [&b""[..], &tree("100644 ", 40, 1), &mixed, &readme, b"100644 cut of"] {
            assert!(rows.compress(tree, 20).is_none());
        }
    }
}
