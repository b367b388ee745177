//! Looks up tree entries by path, and compares the entries of two trees without descending into subtrees.

use std::cmp::Ordering;

use gix::ObjectId;
use gix::bstr::BStr;
use gix::hash::oid;
use gix::objs::tree::{EntryKind, EntryMode, EntryRef};

/// Returns the entries that differ, in order. Both entries of a pair have the same name, and both are trees or
/// neither is.
pub fn changed<'a, 'b>(
    before: &'b [EntryRef<'a>],
    after: &'b [EntryRef<'a>],
) -> impl Iterator<Item = (Option<&'b EntryRef<'a>>, Option<&'b EntryRef<'a>>)> {
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    let pairs = std::iter::from_fn(move || {
        let which = match (before.peek(), after.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => order(before, after),
        };
        Some(match which {
            Ordering::Less => (before.next(), None),
            Ordering::Equal => (before.next(), after.next()),
            Ordering::Greater => (None, after.next()),
        })
    });
    pairs.filter(|(before, after)| before.map(content) != after.map(content))
}

/// Returns the kind and id of an entry, independently of how its mode was spelled.
pub fn content<'a>(entry: &EntryRef<'a>) -> (EntryKind, &'a oid) {
    (entry.mode.kind(), entry.oid)
}

/// Compares entries in tree order: by name, the name of a subtree as if it ended with a slash.
pub fn order(one: &EntryRef<'_>, other: &EntryRef<'_>) -> Ordering {
    one.cmp(other)
}

/// Whether `entries` has a subtree with the name of `named` if that is not one, or the other way round.
pub fn has_otherwise(entries: &[EntryRef<'_>], named: &EntryRef<'_>) -> bool {
    let mode = if named.mode.is_tree() { EntryKind::Blob } else { EntryKind::Tree };
    let otherwise = EntryRef { mode: mode.into(), ..*named };
    entries.binary_search_by(|entry| order(entry, &otherwise)).is_ok()
}

/// Returns the entry of a tree at a path.
///
/// # Errors
/// A tree cannot be read.
pub fn at(
    repo: &gix::Repository,
    tree: ObjectId,
    path: &BStr,
) -> anyhow::Result<Option<(EntryMode, ObjectId)>> {
    let found = repo.find_tree(tree)?.lookup_entry(path.split(|byte| *byte == b'/'))?;
    Ok(found.map(|entry| (entry.mode(), entry.object_id())))
}
