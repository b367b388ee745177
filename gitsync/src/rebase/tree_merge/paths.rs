//! What the three trees of a merge have at a path, and what the merge has decided about it so far.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::objs::tree::EntryKind;

/// What is at a path of a tree.
pub type Item = (EntryKind, ObjectId);

/// The index of the merge base among the three versions of a path; those of the sides are [`Side::index`].
pub const BASE: usize = 0;

/// One of the sides that are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that is merged into.
    Ours,
    /// The one that is merged.
    Theirs,
}

impl Side {
    /// Both, in the order in which git looks at them.
    pub const BOTH: [Self; 2] = [Self::Ours, Self::Theirs];

    /// The index of its version among the three versions of a path.
    pub fn index(self) -> usize {
        match self {
            Self::Ours => 1,
            Self::Theirs => 2,
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// One value for each side.
#[derive(Debug, Default)]
pub struct Each<T> {
    ours: T,
    theirs: T,
}

impl<T> Each<T> {
    /// The value of a side.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Ours => &self.ours,
            Side::Theirs => &self.theirs,
        }
    }

    /// The value of a side, to be changed.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Ours => &mut self.ours,
            Side::Theirs => &mut self.theirs,
        }
    }
}

/// Which versions of a path are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// All of them.
    All,
    /// One side has what the base has: only this side may have changed it.
    ChangedBy(Side),
    /// Both sides have the same, and the base does not.
    Sides,
    /// None of them.
    Nothing,
}

impl Same {
    /// Compares three versions; what is missing is not the same as something else that is missing.
    pub fn of([base, ours, theirs]: &[Option<Item>; 3]) -> Self {
        let is_same = |one: &Option<Item>, other: &Option<Item>| one.is_some() && one == other;
        match (is_same(base, ours), is_same(base, theirs)) {
            (true, true) => Self::All,
            (true, false) => Self::ChangedBy(Side::Theirs),
            (false, true) => Self::ChangedBy(Side::Ours),
            (false, false) if is_same(ours, theirs) => Self::Sides,
            (false, false) => Self::Nothing,
        }
    }
}

/// A path of a merge.
#[derive(Debug)]
pub struct Path {
    /// The file, link or submodule in the base and on both sides. Renames bring versions together here that were at
    /// other paths.
    pub files: [Option<Item>; 3],
    /// The directory in the base and on both sides.
    pub folders: [Option<ObjectId>; 3],
    /// Which files were the same before renames were followed.
    pub same: Same,
    /// Whether it is in conflict, whatever the files say.
    pub is_disputed: bool,
    /// The result, if there is nothing left to decide: an item, or nothing.
    pub settled: Option<Option<Item>>,
}

impl Path {
    /// A path of which nothing is decided yet.
    pub fn open(items: &[Option<Item>; 3]) -> Self {
        let files = items.map(|item| item.filter(|(kind, _)| *kind != EntryKind::Tree));
        let folders = items.map(|item| item.filter(|(kind, _)| *kind == EntryKind::Tree).map(|(_, id)| id));
        Self { files, folders, same: Same::of(&files), is_disputed: false, settled: None }
    }

    /// A path whose result is known.
    pub fn settled(items: &[Option<Item>; 3], result: Option<Item>) -> Self {
        Self { settled: Some(result), ..Self::open(items) }
    }

    /// What one version has here, be it a directory.
    pub fn item(&self, index: usize) -> Option<Item> {
        self.files[index].or(self.folders[index].map(|id| (EntryKind::Tree, id)))
    }

    /// Whether there is a directory here in any version.
    pub fn has_folder(&self) -> bool {
        self.folders.iter().any(Option::is_some)
    }
}

/// The paths of a merge: all those in directories that had to be looked into.
pub type Paths = HashMap<BString, Path>;

/// The directory of a path; the root is empty.
pub fn folder(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(BStr::new(""), |at| path[..at].as_bstr())
}

/// The directories around a path, innermost first, without the root.
pub fn folders(path: &BStr) -> impl Iterator<Item = &BStr> {
    std::iter::successors(Some(folder(path)), |outer| Some(folder(outer))).take_while(|path| !path.is_empty())
}

/// The last component of a path.
pub fn name(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(path, |at| path[at + 1..].as_bstr())
}

/// The path of `name` in a directory.
pub fn join(folder: &BStr, name: &BStr) -> BString {
    if folder.is_empty() {
        return name.to_owned();
    }
    [folder.as_bytes(), b"/", name.as_bytes()].concat().into()
}
