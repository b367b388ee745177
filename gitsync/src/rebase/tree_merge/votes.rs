//! Counts where the files of a directory went.
//!
//! A directory counts as renamed to where most of its files went. Those that were found early also help to find the
//! others. See `update_dir_rename_counts` and `handle_early_known_dir_renames` in git's `diffcore-rename.c`.

use std::collections::HashMap;

use gix::bstr::{BStr, BString, ByteSlice as _};

use super::candidates::{Candidates, OfFolder};
use super::git_order;
use super::paths::{folder, folders, join, name};

/// For each directory that is gone, where its files went.
#[derive(Debug, Default)]
pub struct Votes {
    of: HashMap<BString, Targets>,
}

/// How many files went to each directory.
#[derive(Debug, Default)]
struct Targets {
    /// In the order in which they were met.
    paths: Vec<BString>,
    counts: HashMap<BString, usize>,
}

/// Where a directory went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Went {
    /// Most of its files went here.
    To(BString),
    /// It was split: no single place got most of its files.
    Apart,
}

impl Votes {
    /// Counts a file that was renamed.
    ///
    /// It tells of its directory, and of the directories around that as far as the paths below them are alike.
    pub fn add(&mut self, candidates: &Candidates, from: &BStr, to: &BStr) {
        let (mut from, mut to) = (from, to);
        let mut is_first = true;
        loop {
            let (below_old, below_new) = (name(from), name(to));
            (from, to) = (folder(from), folder(to));
            if !candidates.folders.contains_key(from) || !is_first && below_old != below_new {
                return;
            }
            let relevance = candidates.of_folder(from);
            if is_first || relevance == OfFolder::ForItself {
                self.of.entry(from.to_owned()).or_default().add(to);
            }
            if relevance == OfFolder::None || from.is_empty() || to.is_empty() {
                return;
            }
            is_first = false;
        }
    }

    /// Returns for each directory where its files probably are, for [`candidate`].
    pub fn guesses(&self) -> HashMap<BString, BString> {
        let guess =
            |(path, targets): (&BString, &Targets)| Some((path.clone(), targets.first_of_the_most()?));
        self.of.iter().filter_map(guess).collect()
    }

    /// Notes for each directory whose votes are decided, whatever `open` files turn out to be, that its files matter
    /// no longer for its own sake.
    pub fn settle_early<'a>(&self, candidates: &mut Candidates, open: impl Iterator<Item = &'a BStr>) {
        let mut unknown: HashMap<&BStr, usize> = HashMap::new();
        for path in open {
            for around in folders(path) {
                if candidates.of_folder(around) == OfFolder::None {
                    break;
                }
                *unknown.entry(around).or_default() += 1;
            }
        }
        for (path, targets) in &self.of {
            let (first, second) = targets.two_most();
            let unknown = unknown.get(path.as_bstr()).copied().unwrap_or_default();
            if candidates.of_folder(path.as_bstr()) == OfFolder::ForItself && first > second + unknown {
                candidates.folders.insert(path.clone(), OfFolder::ForOuter);
            }
        }
    }

    /// Returns where the directories went that matter.
    pub fn result(&self, candidates: &Candidates) -> Vec<(BString, Went)> {
        let matters =
            self.of.iter().filter(|(path, _)| candidates.of_folder(path.as_bstr()) != OfFolder::None);
        let mut result: Vec<_> = matters
            .filter_map(|(path, targets)| {
                let (first, second) = targets.two_most();
                let went = if first == second { Went::Apart } else { Went::To(targets.first_of_the_most()?) };
                Some((path.clone(), went))
            })
            .collect();
        result.sort_by(|(one, _), (other, _)| one.cmp(other));
        result
    }
}

/// Where the file at `path` would be if it went along with its directory. A guess that a directory became the root
/// never comes true, as in git.
pub fn candidate(guesses: &HashMap<BString, BString>, path: &BStr) -> Option<BString> {
    guesses
        .get(folder(path))
        .filter(|target| !target.is_empty())
        .map(|target| join(target.as_bstr(), name(path)))
}

impl Targets {
    fn add(&mut self, target: &BStr) {
        match self.counts.get_mut(target) {
            Some(count) => *count += 1,
            None => {
                self.paths.push(target.to_owned());
                self.counts.insert(target.to_owned(), 1);
            }
        }
    }

    /// The highest two counts.
    fn two_most(&self) -> (usize, usize) {
        self.counts.values().fold((0, 0), |(first, second), &count| match count {
            count if count >= first => (count, first),
            count => (first, second.max(count)),
        })
    }

    fn first_of_the_most(&self) -> Option<BString> {
        let (most, _) = self.two_most();
        let order = git_order::of(self.paths.iter().map(|path| path.as_bytes()));
        order
            .into_iter()
            .map(|index| &self.paths[index])
            .find(|path| self.counts.get(*path) == Some(&most))
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(folders: &[(&str, OfFolder)]) -> Candidates {
        let folders = folders.iter().map(|(path, relevance)| (BString::from(*path), *relevance)).collect();
        Candidates { folders, ..Candidates::default() }
    }

    fn result(candidates: &Candidates, renames: &[(&str, &str)]) -> Vec<(BString, Went)> {
        let mut votes = Votes::default();
        renames.iter().for_each(|(from, to)| votes.add(candidates, (*from).into(), (*to).into()));
        votes.result(candidates)
    }

    fn to(from: &str, target: &str) -> (BString, Went) {
        (from.into(), Went::To(target.into()))
    }

    #[test]
    fn a_file_that_moved_tells_where_its_folder_went() {
        let gone = candidates(&[("old", OfFolder::ForItself), ("old/in", OfFolder::ForOuter)]);
        assert_eq!(result(&gone, &[("old/a", "new/a")]), [to("old", "new")]);
        assert_eq!(result(&gone, &[("old/a", "new/b")]), [to("old", "new")]);
        assert_eq!(result(&gone, &[("old/a", "a")]), [to("old", "")]);
        let both = [to("old", "x/new"), to("old/in", "x/new/in")];
        assert_eq!(result(&gone, &[("old/in/a", "x/new/in/a")]), both);
        assert_eq!(result(&gone, &[("old/in/a", "in/a")]), [to("old", ""), to("old/in", "in")]);
    }

    #[test]
    fn what_lies_below_has_to_stay_alike() {
        let gone = candidates(&[("old", OfFolder::ForItself), ("old/in", OfFolder::ForOuter)]);
        for target in ["new/out/a", "new/sin/a"] {
            let renamed = result(&gone, &[("old/in/a", target)]);
            assert!(renamed.iter().all(|(from, _)| from == "old/in"), "{renamed:?}");
        }
        assert_eq!(result(&gone, &[("older/a", "new/a")]), []);
    }

    #[test]
    fn most_of_the_files_decide() {
        let gone = candidates(&[("old", OfFolder::ForItself)]);
        let renames = [("old/a", "x/a"), ("old/b", "y/b"), ("old/c", "y/c")];
        assert_eq!(result(&gone, &renames), [to("old", "y")]);
        assert_eq!(result(&gone, &renames[..2]), [("old".into(), Went::Apart)]);
    }
}
