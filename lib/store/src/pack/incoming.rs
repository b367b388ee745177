//! A pack that has arrived, before it becomes part of the object database.

use std::{
    io::{self, Read as _},
    sync::atomic::AtomicBool,
};

use gix::{ObjectId, odb::pack};

use super::{LARGEST_AT_ONCE, index_pack, keep_file::PackKeep, tmp_pack::TmpPack};
use crate::{recent::RecentObjects, temporary::Folder};

/// A complete pack that is not part of the object database yet. Dropping it deletes it.
#[derive(Default)]
pub struct IncomingPack {
    /// The number of objects.
    pub objects: u64,
    /// Its objects, if they were kept in memory.
    pub recent: RecentObjects,
    files: Option<(TmpPack, ObjectId)>,
}

impl IncomingPack {
    /// Takes a pack with this checksum that was written to `files`.
    pub(super) fn of(objects: u64, files: TmpPack, checksum: ObjectId) -> Self {
        Self { objects, recent: RecentObjects::default(), files: Some((files, checksum)) }
    }

    /// Adds its objects.
    pub(super) fn with(self, recent: RecentObjects) -> Self {
        Self { recent, ..self }
    }

    /// Reads a pack, completes it if it is thin, and indexes it.
    pub fn read(
        repo: &gix::Repository,
        stream: &mut dyn io::BufRead,
        progress: &mut dyn gix::DynNestedProgress,
        interrupt: &AtomicBool,
    ) -> gix::Result<Self> {
        let mut begin = Vec::new();
        (&mut *stream)
            .take(LARGEST_AT_ONCE as u64 + 1)
            .read_to_end(&mut begin)
            .map_err(gix::Error::from_error)?;
        if begin.len() <= LARGEST_AT_ONCE
            && let Some(small) = index_pack::arrive(repo, &begin)
        {
            return Ok(small);
        }
        let folder = Folder::new(repo.objects.store_ref().path()).map_err(gix::Error::from_error)?;
        let written = pack::Bundle::write_to_directory(
            &mut begin.chain(stream),
            Some(folder.path()),
            progress,
            interrupt,
            Some(repo.objects.clone()),
            repo.object_hash(),
            pack::bundle::write::Options::default(),
        )?;
        let Some((pack, index)) = written.data_path.zip(written.index_path) else {
            return Ok(Self::default());
        };
        let files = TmpPack::of(pack, index, folder).map_err(gix::Error::from_error)?;
        Ok(Self::of(u64::from(written.index.num_objects), files, written.index.data_hash))
    }

    /// Reads a small pack from memory.
    ///
    /// # Errors
    ///
    /// If it is damaged, or too large for its objects to be kept in memory.
    pub fn of_bytes(repo: &gix::Repository, pack: &[u8]) -> gix::Result<Self> {
        index_pack::arrive(repo, pack).ok_or_else(strange)
    }

    /// Makes the objects part of the repository, and protects them until refs lead to them.
    pub fn keep(self, repo: &gix::Repository) -> io::Result<PackKeep> {
        match self.files {
            Some((files, checksum)) => files.publish(repo, checksum),
            None => Ok(PackKeep::default()),
        }
    }
}

fn strange() -> gix::Error {
    gix::Error::from_error(io::Error::other("the pack cannot be taken apart"))
}
