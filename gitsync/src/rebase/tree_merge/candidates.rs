//! The files that a side may have renamed, and which of them matter.
//!
//! Most do not: if the other side did not touch a file, it makes no difference whether it was renamed, or removed and
//! another one added. Only exact renames are looked for among those, since that costs nothing and removes them from
//! the search. See `relevant_sources` and `dirs_removed` in git's `merge-ort.c`.

use std::collections::HashMap;

use gix::bstr::{BStr, BString};

use super::paths::Item;

/// What a side added and removed.
#[derive(Debug, Default)]
pub struct Candidates {
    /// The files that it does not have any more, in git's order.
    pub gone: Vec<(BString, Item)>,
    /// The files that are new on it, in git's order.
    pub new: Vec<(BString, Item)>,
    /// Those of the files that are gone whose new names matter.
    pub relevant: HashMap<BString, OfSource>,
    /// The directories that it does not have any more.
    pub folders: HashMap<BString, OfFolder>,
}

/// Why the new name of a file matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfSource {
    /// The other side changed or removed the file.
    Content,
    /// It tells where a directory went.
    Location,
}

/// Why it matters where a directory went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OfFolder {
    /// It does not.
    #[default]
    None,
    /// Its files tell where a directory around it went.
    ForOuter,
    /// The other side added a file to it.
    ForItself,
}

impl Candidates {
    /// Whether renames have to be looked for.
    pub fn matter(&self) -> bool {
        !self.relevant.is_empty()
    }

    /// Why it matters where a directory went.
    pub fn of_folder(&self, path: &BStr) -> OfFolder {
        self.folders.get(path).copied().unwrap_or_default()
    }
}
