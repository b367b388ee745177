//! Derives the tree of an index with a few edits from the tree that the index had before them.
//!
//! If the index still had the tree of the last commit, only the trees on the paths of the edits have to be written.
//! The rest of the index is not examined, so that it need not be decoded.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::index::extension::Tree as Cache;
use gix::objs::tree::{Entry, EntryKind, EntryMode};
use gix::objs::{Kind, Tree, WriteTo as _};

use super::Built;
use crate::index::{Edit, Revised};
use crate::stage::sink::Sink;

/// Returns the tree of `index`, whose tree before its edits was `head`. Returns `None` if that is not so, or if more
/// is needed than edits of files: the tree then has to be built from the whole index.
///
/// # Errors
/// A tree cannot be read or written.
pub fn graft(
    repo: &gix::Repository,
    index: &Revised,
    head: ObjectId,
    sink: &mut dyn Sink,
) -> anyhow::Result<Option<Built>> {
    if index.index.tree() != Some(head) || !index.is_simple() {
        return Ok(None);
    }
    let Some(cache) = index.index.as_written().and_then(scan::AsWritten::cache) else { return Ok(None) };
    if cache.num_entries.map(|count| count as usize) != Some(index.index.len()) {
        return Ok(None);
    }
    let mut leaves = Vec::new();
    for (path, edit) in index.edits.iter() {
        let now = match edit {
            Edit::Refresh(_) => continue,
            Edit::Remove => None,
            Edit::Put(put) => {
                let mode = put.mode.to_tree_entry_mode();
                Some((mode.with_context(|| format!("{path} has an unknown mode"))?, put.id))
            }
        };
        leaves.push(Leaf { path, now });
    }
    let mut grafter = Grafter { repo, sink };
    Ok(match grafter.folder(cache, &leaves)? {
        Folder::Is(cache) => Some(Built { id: cache.id, cache }),
        // An empty tree has special rules in git: leave it to the full build.
        Folder::Empty | Folder::Unknown => None,
    })
}

/// The change of one file.
struct Leaf<'a> {
    /// Its path, relative to the directory being edited.
    path: &'a [u8],
    /// Its new mode and object id; `None` if it was removed.
    now: Option<(EntryMode, ObjectId)>,
}

/// The result of editing a directory.
enum Folder {
    /// It has this tree.
    Is(Cache),
    /// It is empty now.
    Empty,
    /// The cache does not cover it.
    Unknown,
}

struct Grafter<'a> {
    repo: &'a gix::Repository,
    sink: &'a mut dyn Sink,
}

impl Grafter<'_> {
    /// Edits the directory `old`. The leaves are sorted.
    fn folder(&mut self, old: Cache, leaves: &[Leaf<'_>]) -> anyhow::Result<Folder> {
        let Cache { name, id, num_entries: Some(mut count), children } = old else {
            return Ok(Folder::Unknown);
        };
        let tree = match id.is_empty_tree() {
            true => Tree::empty(),
            false => self.repo.find_tree(id)?.decode()?.to_owned(),
        };
        // Each change looks up an entry and a child, so both are kept by their order: a directory may have as many
        // changes as entries. The two orders differ, since a tree sorts the name of a subtree as if it ended in `/`.
        let mut children: BTreeMap<Vec<u8>, Cache> =
            children.into_iter().map(|child| (child.name.to_vec(), child)).collect();
        if !is_of_an_index(&tree, &children) {
            return Ok(Folder::Unknown);
        }
        let mut entries: BTreeSet<Entry> = tree.entries.into_iter().collect();
        let mut rest = leaves;
        while let Some(first) = rest.first() {
            let (name, is_file) = match first.path.split_once_str("/") {
                Some((name, _)) => (name, false),
                None => (first.path, true),
            };
            if is_file {
                rest = &rest[1..];
                let before = put(&mut entries, name, EntryKind::Blob.into(), first.now);
                if before.is_none() && first.now.is_none() {
                    // What the index had is not in its tree: the cache does not belong to this index.
                    return Ok(Folder::Unknown);
                }
                count = count - u32::from(before.is_some()) + u32::from(first.now.is_some());
                continue;
            }
            let inside: Vec<_> = rest
                .iter()
                .map_while(|leaf| Some(Leaf { path: below(leaf.path, name)?, now: leaf.now }))
                .collect();
            rest = &rest[inside.len()..];
            let before = children.remove(name).unwrap_or_else(|| nothing(self.repo));
            count -= before.num_entries.unwrap_or(0);
            let now = match self.folder(before, &inside)? {
                Folder::Unknown => return Ok(Folder::Unknown),
                Folder::Empty => None,
                Folder::Is(mut child) => {
                    let id = child.id;
                    count += child.num_entries.unwrap_or(0);
                    child.name = name.into();
                    children.insert(name.to_vec(), child);
                    Some((EntryKind::Tree.into(), id))
                }
            };
            put(&mut entries, name, EntryKind::Tree.into(), now);
        }
        if entries.is_empty() {
            return Ok(Folder::Empty);
        }
        let tree = Tree { entries: entries.into_iter().collect() };
        let children = children.into_values().collect();
        let mut data = Vec::with_capacity(tree.entries.len() * 48);
        tree.write_to(&mut data)?;
        let id = self.sink.put(Kind::Tree, &data)?;
        Ok(Folder::Is(Cache { name, id, num_entries: Some(count), children }))
    }
}

/// The part of `path` below the directory `name`; `None` if it is not in it.
fn below<'a>(path: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    path.strip_prefix(name)?.strip_prefix(b"/")
}

/// Whether an index would yield exactly this tree, and its cache covers all subtrees: sorted, no obsolete modes, no
/// empty trees.
fn is_of_an_index(tree: &Tree, children: &BTreeMap<Vec<u8>, Cache>) -> bool {
    let mut folders = tree.entries.iter().filter(|entry| entry.mode.is_tree());
    tree.entries.iter().all(|entry| entry.mode == EntryMode::from(entry.mode.kind()))
        && tree.entries.is_sorted_by(|one, next| one < next)
        && folders.clone().count() == children.len()
        && folders
            .all(|entry| children.get(entry.filename.as_slice()).is_some_and(|child| child.id == entry.oid))
}

/// A directory that does not exist yet.
fn nothing(repo: &gix::Repository) -> Cache {
    let id = ObjectId::empty_tree(repo.object_hash());
    Cache { name: Default::default(), id, num_entries: Some(0), children: Vec::new() }
}

/// Sets `name` to `now`, and returns what it was before. `like` tells whether `name` sorts like a file or like a
/// directory.
fn put(
    entries: &mut BTreeSet<Entry>,
    name: &[u8],
    like: EntryMode,
    now: Option<(EntryMode, ObjectId)>,
) -> Option<ObjectId> {
    let null = ObjectId::null(gix::hash::Kind::Sha1);
    let named = Entry { mode: like, filename: BString::from(name), oid: null };
    let before = entries.take(&named);
    if let Some((mode, oid)) = now {
        entries.insert(Entry { mode, oid, ..named });
    }
    before.map(|entry| entry.oid)
}
