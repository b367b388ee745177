//! Merges trees without looking into files, if each entry was changed by one side only.
//!
//! Most commits are of this kind, and then only the trees on the way to what a commit changed need to be read. A
//! merge of whole trees first compares everything that the other side has changed since the merge base, again for
//! each commit, which is nearly all of the time of a long rebase.
//!
//! An entry that `theirs` changed and that is in `ours` as it was in `base` is taken from `theirs`, as a whole if it
//! is a tree. That is the result of git's merge, including renames: a rename matters only if the other side touched
//! one of its ends, or a directory that is gone on one side, and then an entry is not as it was. Everything else is
//! left to the other modules. See "3-way merge" in <https://git-scm.com/docs/git-read-tree>.

use std::cmp::Ordering;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::objs::Write as _;
use gix::objs::tree::{Entry, EntryRef};

use super::entries::{changed, content, has_otherwise, order};
use crate::tree::canonical;

/// Merges the change from `base` to `theirs` into `ours`. Returns `None` if that requires more than comparing
/// entries.
///
/// # Errors
/// A tree cannot be read or written.
pub fn merge(
    repo: &gix::Repository,
    base: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
) -> anyhow::Result<Option<ObjectId>> {
    Ok(match folder(repo, base, ours, theirs)? {
        Folder::Of(id) => Some(id),
        Folder::Empty => Some(repo.object_hash().empty_tree()),
        Folder::NotTrivial => None,
    })
}

/// The result of merging one tree.
enum Folder {
    /// This tree.
    Of(ObjectId),
    /// Nothing is left in it.
    Empty,
    /// It requires more than comparing entries.
    NotTrivial,
}

fn folder(
    repo: &gix::Repository,
    base: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
) -> anyhow::Result<Folder> {
    if base == theirs {
        return Ok(Folder::Of(ours));
    }
    if base == ours {
        return Ok(Folder::Of(theirs));
    }
    let of_ours = ours;
    let (base, ours, theirs) = (repo.find_tree(base)?, repo.find_tree(ours)?, repo.find_tree(theirs)?);
    let (base, ours, theirs) = (base.decode()?, ours.decode()?, theirs.decode()?);
    let mut merged: Vec<Entry> = Vec::new();
    // Both lists are sorted alike: entries between two changed ones are copied in one go.
    let mut rest = ours.entries.as_slice();
    for (before, after) in changed(&base.entries, &theirs.entries) {
        let Some(named) = after.or(before) else { continue };
        let at = rest.partition_point(|entry| order(entry, named) == Ordering::Less);
        merged.extend(rest[..at].iter().map(|entry| owned(entry)));
        rest = &rest[at..];
        let here = rest.first().filter(|entry| order(entry, named) == Ordering::Equal);
        if has_otherwise(&ours.entries, named) {
            return Ok(Folder::NotTrivial);
        }
        rest = &rest[usize::from(here.is_some())..];
        let is_as_it_was = here.map(content) == before.map(content);
        match (before, here, after) {
            (_, _, after) if is_as_it_was => merged.extend(after.map(owned)),
            (Some(before), Some(here), Some(after)) if before.mode.is_tree() => {
                match folder(repo, before.oid.to_owned(), here.oid.to_owned(), after.oid.to_owned())? {
                    Folder::Of(oid) => merged.push(Entry { oid, ..owned(here) }),
                    Folder::Empty => {}
                    Folder::NotTrivial => return Ok(Folder::NotTrivial),
                }
            }
            _ => return Ok(Folder::NotTrivial),
        }
    }
    merged.extend(rest.iter().map(|entry| owned(entry)));
    if merged.is_empty() {
        return Ok(Folder::Empty);
    }
    // A tree that differs only in the spelling of modes is not changed.
    if ours.entries.iter().any(|entry| canonical::is_odd(entry.mode))
        && merged
            .iter()
            .map(EntryRef::from)
            .map(|entry| (entry.filename, content(&entry)))
            .eq(ours.entries.iter().map(|entry| (entry.filename, content(entry))))
    {
        return Ok(Folder::Of(of_ours));
    }
    Ok(Folder::Of(repo.objects.write(&gix::objs::Tree { entries: merged })?))
}

fn owned(entry: &EntryRef<'_>) -> Entry {
    Entry {
        mode: canonical::mode(entry.mode),
        filename: BString::from(entry.filename.as_bytes()),
        oid: entry.oid.to_owned(),
    }
}
