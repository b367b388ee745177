//! Parses tree entries in git's raw format, and walks several versions of a tree in parallel.

use std::{cmp::Ordering, io};

use gix::{ObjectId, bstr::ByteSlice, objs::tree::EntryMode};

use super::delta::common;

/// A tree entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// All its bytes.
    pub raw: &'a [u8],
    pub mode: EntryMode,
    pub name: &'a [u8],
    pub id: ObjectId,
}

/// A tree, and a position in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entries<'a> {
    rest: &'a [u8],
    len: usize,
    /// The length of an object id in bytes.
    id: usize,
}

impl<'a> Entries<'a> {
    pub fn of(tree: &'a [u8], kind: gix::hash::Kind) -> Self {
        Self { rest: tree, len: tree.len(), id: kind.len_in_bytes() }
    }

    /// Returns the next entry, if any.
    pub fn head(&self) -> gix::Result<Option<Entry<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.parse().map(Some).ok_or_else(damaged)
    }

    /// Skips the next entry.
    pub fn pass(&mut self, head: &Entry<'_>) {
        self.rest = &self.rest[head.raw.len()..];
    }

    /// Skips all entries that come before `entry`, and the one in the same position, which is returned together with
    /// its offset.
    pub fn take(&mut self, entry: &Entry<'_>) -> gix::Result<Option<(usize, Entry<'a>)>> {
        while let Some(head) = self.head()? {
            let (order, at) = (head.order(entry), self.passed());
            if order == Ordering::Greater {
                break;
            }
            self.pass(&head);
            if order == Ordering::Equal {
                return Ok(Some((at, head)));
            }
        }
        Ok(None)
    }

    /// Skips the entries that are identical at the current position of both trees.
    pub fn pass_same(&mut self, other: &mut Self) {
        let alike = &self.rest[..common(self.rest, other.rest)];
        let mut whole = 0;
        while let Some(name) = alike[whole..].find_byte(0)
            && let next = whole + name + 1 + self.id
            && next <= alike.len()
        {
            whole = next;
        }
        self.rest = &self.rest[whole..];
        other.rest = &other.rest[whole..];
    }

    /// The number of bytes that were skipped.
    pub fn passed(&self) -> usize {
        self.len - self.rest.len()
    }

    fn parse(&self) -> Option<Entry<'a>> {
        let space = self.rest.iter().take(7).position(|byte| *byte == b' ')?;
        let mode = EntryMode::from_bytes(&self.rest[..space])?;
        let name = &self.rest[space + 1..];
        let name = &name[..name.find_byte(0)?];
        let id = space + 1 + name.len() + 1;
        let raw = self.rest.get(..id + self.id)?;
        Some(Entry { raw, mode, name, id: ObjectId::try_from(&raw[id..]).ok()? })
    }
}

impl Entry<'_> {
    /// Git's order of entries: by name, as if the names of trees ended in a slash.
    pub fn order(&self, other: &Self) -> Ordering {
        let common = self.name.len().min(other.name.len());
        let next = |entry: &Self| match entry.name.get(common) {
            Some(byte) => Some(*byte),
            None => entry.mode.is_tree().then_some(b'/'),
        };
        self.name[..common].cmp(&other.name[..common]).then_with(|| next(self).cmp(&next(other)))
    }

    /// Whether this is a version of the other: of the same name, and both trees or both files.
    pub fn is_version_of(&self, other: &Self) -> bool {
        self.name == other.name
            && self.mode.is_tree() == other.mode.is_tree()
            && !self.mode.is_commit()
            && !other.mode.is_commit()
    }
}

fn damaged() -> gix::Error {
    gix::Error::from_error(io::Error::new(io::ErrorKind::InvalidData, "a tree is damaged"))
}

/// Builds a tree of entries with these modes, names and ids.
#[cfg(test)]
pub(crate) fn tree(entries: &[(&str, &str, u8)]) -> Vec<u8> {
    let raw =
        |(mode, name, id): &(&str, &str, u8)| [format!("{mode} {name}\0").as_bytes(), &[*id; 20]].concat();
    entries.iter().flat_map(raw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(tree: &[u8]) -> gix::Result<Vec<Entry<'_>>> {
        let mut rest = Entries::of(tree, gix::hash::Kind::Sha1);
        let mut entries = Vec::new();
        while let Some(head) = rest.head()? {
            rest.pass(&head);
            entries.push(head);
        }
        Ok(entries)
    }

    #[test]
    fn entries_are_what_gix_takes_them_for() {
        let tree = tree(&[
            ("100644", "a", 1),
            ("40000", "a b", 2),
            ("120000", "l", 3),
            ("160000", "s", 4),
            ("100755", "x", 5),
        ]);
        let ours = all(&tree).unwrap();
        let theirs: Vec<_> =
            gix::objs::TreeRefIter::from_bytes(&tree, gix::hash::Kind::Sha1).map(Result::unwrap).collect();
        assert_eq!(ours.len(), theirs.len());
        for (our, their) in ours.iter().zip(theirs) {
            assert_eq!(
                (our.mode, our.name, our.id),
                (their.mode, their.filename.as_ref(), their.oid.to_owned())
            );
        }
    }

    #[test]
    fn a_folder_comes_where_its_slash_belongs() {
        let tree = tree(&[("100644", "a", 1), ("100644", "a.b", 1), ("40000", "a", 1), ("100644", "a0", 1)]);
        let entries = all(&tree).unwrap();
        assert!(entries.is_sorted_by(|one, next| one.order(next) == Ordering::Less));
    }

    #[test]
    fn what_breaks_off_is_damaged() {
        let whole = tree(&[("100644", "a", 1)]);
        for len in 1..whole.len() {
            assert!(all(&whole[..len]).is_err(), "{len}");
        }
        assert!(all(b"100644a b\0aaaaaaaaaaaaaaaaaaaa").is_err());
    }
}
