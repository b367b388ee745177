//! Finds the files that a side renamed.
//!
//! In this order: files that are elsewhere unchanged; files that kept their name, of which there was only one, or
//! that are where most of their directory went; and, of what is left and matters, those that are most alike. The
//! order decides which file a new one is, so it is git's: see `diffcore_rename_extended` in git's
//! `diffcore-rename.c`.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::objs::tree::EntryKind;

use super::alike::{Alike, ENOUGH, ENOUGH_FOR_NAMES};
use super::candidates::{Candidates, OfFolder, OfSource};
use super::matrix;
use super::paths::{Item, folders, name};
use super::votes::{Votes, candidate};
use crate::rebase::alive::Alive;

/// How many equal files are considered for one new file.
const EQUAL: usize = 100;

/// The renames of one side.
#[derive(Debug, Default)]
pub struct Renames {
    /// Old and new path of each file that was renamed, in the order of the new ones in [`Candidates::new`].
    pub files: Vec<(BString, BString)>,
    /// Where the files of its directories went.
    pub votes: Votes,
}

/// Finds the renames among `candidates`, and notes there which directories still matter. If more than the square of
/// `limit` pairs of files would have to be compared, these are not.
///
/// # Errors
/// An object cannot be read.
pub fn find(objects: &Alive<'_>, candidates: &mut Candidates, limit: usize) -> anyhow::Result<Renames> {
    // An empty file gives no hint of where it came from.
    let empty = ObjectId::empty_blob(objects.repo.object_hash());
    let listed = |files: &[(BString, Item)]| -> Vec<(BString, Item)> {
        files.iter().filter(|(_, (_, id))| *id != empty).cloned().collect()
    };
    let (gone, new) = (listed(&candidates.gone), listed(&candidates.new));
    let mut search = Search {
        alike: Alike::new(objects),
        is_found: vec![false; gone.len()],
        came_from: vec![None; new.len()],
        votes: Votes::default(),
        gone,
        new,
    };
    if candidates.matter() && !search.gone.is_empty() && !search.new.is_empty() {
        search.unchanged();
        for index in 0..search.new.len() {
            if let Some(source) = search.came_from[index] {
                search.vote(candidates, source, index);
            }
        }
        search.by_name(candidates)?;
        search.by_content(candidates, limit)?;
    }
    let Search { gone, new, came_from, votes, .. } = search;
    let found = new.into_iter().zip(came_from);
    let files = found.filter_map(|((to, _), source)| Some((gone[source?].0.clone(), to))).collect();
    Ok(Renames { files, votes })
}

struct Search<'a> {
    alike: Alike<'a>,
    gone: Vec<(BString, Item)>,
    new: Vec<(BString, Item)>,
    /// By index of a file that is gone: whether its new path is known.
    is_found: Vec<bool>,
    /// By index of a new file: the index of the file that it was.
    came_from: Vec<Option<usize>>,
    votes: Votes,
}

impl Search<'_> {
    fn record(&mut self, source: usize, target: usize) {
        self.is_found[source] = true;
        self.came_from[target] = Some(source);
    }

    fn vote(&mut self, candidates: &Candidates, source: usize, target: usize) {
        self.votes.add(candidates, self.gone[source].0.as_bstr(), self.new[target].0.as_bstr());
    }

    /// Finds the files that were not changed, preferably under the same name.
    fn unchanged(&mut self) {
        let mut equal: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for (index, (_, (_, id))) in self.gone.iter().enumerate() {
            equal.entry(*id).or_default().push(index);
        }
        for target in 0..self.new.len() {
            let (path, (kind, id)) = &self.new[target];
            let Some(sources) = equal.get_mut(id) else { continue };
            let fits = |source: &usize| {
                let (_, (old, _)) = self.gone[*source];
                old == *kind || is_file(old) && is_file(*kind)
            };
            let has_same_name = |source: &usize| name(self.gone[*source].0.as_bstr()) == name(path.as_bstr());
            let considered = || sources.iter().copied().filter(fits).take(EQUAL);
            let Some(source) = considered().find(has_same_name).or_else(|| considered().next()) else {
                continue;
            };
            sources.retain(|other| *other != source);
            self.record(source, target);
        }
    }

    /// Finds files that kept their name, if only one that is gone and one that is new have it, or if the directory
    /// says which one it is.
    fn by_name(&mut self, candidates: &Candidates) -> anyhow::Result<()> {
        let guesses = self.votes.guesses();
        let open = |index: &usize| self.came_from[*index].is_none();
        let paths: HashMap<BString, usize> =
            (0..self.new.len()).filter(open).map(|index| (self.new[index].0.clone(), index)).collect();
        let sources = by_name(&self.gone, |index| !self.is_found[index]);
        let targets = by_name(&self.new, |index| self.came_from[index].is_none());
        for source in 0..self.gone.len() {
            let path = self.gone[source].0.clone();
            if self.is_found[source] || !candidates.relevant.contains_key(&path) {
                continue;
            }
            let name = name(path.as_bstr());
            let target = match (sources.get(name), targets.get(name)) {
                (_, None) => continue,
                (Some(Some(_)), Some(Some(target))) => Some(*target),
                _ => candidate(&guesses, path.as_bstr()).and_then(|path| paths.get(&path).copied()),
            };
            let Some(target) = target.filter(|target| self.came_from[*target].is_none()) else { continue };
            let (old, new) = (self.gone[source].1, self.new[target].1);
            if self.alike.score(old, new, ENOUGH_FOR_NAMES)? >= ENOUGH_FOR_NAMES {
                self.record(source, target);
                self.vote(candidates, source, target);
            }
        }
        Ok(())
    }

    /// Finds the files among those that matter whose content is most like that of a new one.
    fn by_content(&mut self, candidates: &mut Candidates, limit: usize) -> anyhow::Result<()> {
        let mut sources: Vec<usize> = (0..self.gone.len())
            .filter(|index| !self.is_found[*index] && candidates.relevant.contains_key(&self.gone[*index].0))
            .collect();
        let paths = sources.iter().map(|index| self.gone[*index].0.as_bstr());
        self.votes.settle_early(candidates, paths);
        sources.retain(|index| matters(candidates, self.gone[*index].0.as_bstr()));
        let targets: Vec<usize> =
            (0..self.new.len()).filter(|index| self.came_from[*index].is_none()).collect();
        if sources.len().saturating_mul(targets.len()) > limit.saturating_mul(limit) {
            return Ok(());
        }
        let files = matrix::Files { gone: &self.gone, new: &self.new };
        for pair in matrix::best(&mut self.alike, files, &sources, &targets)? {
            if pair.score < ENOUGH {
                break;
            }
            if self.came_from[pair.target].is_none() && !self.is_found[pair.source] {
                self.record(pair.source, pair.target);
                self.vote(candidates, pair.source, pair.target);
            }
        }
        Ok(())
    }
}

/// Whether the new path of a file still matters: for its content, or for that of a directory around it.
fn matters(candidates: &Candidates, path: &BStr) -> bool {
    if candidates.relevant.get(path) == Some(&OfSource::Content) {
        return true;
    }
    folders(path)
        .map(|folder| candidates.of_folder(folder))
        .take_while(|relevance| *relevance != OfFolder::None)
        .any(|relevance| relevance == OfFolder::ForItself)
}

/// Returns the indices of the `open` files by name, and `None` for a name that several of them have.
fn by_name(files: &[(BString, Item)], open: impl Fn(usize) -> bool) -> HashMap<BString, Option<usize>> {
    let mut named = HashMap::new();
    for (index, (path, _)) in files.iter().enumerate().filter(|(index, _)| open(*index)) {
        named.entry(name(path.as_bstr()).to_owned()).and_modify(|file| *file = None).or_insert(Some(index));
    }
    named
}

fn is_file(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable)
}
