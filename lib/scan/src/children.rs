//! Lists what the index has directly in one directory.
//!
//! The index is a flat list of full paths. Everything below a directory is contiguous in it, in the order in which
//! the directory's own names are sorted; so a directory is a range, and its subdirectories are ranges within that.

use std::ops::Range;

use gix::bstr::{BStr, ByteSlice as _};

use crate::index::{self, Index};

/// A name in a directory of the index.
#[derive(Debug, Clone)]
pub struct Child<'a> {
    /// The name within the directory.
    pub name: &'a BStr,
    /// Whether it is a directory; a submodule is not.
    pub is_folder: bool,
    /// Its entries: all below it, or the stages of one path.
    pub entries: Range<usize>,
}

/// The names in a directory of the index.
pub struct Children<'a> {
    index: &'a Index,
    left: Range<usize>,
    /// The length of the directory's path, including its last slash.
    prefix: usize,
}

impl<'a> Children<'a> {
    /// Lists the directory that has `entries`, whose paths begin with the same `prefix` bytes.
    pub fn new(index: &'a Index, entries: Range<usize>, prefix: usize) -> Self {
        Children { index, left: entries, prefix }
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Child<'a>;

    fn next(&mut self) -> Option<Child<'a>> {
        let (start, end) = (self.left.start, self.left.end);
        if start >= end {
            return None;
        }
        let path: &'a BStr = self.index.path(start);
        let rest = &path[self.prefix..];
        let (name, is_folder, end) = match rest.find_byte(b'/') {
            Some(slash) => {
                let folder = &path[..self.prefix + slash + 1];
                let is_below = |at: usize| self.index.path(at).starts_with(folder);
                (&rest[..slash], true, first_without(start..end, is_below))
            }
            None => {
                let is_version = |at: &usize| self.index.stage(*at) != 0 && self.index.path(*at) == path;
                (rest, false, start + 1 + (start + 1..end).take_while(is_version).count())
            }
        };
        self.left.start = end;
        Some(Child { name: name.as_bstr(), is_folder, entries: start..end })
    }
}

/// Returns the first number of the range for which `is` is false; it is true for the very first. Most directories are
/// small, so the steps grow from one on.
fn first_without(range: Range<usize>, is: impl Fn(usize) -> bool) -> usize {
    let (mut known, mut step) = (range.start, 1);
    while known + step < range.end && is(known + step) {
        known += step;
        step *= 2;
    }
    index::first_without(known + 1..range.end.min(known + step), is)
}

#[cfg(test)]
mod tests {
    use gix::index::State;
    use gix::index::entry::{Flags, Mode};

    use super::*;

    #[test]
    fn folders_are_ranges_however_large_they_are() {
        for size in [1, 2, 3, 7, 8, 9, 100] {
            let mut index = State::new(gix::hash::Kind::Sha1);
            let below = (0..size).map(|number| format!("a/{number:03}"));
            for path in ["a.b".to_owned()].into_iter().chain(below).chain(["a0".to_owned(), "b/c".to_owned()])
            {
                let id = gix::hash::Kind::Sha1.null();
                index.dangerously_push_entry(
                    Default::default(),
                    id,
                    Flags::empty(),
                    Mode::FILE,
                    path.as_str().into(),
                );
            }
            let index = Index::from(gix::index::File::from_state(index, "index"));
            let names: Vec<_> = Children::new(&index, 0..size + 3, 0)
                .map(|child| (child.name.to_string(), child.is_folder, child.entries.len()))
                .collect();
            let expected = [("a.b", false, 1), ("a", true, size), ("a0", false, 1), ("b", true, 1)]
                .map(|(name, is_folder, entries)| (name.to_owned(), is_folder, entries));
            assert_eq!(names, expected);
        }
    }
}
