//! What an object is likely to be that is a version of another one.
//!
//! Of the trees of a history each mostly differs from the one before it in one entry. So whoever has read half of one,
//! and has come by that entry, knows the rest, if the id says that it is right.

use crate::pack::delta::common;

/// How often the rest of an object may still be taken for what it is likely to be.
pub(super) struct Hope(u8);

const AT_FIRST: u8 = 8;
const MOST: u8 = 32;

/// Shorter ones are read as fast as they are compared.
const SHORTEST: usize = 1024;

impl Default for Hope {
    fn default() -> Self {
        Self(AT_FIRST)
    }
}

impl Hope {
    /// How much of an object to read before the rest of it is guessed, of which `like` is another version; `None` where
    /// it is better to read all of it.
    pub fn begin(&self, like: &[u8]) -> Option<usize> {
        (self.0 > 0 && like.len() >= SHORTEST).then_some(like.len() / 2)
    }

    /// A guess was right, or was not.
    pub fn was(&mut self, right: bool) {
        self.0 = if right { MOST.min(self.0 + 1) } else { self.0 - 1 };
    }
}

/// What comes after `begin` in an object of `size` bytes, if that and `like` differ in one place that was read already:
/// by an id, or by what one of the two has and the other one has not.
pub(super) fn rest<'a>(begin: &[u8], size: usize, like: &'a [u8]) -> Option<&'a [u8]> {
    let differs = common(begin, like);
    let longer = size.saturating_sub(like.len());
    let again = begin.get(differs + longer.max(ID)..)?;
    let behind = like.len().checked_sub((size + again.len()).checked_sub(begin.len())?)?;
    like[behind..].strip_prefix(again)
}

/// Bytes of an id.
const ID: usize = gix::hash::Kind::longest().len_in_bytes();

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use super::*;

    fn tree(entries: impl IntoIterator<Item = (u32, u8)>) -> Vec<u8> {
        let entry = |(name, id): (u32, u8)| {
            [
                format!("100644 {name:04}\0").as_bytes(),
                &std::array::from_fn::<u8, 20, _>(|at| id.wrapping_mul(at as u8 + 7)),
            ]
            .concat()
        };
        entries.into_iter().flat_map(entry).collect()
    }

    #[test]
    fn the_rest_is_known_once_the_one_entry_was_passed() {
        let old = tree((0..64).map(|name| (2 * name, 1)));
        let replaced = tree((0..64).map(|name| (2 * name, if name == 9 { 2 } else { 1 })));
        let added = tree(
            (0..64)
                .map(|name| (2 * name, 1))
                .take(9)
                .chain([(17, 2)])
                .chain((9..64).map(|name| (2 * name, 1))),
        );
        let removed = tree((0..64).filter(|name| *name != 9).map(|name| (2 * name, 1)));
        for new in [replaced, added, removed] {
            let half = new.len() / 2;
            assert_eq!(rest(&new[..half], new.len(), &old), Some(&new[half..]));
            // Where they part was not read yet.
            assert_eq!(rest(&new[..9 * 32], new.len(), &old), None);
        }
    }

    #[test]
    fn what_differs_elsewhere_too_is_not_guessed_or_guessed_wrong() {
        let old = tree((0..64).map(|name| (name, 1)));
        let twice = tree((0..64).map(|name| (name, if name == 3 || name == 20 { 2 } else { 1 })));
        assert_eq!(rest(&twice[..twice.len() / 2], twice.len(), &old), None);
        let later = tree((0..64).map(|name| (name, if name == 3 || name == 60 { 2 } else { 1 })));
        let guessed = rest(&later[..later.len() / 2], later.len(), &old).unwrap();
        assert_ne!(guessed, &later[later.len() / 2..]);
        for (size, like) in [(0, &old[..]), (old.len(), &[][..]), (10 * old.len(), &old), (100, &old)] {
            for begin in [0, 50, 100] {
                let _ = rest(&twice[..begin], size, like);
            }
        }
    }
}
