//! Compares files with each other, and ranks the pairs.
//!
//! Of each new file only the few best pairs are kept, so a file whose likeliest sources all turn out to be other
//! files is a new one. See `record_if_better` and `score_compare` in git's `diffcore-rename.c`.

use std::cmp::{Ordering, Reverse};

use gix::bstr::{BString, ByteSlice as _};

use super::alike::{Alike, ENOUGH};
use super::paths::{Item, name};

/// How many pairs are kept of each new file.
const KEPT: usize = 4;

/// The files to which indices refer.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// Those that are gone.
    pub gone: &'a [(BString, Item)],
    /// Those that are new.
    pub new: &'a [(BString, Item)],
}

/// A file that is gone, and one that it may be now.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// The index of the file that is gone.
    pub source: usize,
    /// The index of the new file.
    pub target: usize,
    /// How much they are alike.
    pub score: usize,
    has_same_name: bool,
}

impl Pair {
    /// Compares by rank, best first.
    fn rank(&self, other: &Self) -> Ordering {
        let key = |pair: &Self| Reverse((pair.score, pair.has_same_name));
        key(self).cmp(&key(other))
    }
}

/// Returns the best pairs, best first.
///
/// # Errors
/// An object cannot be read.
pub fn best(
    alike: &mut Alike<'_>,
    files: Files<'_>,
    sources: &[usize],
    targets: &[usize],
) -> anyhow::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for &target in targets {
        let mut kept: Vec<Pair> = Vec::with_capacity(KEPT);
        for &source in sources {
            let ((old_path, old), (new_path, new)) = (&files.gone[source], &files.new[target]);
            let score = alike.score(*old, *new, ENOUGH)?;
            let has_same_name = name(old_path.as_bstr()) == name(new_path.as_bstr());
            keep(&mut kept, Pair { source, target, score, has_same_name });
        }
        pairs.extend(kept);
    }
    pairs.sort_by(Pair::rank);
    Ok(pairs)
}

/// Keeps `pair` if there is room, or in the place of the first of the worst ones if it is better.
fn keep(kept: &mut Vec<Pair>, pair: Pair) {
    if kept.len() < KEPT {
        kept.push(pair);
        return;
    }
    let mut worst = 0;
    for index in 1..kept.len() {
        if kept[index].rank(&kept[worst]) == Ordering::Greater {
            worst = index;
        }
    }
    if kept[worst].rank(&pair) == Ordering::Greater {
        kept[worst] = pair;
    }
}
