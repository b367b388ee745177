//! Combines an index as it was read with the edits to make in it.

use std::borrow::Cow;

use gix::index::File;
use scan::Index;

use super::Edits;
use super::patch::Patch;

/// An index as it shall be: one that was read, plus some edits.
#[derive(Debug)]
pub struct Revised {
    /// The index as it was read.
    pub index: Index,
    /// The edits.
    pub edits: Edits,
}

impl Revised {
    /// Whether it can be written from the bytes of the old index. Among others, no edit may replace a directory by a
    /// file or the reverse.
    pub fn is_simple(&self) -> bool {
        Patch::of(&self.index, &self.edits).is_some()
    }

    /// Returns the whole edited index, decoded.
    ///
    /// # Errors
    /// It is damaged.
    pub fn whole(&self) -> anyhow::Result<Cow<'_, File>> {
        let index = self.index.decoded()?;
        if self.edits.is_empty() {
            return Ok(Cow::Borrowed(index));
        }
        let mut whole = index.clone();
        self.edits.clone().apply(&mut whole);
        Ok(Cow::Owned(whole))
    }

    /// Returns the whole edited index, decoded, for further changes.
    ///
    /// # Errors
    /// It is damaged.
    pub fn into_whole(self) -> anyhow::Result<File> {
        let mut whole = self.index.into_decoded()?;
        self.edits.apply(&mut whole);
        Ok(whole)
    }
}

impl From<Index> for Revised {
    fn from(index: Index) -> Self {
        Self { index, edits: Edits::default() }
    }
}

impl From<File> for Revised {
    fn from(index: File) -> Self {
        Index::from(index).into()
    }
}
