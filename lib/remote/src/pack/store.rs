//! Adds new objects to the object database, flushed to disk before any ref can name them.

use std::{
    fs::File,
    io::{self, Read as _},
    sync::atomic::AtomicBool,
    time::SystemTime,
};

use gix::{
    ObjectId,
    objs::Kind,
    odb::{loose, pack},
};

use super::{LARGEST_AT_ONCE, from_memory, index_pack, keep_file::PackKeep, tmp_pack::TmpPack};
use crate::{freshen::Freshener, object_file::Drafts, recent::RecentObjects, temporary::Folder};

/// The number of objects from which one pack costs less than loose objects.
const PACK_FROM: usize = 16;
/// The maximum size in bytes of the objects that stay in memory for the next reader.
const ROOM: usize = 4 * 1024 * 1024;

/// Writes `objects`, which so far are only in memory, to `repo`: a few as loose objects, many as one pack. Afterwards
/// they are on disk as far as `core.fsync` demands, and as long as the returned value is held, no repack removes
/// them. They are also returned in memory for the next reader, unless they are large.
///
/// The objects have the form in which [`gix::Repository::with_object_memory`] collects them.
///
/// # Errors
///
/// If they cannot be written. Some may have been written, which does no harm.
pub fn store(
    repo: &gix::Repository,
    objects: gix::odb::memory::Storage,
) -> gix::Result<(RecentObjects, PackKeep)> {
    let held = if objects.len() >= PACK_FROM {
        from_memory::write(repo, &objects)?.keep(repo).map_err(gix::Error::from_error)?
    } else {
        let mut known = Freshener::new(repo);
        let mut drafts = Drafts::new(repo);
        let mut new = objects.iter().filter(|(id, _)| !known.freshen(id));
        new.try_for_each(|(id, (kind, data))| drafts.write(*id, *kind, data))
            .and_then(|()| drafts.publish())
            .map_err(gix::Error::from_error)?;
        PackKeep::default()
    };
    let bytes: usize = objects.values().map(|(_, data)| data.len()).sum();
    Ok((if bytes <= ROOM { objects.into() } else { RecentObjects::default() }, held))
}

/// Writes an object that is to be a loose object. If it is one already it is freshened, since git would otherwise
/// prune it some weeks later if no ref leads to it; unless the file does not contain the object, as may happen after
/// a power failure.
pub(crate) fn file(
    repo: &gix::Repository,
    drafts: &mut Drafts<'_>,
    id: ObjectId,
    kind: Kind,
    data: &[u8],
) -> io::Result<()> {
    let files = loose::Store::at(repo.objects.store_ref().path(), id.kind());
    match File::open(files.object_path(&id)) {
        Ok(known)
            if files.try_find(&id, &mut Vec::new()).is_ok_and(|it| it.is_some_and(|it| it.data == data)) =>
        {
            known.set_modified(SystemTime::now())
        }
        Ok(_) | Err(_) => drafts.write(id, kind, data),
    }
}

/// A complete pack that is not part of the object database yet. Dropping it deletes it.
#[derive(Default)]
pub(crate) struct IncomingPack {
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
