//! Predicts the rest of a tree from its previous version, so that only its beginning has to be inflated.
//!
//! Most trees of a history differ from the previous one in a single entry. So once that entry has been read, the rest
//! is known, provided that the id confirms it.

use crate::pack::delta::common;

/// Statistics of the versions that were read, from which the next ones are predicted.
pub(super) struct Versions {
    /// How many more predictions may fail before no more are made.
    hope: u8,
    /// The offsets at which the last few versions first differed from their previous versions.
    parted: [usize; 4],
    /// The number of versions that were compared.
    read: usize,
}

/// The number of predictions that may fail, at first and after many that were right.
const HOPE: [u8; 2] = [8, 32];

/// Shorter objects are inflated as fast as they are compared.
const SHORTEST: usize = 1024;

impl Default for Versions {
    fn default() -> Self {
        Self { hope: HOPE[0], parted: [usize::MAX; 4], read: 0 }
    }
}

impl Versions {
    /// Returns how much of a version of `like` to read before the rest of it is predicted: half of it, or less if the
    /// last few differed earlier. `None` if it is better to read all of it.
    pub fn begin(&self, like: &[u8]) -> Option<usize> {
        if self.hope == 0 || like.len() < SHORTEST {
            return None;
        }
        let far = self.parted.iter().fold(0, |far, parted| far.max(parted.saturating_add(ID)));
        let mut begin = like.len() / 2;
        while begin / 2 > far.max(SHORTEST / 4) {
            begin /= 2;
        }
        Some(begin)
    }

    /// Predicts what follows `begin` in an object of `size` bytes, provided that it differs from `like` in one place
    /// only, which is in `begin`: by an id, or by data that only one of the two contains.
    pub fn rest<'a>(&mut self, begin: &[u8], size: usize, like: &'a [u8]) -> Option<&'a [u8]> {
        let differs = common(begin, like);
        self.parted[self.read % self.parted.len()] = differs;
        self.read += 1;
        let longer = size.saturating_sub(like.len());
        let again = begin.get(differs + longer.max(ID)..)?;
        let behind = like.len().checked_sub((size + again.len()).checked_sub(begin.len())?)?;
        like[behind..].strip_prefix(again)
    }

    /// Records whether a prediction was right.
    pub fn was(&mut self, right: bool) {
        self.hope = if right { HOPE[1].min(self.hope + 1) } else { self.hope - 1 };
    }
}

/// The maximum length of an object id in bytes.
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
            assert_eq!(Versions::default().rest(&new[..half], new.len(), &old), Some(&new[half..]));
            // The difference was not read yet.
            assert_eq!(Versions::default().rest(&new[..9 * 32], new.len(), &old), None);
        }
    }

    #[test]
    fn what_differs_elsewhere_too_is_not_guessed_or_guessed_wrong() {
        let old = tree((0..64).map(|name| (name, 1)));
        let twice = tree((0..64).map(|name| (name, if name == 3 || name == 20 { 2 } else { 1 })));
        assert_eq!(Versions::default().rest(&twice[..twice.len() / 2], twice.len(), &old), None);
        let later = tree((0..64).map(|name| (name, if name == 3 || name == 60 { 2 } else { 1 })));
        let guessed = Versions::default().rest(&later[..later.len() / 2], later.len(), &old).unwrap();
        assert_ne!(guessed, &later[later.len() / 2..]);
        for (size, like) in [(0, &old[..]), (old.len(), &[][..]), (10 * old.len(), &old), (100, &old)] {
            for begin in [0, 50, 100] {
                let _ = Versions::default().rest(&twice[..begin], size, like);
            }
        }
    }

    #[test]
    fn less_is_read_where_the_last_ones_parted_early_and_all_where_guesses_were_wrong() {
        let old = tree((0..256).map(|name| (name, 1)));
        let mut versions = Versions::default();
        let half = Some(old.len() / 2);
        assert_eq!(versions.begin(&old[..SHORTEST - 1]), None);
        let new = |changed| tree((0..256).map(|name| (name, if name == changed { 2 } else { 1 })));
        for changed in [200, 3, 4, 5, 6] {
            assert_eq!(versions.begin(&old), half, "{changed}");
            let new = new(changed);
            let guessed = versions.rest(&new[..old.len() / 2], new.len(), &old);
            assert_eq!(guessed.is_some(), changed < 128);
        }
        let begin = versions.begin(&old).filter(|begin| *begin < old.len() / 4).unwrap();
        assert_eq!(versions.rest(&new(5)[..begin], old.len(), &old), Some(&new(5)[begin..]));
        assert_eq!(versions.rest(&new(200)[..begin], old.len(), &old), None);
        assert!(versions.begin(&old) > Some(begin));
        (0..HOPE[0]).for_each(|_| versions.was(false));
        assert_eq!(versions.begin(&old), None);
        let mut lucky = Versions::default();
        (0..100).for_each(|_| lucky.was(true));
        (1..HOPE[1]).for_each(|_| lucky.was(false));
        assert!(lucky.begin(&old).is_some());
    }
}
