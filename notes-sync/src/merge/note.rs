//! Merges one note.

use anyhow::{Context, Result};
use gix::{ObjectId, objs::Kind};

use crate::{
    combine::{self, Combined, Versions},
    objects, records,
    strategy::Strategy,
    tree::diff::Change,
    tree::layout::Annotated,
};

use super::folder::Worker;

/// The version of a note to write; `None` if the note is to be removed.
type Version = Option<ObjectId>;

impl Worker<'_> {
    /// Returns the version to write for the note about `object`, after the remote's change `their` and this side's
    /// change `our`, if any. `None` if git would not touch the local note: the fan-out depends on which notes are
    /// touched.
    pub(super) fn note(
        &mut self,
        object: Annotated,
        our: Option<Change>,
        their: Change,
    ) -> Result<Option<Version>> {
        match our {
            None => {
                self.tally.counts.take(their.old, their.new);
                Ok(Some(their.new))
            }
            Some(our) if our.new == their.new => Ok(None),
            Some(our) => {
                self.tally.counts.combined += 1;
                self.combine(object, our, their)
                    .with_context(|| format!("cannot merge the notes about {}", object.0))
            }
        }
    }

    fn combine(&mut self, object: Annotated, our: Change, their: Change) -> Result<Option<Version>> {
        match self.strategy {
            Strategy::Ours => return Ok(None),
            Strategy::Theirs => return Ok(Some(their.new)),
            Strategy::Union | Strategy::CatSortUniq | Strategy::Records => {}
        }
        let read = |blob: Version| blob.map(|blob| combine::read(self.repo, blob)).transpose();
        let base = if self.strategy == Strategy::Records { read(their.old)? } else { None };
        let remote = read(their.new)?;
        let local = our.new.map(|blob| self.local_note(blob)).transpose()?;
        if self.strategy == Strategy::CatSortUniq
            && [&local, &remote].into_iter().flatten().any(|note| records::has_structure(note))
        {
            self.tally.shredded.push(object);
        }
        let versions = Versions { base: base.as_deref(), local: local.as_deref(), remote: remote.as_deref() };
        Ok(Some(match combine::combine(self.strategy, versions) {
            Combined::Local => our.new,
            Combined::Remote => their.new,
            Combined::Removed => None,
            Combined::New(note) => Some(objects::draft(self.repo, Kind::Blob, &note)?),
        }))
    }
}
