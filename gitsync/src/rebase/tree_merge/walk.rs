//! Compares three trees, and collects the paths that have to be merged and the files that may have been renamed.
//!
//! A directory that only one side changed is left aside at first. If it turns out that no rename of that side
//! matters, it is taken as a whole; otherwise a file may have been moved into it. See `collect_merge_info` and
//! `handle_deferred_entries` in git's `merge-ort.c`.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::objs::tree::EntryKind;

use super::candidates::{Candidates, OfFolder, OfSource};
use super::git_order;
use super::paths::{BASE, Each, Item, Path, Paths, Same, Side, join};
use crate::rebase::alive::Alive;
use crate::rebase::merge::Sides;

/// What the comparison of the trees found.
#[derive(Default)]
pub struct Found {
    /// The paths in the directories that were looked into.
    pub paths: Paths,
    /// The files that each side may have renamed.
    pub candidates: Each<Candidates>,
}

/// Compares the trees.
///
/// # Errors
/// A tree cannot be read.
pub fn walk(objects: &Alive<'_>, Sides { base, ours, theirs }: Sides) -> anyhow::Result<Found> {
    let mut walk = Walk { objects, found: Found::default(), wanted: Wanted::No, aside: Each::default() };
    walk.folder(BStr::new(""), [Some(base), Some(ours), Some(theirs)])?;
    for side in Side::BOTH {
        walk.take_up(side)?;
    }
    Ok(walk.found)
}

/// Whether it matters where the directory that is being compared went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Both sides have it, or neither.
    No,
    /// The other side removed it: it does if this side adds a file to it.
    IfAddedBy(Side),
    /// A file was added to it, or to a directory around it.
    Yes,
}

/// Directories that only one side changed, in the order in which they were met.
#[derive(Default)]
struct Aside {
    folders: Vec<(BString, Wanted)>,
    /// Whether they have been taken up, so that there is no point in leaving others.
    is_over: bool,
}

struct Walk<'a> {
    objects: &'a Alive<'a>,
    found: Found,
    wanted: Wanted,
    aside: Each<Aside>,
}

impl Walk<'_> {
    /// Compares the directory at `path`.
    fn folder(&mut self, path: &BStr, trees: [Option<ObjectId>; 3]) -> anyhow::Result<()> {
        let entries = self.entries(trees)?;
        // What is added directly to the directory matters for all that is in it.
        if let Wanted::IfAddedBy(side) = self.wanted {
            let is_added = |items: &[Option<Item>; 3]| {
                let is_file = |index: usize| items[index].is_some_and(|(kind, _)| kind != EntryKind::Tree);
                is_file(side.index()) && !is_file(side.other().index()) && !is_file(BASE)
            };
            if entries.iter().any(|(_, items)| is_added(items)) {
                self.wanted = Wanted::Yes;
            }
        }
        for (name, items) in entries {
            self.entry(path, name.as_bstr(), &items)?;
        }
        Ok(())
    }

    /// Reads the entries of three trees, in the order of the trees.
    fn entries(&self, trees: [Option<ObjectId>; 3]) -> anyhow::Result<Vec<(BString, [Option<Item>; 3])>> {
        let mut named: HashMap<BString, [Option<Item>; 3]> = HashMap::new();
        for (index, tree) in trees.into_iter().enumerate() {
            let Some(tree) = tree.filter(|tree| !tree.is_empty_tree()) else { continue };
            self.objects.watch.alive();
            for entry in &self.objects.repo.find_tree(tree)?.decode()?.entries {
                let item = (entry.mode.kind(), entry.oid.to_owned());
                match named.get_mut(entry.filename) {
                    Some(items) => items[index] = Some(item),
                    None => {
                        let mut items = [None; 3];
                        items[index] = Some(item);
                        named.insert(entry.filename.to_owned(), items);
                    }
                }
            }
        }
        let mut entries: Vec<_> = named.into_iter().collect();
        entries.sort_by_cached_key(|(name, items)| {
            let mut key = name.clone();
            if items.iter().flatten().all(|(kind, _)| *kind == EntryKind::Tree) {
                key.push(b'/');
            }
            key
        });
        Ok(entries)
    }

    fn entry(&mut self, folder: &BStr, name: &BStr, items: &[Option<Item>; 3]) -> anyhow::Result<()> {
        let path = join(folder, name);
        let same = Same::of(items);
        let are_files = items.iter().flatten().filter(|(kind, _)| *kind != EntryKind::Tree).count() == 3;
        let taken = match same {
            Same::All => Some(items[BASE]),
            Same::ChangedBy(side) if are_files => Some(items[side.index()]),
            Same::Sides if are_files => Some(items[Side::Ours.index()]),
            _ => None,
        };
        if let Some(taken) = taken {
            self.found.paths.insert(path, Path::settled(items, taken));
            return Ok(());
        }
        let before = self.wanted;
        let open = Path::open(items);
        self.note_folder(folder, path.as_bstr(), &open);
        self.note_files(path.as_bstr(), &open);
        let trees = open.folders;
        let changed_by = match (same, open.files, trees) {
            (Same::ChangedBy(side), ..) => Some(side),
            (_, [None, None, None], [None, Some(_), None]) => Some(Side::Ours),
            (_, [None, None, None], [None, None, Some(_)]) => Some(Side::Theirs),
            _ => None,
        };
        let has_folder = open.has_folder();
        self.found.paths.insert(path.clone(), open);
        if has_folder {
            let wanted = self.wanted;
            match changed_by.map(|side| self.aside.of_mut(side)) {
                Some(aside) if wanted != Wanted::Yes && !aside.is_over => aside.folders.push((path, wanted)),
                _ => self.folder(path.as_bstr(), trees)?,
            }
            self.wanted = before;
        }
        Ok(())
    }

    /// Records what has to be known of the renames of a directory.
    fn note_folder(&mut self, around: &BStr, path: &BStr, found: &Path) {
        let [base, ours, theirs] = found.folders.map(|folder| folder.is_some());
        if self.wanted != Wanted::Yes && base && ours != theirs {
            self.wanted = Wanted::IfAddedBy(if ours { Side::Ours } else { Side::Theirs });
        }
        let relevance = if self.wanted == Wanted::Yes { OfFolder::ForOuter } else { OfFolder::None };
        for side in Side::BOTH {
            if base && found.folders[side.index()].is_none() {
                self.found.candidates.of_mut(side).folders.insert(path.to_owned(), relevance);
            }
        }
        let adding = match found.files {
            [None, Some(_), None] => Side::Ours,
            [None, None, Some(_)] => Side::Theirs,
            _ => return,
        };
        if self.wanted == Wanted::Yes {
            let renaming = self.found.candidates.of_mut(adding.other());
            renaming.folders.insert(around.to_owned(), OfFolder::ForItself);
        }
    }

    /// Records the sides that added or removed a file.
    fn note_files(&mut self, path: &BStr, found: &Path) {
        for side in Side::BOTH {
            let candidates = self.found.candidates.of_mut(side);
            match (found.files[BASE], found.files[side.index()]) {
                (Some(before), None) => {
                    // What the other side did not touch is only needed to know where a directory went.
                    if found.same == Same::Nothing {
                        candidates.relevant.insert(path.to_owned(), OfSource::Content);
                    } else if self.wanted == Wanted::Yes {
                        candidates.relevant.insert(path.to_owned(), OfSource::Location);
                    }
                    candidates.gone.push((path.to_owned(), before));
                }
                (None, Some(after)) => candidates.new.push((path.to_owned(), after)),
                _ => {}
            }
        }
    }

    /// Decides about the directories that only `side` changed.
    fn take_up(&mut self, side: Side) -> anyhow::Result<()> {
        let is_as_it_is = self.found.candidates.of(side).relevant.is_empty();
        let aside = self.aside.of_mut(side);
        aside.is_over = true;
        let folders = std::mem::take(&mut aside.folders);
        for index in git_order::of(folders.iter().map(|(path, _)| path.as_bytes())) {
            let (path, wanted) = &folders[index];
            let Some(found) = self.found.paths.get_mut(path) else { continue };
            if is_as_it_is {
                found.settled = Some(found.item(side.index()));
                continue;
            }
            let trees = found.folders;
            self.wanted = *wanted;
            self.folder(path.as_bstr(), trees)?;
        }
        Ok(())
    }
}
