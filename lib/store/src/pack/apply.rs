//! Applies deltas, see <https://git-scm.com/docs/gitformat-pack#_deltified_representation>.
//!
//! Deltas come from a remote, so every value in them is checked before it is used.

/// Applies `delta` to `base`; `None` if the delta is invalid or of another base, or if the result has more than
/// `most` bytes.
pub(super) fn apply(base: &[u8], delta: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() {
        return None;
    }
    let whole = size(&mut rest).filter(|whole| *whole <= most)?;
    let mut made = Vec::with_capacity(whole);
    while let Some(command) = next(&mut rest) {
        let piece = match command {
            0 => return None,
            copy if copy & 0x80 != 0 => {
                let at = number(&mut rest, copy, 4)?;
                let len = match number(&mut rest, copy >> 4, 3)? {
                    0 => 0x10000,
                    len => len,
                };
                base.get(at..at.checked_add(len)?)?
            }
            len => {
                let (piece, after) = rest.split_at_checked(usize::from(len))?;
                rest = after;
                piece
            }
        };
        if piece.len() > whole - made.len() {
            return None;
        }
        made.extend_from_slice(piece);
    }
    (made.len() == whole).then_some(made)
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

/// Reads a size in groups of seven bits, the lowest first.
fn size(rest: &mut &[u8]) -> Option<usize> {
    let mut size = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = next(rest)?;
        let bits = usize::from(byte & 0x7f);
        // Bits that do not fit into the size would be lost.
        if bits << shift >> shift != bits {
            return None;
        }
        size |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
    None
}

/// Reads a number of which only those `bytes` are stored that have a bit in `present`.
fn number(rest: &mut &[u8], present: u8, bytes: u32) -> Option<usize> {
    let mut number = 0;
    for byte in 0..bytes {
        if present & (1 << byte) != 0 {
            number |= usize::from(next(rest)?) << (8 * byte);
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::super::delta::Base;
    use super::*;

    #[test]
    fn a_delta_makes_what_it_was_made_of() {
        let old: Vec<u8> =
            (0..200_000_u32).flat_map(|number| number.wrapping_mul(number).to_be_bytes()).collect();
        let mut new = old.clone();
        new.splice(70_000..70_010, *b"something else");
        new.extend_from_slice(b"and more");
        let delta = Base::new(old.clone()).unwrap().delta(&new, usize::MAX).unwrap();
        assert_eq!(apply(&old, &delta, usize::MAX), Some(new.clone()));
        assert_eq!(apply(&old, &delta, new.len() - 1), None, "it is too large");
        assert_eq!(apply(&old[1..], &delta, usize::MAX), None, "it is of something else");
        for len in 0..delta.len() {
            assert_eq!(apply(&old, &delta[..len], usize::MAX), None, "it breaks off");
        }
    }

    #[test]
    fn what_a_delta_must_not_say_makes_nothing() {
        for (delta, why) in [
            (b"\x02\x02\x00ab".as_slice(), "no such command"),
            (b"\x02\x02\x91\x01\x02", "beyond the end of the base"),
            (b"\x02\x02\x90\x01", "less than promised"),
            (b"\x02\x01\x90\x02", "more than promised"),
            (b"\x02\x02\x03ab", "less than announced"),
            (b"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "a size without end"),
        ] {
            assert_eq!(apply(b"ab", delta, usize::MAX), None, "{why}");
        }
    }
}
