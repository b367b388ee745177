//! The names in one directory.
//!
//! A working tree has as many names as files, and most of them are needed only for a moment: they share one buffer,
//! which is reused for the next directory.

use std::cmp::Ordering;

use gix::bstr::{BStr, ByteSlice as _};

/// The type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A directory.
    Folder,
    /// A pipe, a socket or a device, which git does not track.
    Other,
}

/// The names in one directory, each with its type.
#[derive(Debug, Default)]
pub struct Names {
    bytes: Vec<u8>,
    all: Vec<Name>,
}

/// One name in a [`Names`].
#[derive(Debug, Clone, Copy)]
pub struct Name {
    start: usize,
    end: usize,
    /// The type of the file.
    pub kind: Kind,
}

impl Names {
    /// Removes all names.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.all.clear();
    }

    /// Adds a name.
    pub fn push(&mut self, name: &[u8], kind: Kind) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name);
        self.all.push(Name { start, end: self.bytes.len(), kind });
    }

    /// Returns the text of `name`.
    pub fn of(&self, name: Name) -> &BStr {
        self.bytes[name.start..name.end].as_bstr()
    }

    /// Returns all names, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Name> + '_ {
        self.all.iter().copied()
    }

    /// Whether `name` is among them.
    pub fn contain(&self, name: &[u8]) -> bool {
        self.iter().any(|one| self.of(one) == name)
    }

    /// Sorts the names in the order of the index.
    pub fn sort(&mut self) {
        let bytes = &self.bytes;
        self.all.sort_unstable_by(|a, b| {
            let (a_is, b_is) = (&bytes[a.start..a.end], &bytes[b.start..b.end]);
            in_index(a_is, a.kind == Kind::Folder, b_is, b.kind == Kind::Folder)
        });
    }
}

/// Compares two names of one directory in the order of the index, where a slash follows the name of a directory.
pub fn in_index(a: &[u8], a_is_folder: bool, b: &[u8], b_is_folder: bool) -> Ordering {
    let common = a.len().min(b.len());
    let next = |name: &[u8], is_folder: bool| match name.get(common) {
        Some(byte) => *byte,
        None if is_folder => b'/',
        None => 0,
    };
    a[..common]
        .cmp(&b[..common])
        .then_with(|| next(a, a_is_folder).cmp(&next(b, b_is_folder)))
        .then_with(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_sorted_as_if_it_ended_with_a_slash() {
        let mut names = Names::default();
        for (name, kind) in [
            ("ab", Kind::File),
            ("a", Kind::Folder),
            ("a.b", Kind::File),
            ("a0", Kind::File),
            ("a", Kind::File),
        ] {
            names.push(name.as_bytes(), kind);
        }
        names.sort();
        let sorted: Vec<_> =
            names.iter().map(|name| (names.of(name).to_string(), name.kind == Kind::Folder)).collect();
        let expected = [("a", false), ("a.b", false), ("a", true), ("a0", false), ("ab", false)]
            .map(|(name, is)| (name.to_owned(), is));
        assert_eq!(sorted, expected);
    }
}
