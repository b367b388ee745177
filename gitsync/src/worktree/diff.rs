//! The paths that differ between two trees, with every name of the new one checked.
//!
//! It is done here and not by gix's diff since a tree that comes from somebody else must be distrusted while it is
//! walked: a name that stands twice in a folder, or that leads elsewhere, must be refused by name before anything is
//! written. What both trees share has been checked out before and is not looked at.

use std::collections::BTreeMap;

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::Mode;

use super::{Refused, Side, Why};
use crate::path::{self, Hostile, Leaf};

/// Longer paths than this cannot be opened, and a tree may nest without end.
const DEEPEST: usize = 2_048;

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What the old tree has there, if it is a file, a link or a submodule.
    pub old: Option<Side>,
    /// What the new tree has there.
    pub new: Option<Side>,
}

/// What differs, and what of the new tree must not be written.
#[derive(Debug, Default)]
pub struct Diff {
    /// By path.
    pub changes: BTreeMap<BString, Change>,
    /// Names that are refused.
    pub hostile: Vec<Refused>,
}

/// Compare the trees `from` and `to`.
///
/// # Errors
/// A tree is missing or damaged.
pub fn diff(repo: &gix::Repository, from: ObjectId, to: ObjectId) -> anyhow::Result<Diff> {
    let mut out = Diff::default();
    let mut open = vec![Pair { folder: BString::default(), depth: 0, old: Some(from), new: Some(to) }];
    while let Some(pair) = open.pop() {
        if pair.old == pair.new {
            continue;
        }
        let old = pair.old.map(|id| entries(repo, id)).transpose()?.unwrap_or_default();
        let new = pair.new.map(|id| entries(repo, id)).transpose()?.unwrap_or_default();
        let mut both: BTreeMap<BString, (Option<Entry>, Option<Entry>)> = BTreeMap::new();
        for (name, entry) in old {
            both.entry(name).or_default().0 = Some(entry);
        }
        for (name, entry) in new {
            let slot = &mut both.entry(name.clone()).or_default().1;
            if slot.replace(entry).is_some() {
                out.refuse(join(&pair.folder, &name), Hostile::Twice);
            }
        }
        for (name, (old, new)) in both.into_iter().filter(|(_, (old, new))| old != new) {
            let path = join(&pair.folder, &name);
            if let Some(new) = &new
                && let Err(why) = check(&path, &name, new, pair.depth)
            {
                out.refuse(path, why);
                continue;
            }
            let (old_tree, old) = split(old);
            let (new_tree, new) = split(new);
            if old_tree.is_some() || new_tree.is_some() {
                open.push(Pair { folder: path.clone(), depth: pair.depth + 1, old: old_tree, new: new_tree });
            }
            if old.is_some() || new.is_some() {
                out.changes.insert(path, Change { old, new });
            }
        }
    }
    out.hostile.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

/// What the tree `root` has at `path`, if it is a file, a link or a submodule.
///
/// # Errors
/// A tree is missing or damaged.
pub fn side_at(repo: &gix::Repository, root: ObjectId, path: &BStr) -> anyhow::Result<Option<Side>> {
    let found = repo.find_tree(root)?.lookup_entry(path.split(|byte| *byte == b'/'))?;
    Ok(found
        .filter(|entry| !entry.mode().is_tree())
        .map(|entry| Side { id: entry.object_id(), mode: entry.mode().into() }))
}

struct Pair {
    folder: BString,
    depth: usize,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Tree(ObjectId),
    Leaf(Side),
}

impl Diff {
    fn refuse(&mut self, path: BString, why: Hostile) {
        self.hostile.push(Refused { path, why: Why::Hostile(why) });
    }
}

fn check(path: &BString, name: &BString, entry: &Entry, depth: usize) -> Result<(), Hostile> {
    if depth >= DEEPEST {
        return Err(Hostile::TooLong);
    }
    let is_link = matches!(entry, Entry::Leaf(Side { mode: Mode::SYMLINK, .. }));
    path::check_name(name.as_bstr(), if is_link { Leaf::Link } else { Leaf::Other })?;
    if path.len() > path::LONGEST_PATH { Err(Hostile::TooLong) } else { Ok(()) }
}

fn split(entry: Option<Entry>) -> (Option<ObjectId>, Option<Side>) {
    match entry {
        Some(Entry::Tree(id)) => (Some(id), None),
        Some(Entry::Leaf(side)) => (None, Some(side)),
        None => (None, None),
    }
}

fn entries(repo: &gix::Repository, id: ObjectId) -> anyhow::Result<Vec<(BString, Entry)>> {
    let tree = repo.find_tree(id).with_context(|| format!("cannot read the tree {id}"))?;
    tree.iter()
        .map(|entry| {
            let entry = entry.with_context(|| format!("the tree {id} is damaged"))?;
            let id = entry.object_id();
            let mode = entry.mode();
            let entry_here = if mode.is_tree() {
                Entry::Tree(id)
            } else {
                // Old trees hold modes such as 100664, which mean a plain file.
                Entry::Leaf(Side { id, mode: gix::objs::tree::EntryMode::from(mode.kind()).into() })
            };
            Ok((entry.filename().to_owned(), entry_here))
        })
        .collect()
}

fn join(folder: &BString, name: &BString) -> BString {
    if folder.is_empty() {
        return name.clone();
    }
    let mut path = folder.clone();
    path.push(b'/');
    path.extend_from_slice(name);
    path
}
