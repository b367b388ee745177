//! Writes the tree of an index exactly as git does, and counts the differences between two trees.
//!
//! gix can read trees and edit them one by one, but cannot write the tree of an index. Directories whose tree is
//! cached in the index's `TREE` extension are not built again: in a large repository with one changed file, that is
//! nearly all of them.

pub mod canonical;
mod graft;

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, bail};
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::Entry;
use gix::index::entry::Flags;
use gix::index::extension::Tree as Cache;
use gix::objs::tree::{EntryKind, EntryMode};
use gix::objs::{Kind, WriteTo as _};

pub use graft::graft;

use phase::Fault;

use crate::changes;
use crate::stage::sink::Sink;

/// A tree that was built, and what the index should record of it.
#[derive(Debug, Clone)]
pub struct Built {
    /// The id of the tree.
    pub id: ObjectId,
    /// The index's `TREE` extension.
    pub cache: Cache,
}

/// How many paths differ between two trees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Paths only in the second tree.
    pub added: u64,
    /// Paths in both, with different content or of a different kind.
    pub modified: u64,
    /// Paths only in the first tree.
    pub deleted: u64,
}

impl Counts {
    /// Whether the trees are the same.
    pub fn is_empty(&self) -> bool {
        *self == Counts::default()
    }
}

/// Builds the tree of `index`, and puts the new tree objects into `sink`.
///
/// # Errors
/// A path is unmerged; an entry is damaged; an object cannot be written.
pub fn build(
    repo: &gix::Repository,
    index: &gix::index::State,
    sink: &mut dyn Sink,
) -> anyhow::Result<Built> {
    let mut builder = Builder { repo, index, entries: index.entries(), sink };
    let cache = builder.folder(0, index.tree())?;
    Ok(Built { id: cache.node.id, cache: cache.node })
}

struct Builder<'a> {
    repo: &'a gix::Repository,
    index: &'a gix::index::State,
    /// The entries that are not yet in a tree.
    entries: &'a [Entry],
    sink: &'a mut dyn Sink,
}

struct Folder {
    node: Cache,
    /// Whether there are intent-to-add entries below, which are not part of the tree.
    incomplete: bool,
}

impl<'a> Builder<'a> {
    /// Takes all entries that share the first `prefix` bytes of the next one's path, and writes their tree.
    fn folder(&mut self, prefix: usize, known: Option<&Cache>) -> anyhow::Result<Folder> {
        let before = self.entries.len();
        let here: &'a BStr =
            self.entries.first().map_or(b"".as_bstr(), |entry| entry.path(self.index)[..prefix].as_bstr());
        if let Some(known) = known.filter(|known| self.is_still_true(known, here)) {
            self.entries = &self.entries[known.num_entries.unwrap_or(0) as usize..];
            return Ok(Folder { node: known.clone(), incomplete: false });
        }
        let known: HashMap<&[u8], &Cache> = known
            .into_iter()
            .flat_map(|known| &known.children)
            .map(|child| (child.name.as_slice(), child))
            .collect();
        let mut tree = gix::objs::Tree::empty();
        let mut children = Vec::new();
        let mut incomplete = false;
        while let Some(entry) = self.entries.first() {
            let path: &'a BStr = entry.path(self.index);
            let Some(rest) = path.strip_prefix(here.as_bytes()) else { break };
            if let Some(slash) = rest.find_byte(b'/') {
                let name = &rest[..slash];
                see_that_it_is_a_name(name, path)?;
                let mut below = self.folder(prefix + slash + 1, known.get(name).copied())?;
                incomplete |= below.incomplete;
                below.node.name = name.into();
                if below.node.id != ObjectId::empty_tree(self.repo.object_hash()) {
                    let (mode, oid) = (EntryKind::Tree.into(), below.node.id);
                    tree.entries.push(gix::objs::tree::Entry { mode, filename: name.into(), oid });
                    if below.incomplete {
                        below.node.num_entries = None;
                    }
                    children.push(below.node);
                }
                continue;
            }
            self.entries = &self.entries[1..];
            if entry.stage_raw() != 0 {
                bail!("{path} is unmerged");
            }
            if entry.flags.contains(Flags::INTENT_TO_ADD) {
                incomplete = true;
                continue;
            }
            see_that_it_is_a_name(rest, path)?;
            let mode = self.mode(entry, path)?;
            tree.entries.push(gix::objs::tree::Entry { mode, filename: rest.into(), oid: entry.id });
        }
        see_that_names_differ(&tree, here)?;
        let id = self.write(&tree)?;
        let count = u32::try_from(before - self.entries.len())?;
        let num_entries = (!incomplete).then_some(count);
        Ok(Folder { node: Cache { name: Default::default(), id, num_entries, children }, incomplete })
    }

    /// Returns the mode that a tree has for an entry, whose object must exist.
    fn mode(&self, entry: &Entry, path: &BStr) -> anyhow::Result<EntryMode> {
        let mode = entry
            .mode
            .to_tree_entry_mode()
            .with_context(|| format!("{path} has an unknown mode in the index"))?;
        // A missing object can be neither sent nor checked out. A submodule's commit is in another repository.
        let exists = || self.sink.is_draft(&entry.id) || self.repo.find_header(entry.id).is_ok();
        if !mode.is_commit() && !exists() {
            return Err(object_is_missing(path, entry.id).into());
        }
        Ok(mode)
    }

    /// Whether the cached tree can be used: exactly the number of entries that it counts are in the directory, and
    /// its object exists.
    fn is_still_true(&self, known: &Cache, folder: &BStr) -> bool {
        let Some(count) = known.num_entries.map(|count| count as usize).filter(|count| *count > 0) else {
            return false;
        };
        let is_below = |entry: &Entry| entry.path(self.index).starts_with(folder);
        self.entries.get(count - 1).is_some_and(is_below)
            && !self.entries.get(count).is_some_and(is_below)
            && self.repo.has_object(known.id)
    }

    fn write(&mut self, tree: &gix::objs::Tree) -> anyhow::Result<ObjectId> {
        let mut data = Vec::with_capacity(tree.entries.len() * 48);
        tree.write_to(&mut data)?;
        self.sink.put(Kind::Tree, &data)
    }
}

/// Refuses a name that git never writes into a tree; a damaged index may contain one.
fn see_that_it_is_a_name(name: &[u8], path: &BStr) -> anyhow::Result<()> {
    let is_none = matches!(name, b"" | b"." | b"..") || name.eq_ignore_ascii_case(b".git");
    if is_none {
        bail!("the index is damaged: {path} is no path of a file");
    }
    Ok(())
}

/// Refuses a name that belongs both to a file and to a directory, for the same reason.
fn see_that_names_differ(tree: &gix::objs::Tree, folder: &BStr) -> anyhow::Result<()> {
    for entry in tree.entries.iter().filter(|entry| entry.mode.is_tree()) {
        let as_file = gix::objs::tree::Entry { mode: EntryKind::Blob.into(), ..entry.clone() };
        if tree.entries.binary_search(&as_file).is_ok() {
            bail!("the index is damaged: {folder}{} is both a file and a folder in it", entry.filename);
        }
    }
    Ok(())
}

/// Reports an entry whose object is missing, or incomplete, for example after a power failure.
fn object_is_missing(path: &BStr, id: ObjectId) -> Fault {
    Fault::failed(format!("the index has {path} as object {id}, which is missing or damaged")).help(format!(
        "`git rm --cached -- {}` takes it out of the index and leaves the file: the next run adds it anew",
        sanitize::quoted(&path.to_string())
    ))
}

/// The objects of a repository, together with the trees that are still drafts.
struct WithDrafts<'a> {
    repo: &'a gix::Repository,
    sink: &'a dyn Sink,
}

impl gix::objs::Find for WithDrafts<'_> {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<gix::objs::Data<'a>>> {
        let Some(tree) = self.sink.tree(&id.to_owned()) else {
            return self.repo.objects.try_find(id, buffer);
        };
        buffer.clear();
        buffer.extend_from_slice(tree);
        Ok(Some(gix::objs::Data::new(buffer, Kind::Tree, id.kind())))
    }
}

/// Counts the paths that differ between the trees `from` and `to`; a rename is one path deleted and one added. The
/// trees may still be drafts in `sink`.
///
/// # Errors
/// A tree cannot be read.
pub fn count(
    repo: &gix::Repository,
    sink: &dyn Sink,
    from: ObjectId,
    to: ObjectId,
) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let mut sides: BTreeMap<BString, (bool, bool)> = BTreeMap::new();
    for change in changes::among(&WithDrafts { repo, sink }, from, to)? {
        let side = sides.entry(change.path).or_default();
        *side = (side.0 || change.before.is_some(), side.1 || change.after.is_some());
    }
    for side in sides.values() {
        match side {
            (false, true) => counts.added += 1,
            (true, true) => counts.modified += 1,
            (true, false) => counts.deleted += 1,
            (false, false) => {}
        }
    }
    Ok(counts)
}
