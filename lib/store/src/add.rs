//! Adds new objects to the object database, flushed to disk before any ref can name them.

use std::{fs::File, io, time::SystemTime};

use gix::{ObjectId, objs::Kind, odb::loose};

use crate::{
    freshen::Freshener,
    object_file::Drafts,
    pack::{from_memory, keep_file::PackKeep},
    recent::RecentObjects,
};

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
pub fn add_objects(
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
pub fn add_loose(
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
