//! Changes entries of an index in memory.
//!
//! An index must not contain both `a` and `a/b`, must stay sorted, and records the trees of directories in its `TREE`
//! extension: every edit has to invalidate these, or the next commit takes a directory for unchanged.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stat};

use crate::worktree::disk::parents;

/// The new state of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// Its object id.
    pub id: ObjectId,
    /// Its mode.
    pub mode: Mode,
    /// The stat data of its file when it was known to have this content; all zero if nothing is known.
    pub stat: Stat,
    /// Flags that are stored in the index file: assume-unchanged, skip-worktree.
    pub flags: Flags,
}

impl Put {
    /// The entry's flags: the stored ones, and the in-memory one that its file was examined.
    pub(super) fn flags(&self) -> Flags {
        let seen = if self.stat == Stat::default() { Flags::empty() } else { Flags::UPTODATE };
        at_rest(self.flags) | seen
    }
}

/// One change of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// The path is removed from the index.
    Remove,
    /// The path is put into the index with this state. Entries in its way are removed.
    Put(Put),
    /// The entry's content was found unchanged; its file now has these stat data.
    Refresh(Stat),
}

/// Changes by path, all made at once.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    by_path: BTreeMap<BString, Edit>,
}

/// What happens to an existing entry.
#[derive(Debug, Clone, Copy)]
enum Reached {
    /// A path above or below it is put into the index.
    InTheWay,
    /// It is edited.
    By(Edit),
}

impl Edits {
    /// Adds the change of one path; the last one for a path counts.
    pub fn insert(&mut self, path: BString, edit: Edit) {
        self.by_path.insert(path, edit);
    }

    /// All of them, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&BString, &Edit)> {
        self.by_path.iter()
    }

    /// Whether there is one for `path`.
    pub fn contains(&self, path: &BStr) -> bool {
        self.by_path.contains_key(path)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    /// The entries of `index` that an edit affects, by their number: few out of many, and found without examining the
    /// rest.
    fn reached(&self, index: &gix::index::State) -> BTreeMap<usize, Reached> {
        let mut reached = BTreeMap::new();
        let mut arriving = Vec::new();
        for (path, edit) in &self.by_path {
            let numbers = index.entry_range(path.as_bstr()).unwrap_or_default();
            // If a path is in the index, no path above or below it is.
            let is_there = numbers.clone().any(|number| index.entry(number).stage_raw() == 0);
            if !is_there && matches!(edit, Edit::Put(_)) {
                arriving.push(path);
            }
            // Of a path with several stages, as an unfinished merge leaves them, one entry remains.
            let further = match edit {
                Edit::Put(_) => Reached::By(Edit::Remove),
                Edit::Remove | Edit::Refresh(_) => Reached::By(*edit),
            };
            reached.extend(numbers.clone().skip(1).map(|number| (number, further)));
            reached.extend(numbers.take(1).map(|number| (number, Reached::By(*edit))));
        }
        for path in arriving {
            let in_the_way = below(index, path)
                .chain(parents(path.as_bstr()).filter_map(|parent| index.entry_range(parent)).flatten());
            reached.extend(in_the_way.map(|number| (number, Reached::InTheWay)));
        }
        reached
    }

    /// Makes the changes.
    pub fn apply(self, index: &mut gix::index::State) {
        if self.is_empty() {
            return;
        }
        let reached = self.reached(index);
        let mut touched: Vec<BString> = Vec::new();
        let mut there: BTreeSet<BString> = BTreeSet::new();
        let mut gone: Vec<usize> = Vec::new();
        for (number, reached) in reached {
            let path = index.entry(number).path(index).to_owned();
            let entry = &mut index.entries_mut()[number];
            match reached {
                Reached::InTheWay | Reached::By(Edit::Remove) => gone.push(number),
                Reached::By(Edit::Put(put)) => {
                    (entry.id, entry.mode, entry.stat, entry.flags) =
                        (put.id, put.mode, put.stat, put.flags());
                    there.insert(path.clone());
                }
                Reached::By(Edit::Refresh(stat)) => {
                    entry.stat = stat;
                    entry.flags |= Flags::UPTODATE;
                    continue;
                }
            }
            touched.push(path);
        }
        if !gone.is_empty() {
            let mut gone = gone.into_iter().peekable();
            index.remove_entries(|number, _, _| gone.next_if_eq(&number).is_some());
        }
        let mut added = false;
        for (path, edit) in &self.by_path {
            if let Edit::Put(put) = edit
                && !there.contains(path)
            {
                index.dangerously_push_entry(put.stat, put.id, put.flags(), put.mode, path.as_bstr());
                touched.push(path.clone());
                added = true;
            }
        }
        if added {
            index.sort_entries();
        }
        if let Some(tree) = index.tree_mut() {
            invalidate(tree, touched.iter().map(|path| path.as_slice()).collect());
        }
        index.remove_resolve_undo();
    }
}

impl IntoIterator for Edits {
    type Item = (BString, Edit);
    type IntoIter = std::collections::btree_map::IntoIter<BString, Edit>;

    fn into_iter(self) -> Self::IntoIter {
        self.by_path.into_iter()
    }
}

/// The entries in the directory `path`.
fn below(index: &gix::index::State, path: &BString) -> Range<usize> {
    let folder = [path.as_slice(), b"/"].concat();
    let entries = index.entries();
    let start = entries.partition_point(|entry| entry.path(index).as_bytes() < folder.as_slice());
    let rest = entries.get(start..).unwrap_or_default();
    start..start + rest.iter().take_while(|entry| entry.path(index).starts_with(&folder)).count()
}

/// The flags that an index file stores, plus the extended flag if they require it.
fn at_rest(flags: Flags) -> Flags {
    let kept = flags & (Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD);
    if kept.intersects(Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD) { kept | Flags::EXTENDED } else { kept }
}

/// Marks the cached trees from `folder` down to the directories of `paths`, which are relative to it, as invalid. No
/// tree is invalid if there are no paths.
pub(super) fn invalidate(folder: &mut gix::index::extension::Tree, paths: Vec<&[u8]>) {
    if paths.is_empty() {
        return;
    }
    folder.num_entries = None;
    // The children of a directory are gone through once, however many of them are to be marked.
    let mut inside: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
    for path in paths {
        if let Some((name, rest)) = path.split_once_str("/") {
            inside.entry(name).or_default().push(rest);
        }
    }
    for child in &mut folder.children {
        invalidate(child, inside.remove(child.name.as_slice()).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(byte: u8) -> Edit {
        let id = ObjectId::try_from([byte; 20].as_slice()).unwrap();
        Edit::Put(Put { id, mode: Mode::FILE, stat: Stat::default(), flags: Flags::empty() })
    }

    fn paths_after(before: &[&str], edits: &[(&str, Edit)]) -> Vec<String> {
        let mut index = gix::index::State::new(gix::hash::Kind::Sha1);
        let mut first = Edits::default();
        before.iter().for_each(|path| first.insert((*path).into(), put(1)));
        first.apply(&mut index);
        let mut second = Edits::default();
        edits.iter().for_each(|(path, edit)| second.insert((*path).into(), *edit));
        second.apply(&mut index);
        index.entries().iter().map(|entry| entry.path(&index).to_string()).collect()
    }

    #[test]
    fn a_file_takes_the_place_of_a_folder() {
        assert_eq!(paths_after(&["a.b", "a/b", "a/c/d", "ab"], &[("a", put(2))]), ["a", "a.b", "ab"]);
    }

    #[test]
    fn a_folder_takes_the_place_of_a_file() {
        assert_eq!(paths_after(&["a", "b"], &[("a/b/c", put(2))]), ["a/b/c", "b"]);
    }

    #[test]
    fn entries_stay_sorted_by_their_bytes() {
        assert_eq!(paths_after(&["a/b"], &[("a.b", put(2)), ("a0", put(2))]), ["a.b", "a/b", "a0"]);
    }
}
