//! New objects into the object database: complete, and on the disk before anything can name them.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use gix::{
    ObjectId,
    objs::{Kind, Write as _},
    odb::pack,
};

use super::{arrive, fresh};
use crate::{
    durable::{self, Durability, Part},
    recent::Recent,
};

/// From how many objects on one pack costs less than a file for each.
const PACK_FROM: usize = 16;

/// Makes `objects`, which so far are only in memory, part of `repo`: a few as files of their own, many as one
/// pack. They are on the disk afterwards as far as `core.fsync` promises it.
///
/// What [`gix::Repository::with_object_memory`] has collected comes in this form.
///
/// # Errors
///
/// Where they cannot be written. Some may have been, and do no harm.
pub fn store(repo: &gix::Repository, objects: &gix::odb::memory::Storage) -> gix::Result<()> {
    if objects.len() >= PACK_FROM {
        return fresh::write(repo, objects)?.keep(repo).map_err(gix::Error::from_error);
    }
    let new = objects.iter().filter(|(id, _)| !repo.objects.exists_without_refresh(id));
    new.into_iter().try_for_each(|(id, (kind, data))| loose(repo, *id, *kind, data))
}

fn loose(repo: &gix::Repository, id: ObjectId, kind: Kind, data: &[u8]) -> gix::Result<()> {
    repo.objects.write_buf_with_known_id(kind, data, id)?;
    if Durability::of(repo).covers(Part::LooseObject) {
        let hex = id.to_hex().to_string();
        let (folder, name) = hex.split_at(2);
        let folder = repo.objects.store_ref().path().join(folder);
        let synced = durable::sync_file(&folder.join(name)).and_then(|()| durable::sync_dir(&folder));
        synced.map_err(gix::Error::from_error)?;
    }
    Ok(())
}

/// A pack that is complete, but still outside of the object database. Dropping it deletes it.
pub(crate) struct Arriving {
    /// How many objects it has.
    pub objects: u64,
    /// What is in it, where that was kept.
    pub recent: Recent,
    files: Option<(PathBuf, PathBuf)>,
    outside: Outside,
}

impl Arriving {
    /// A pack and its index that were written to `outside`.
    pub(super) fn of(objects: u64, files: (PathBuf, PathBuf), outside: Outside) -> Self {
        Self { objects, recent: Recent::default(), files: Some(files), outside }
    }

    /// The same, with what is in it.
    pub(super) fn with(self, recent: Recent) -> Self {
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
            .take(arrive::SMALL as u64 + 1)
            .read_to_end(&mut begin)
            .map_err(gix::Error::from_error)?;
        if begin.len() <= arrive::SMALL
            && let Some(small) = arrive::arrive(repo, &begin)
        {
            return Ok(small);
        }
        let outside = Outside::new(repo.objects.store_ref().path()).map_err(gix::Error::from_error)?;
        let written = pack::Bundle::write_to_directory(
            &mut begin.chain(stream),
            Some(&outside.0),
            progress,
            interrupt,
            Some(repo.objects.clone()),
            repo.object_hash(),
            pack::bundle::write::Options::default(),
        )?;
        Ok(Self {
            objects: u64::from(written.index.num_objects),
            recent: Recent::default(),
            files: written.data_path.zip(written.index_path),
            outside,
        })
    }

    /// Makes the objects part of the repository.
    pub fn keep(self, repo: &gix::Repository) -> io::Result<()> {
        let Some((pack, index)) = self.files else { return Ok(()) };
        let durability = Durability::of(repo);
        let home = repo.objects.store_ref().path().join("pack");
        fs::create_dir_all(&home)?;
        // The index last: it is what makes the pack visible.
        for (file, part) in [(&pack, Part::Pack), (&index, Part::PackMetadata)] {
            if durability.covers(part) {
                durable::sync_file(file)?;
            }
            read_only(file)?;
            let target = home.join(file.file_name().unwrap_or_default());
            if !target.exists() {
                fs::rename(file, target)?;
            }
        }
        if durability.covers(Part::Pack) {
            durable::sync_dir(&home)?;
        }
        drop(self.outside);
        Ok(())
    }
}

/// Packs never change, and git marks them so.
fn read_only(file: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(file)?.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o444);
    #[cfg(not(unix))]
    permissions.set_readonly(true);
    fs::set_permissions(file, permissions)
}

/// A folder beside the object database. Its name is one that `git gc` recognises and removes, should we die.
pub(super) struct Outside(PathBuf);

impl Outside {
    pub(super) fn new(objects: &Path) -> io::Result<Self> {
        use std::hash::{BuildHasher, Hasher};
        loop {
            let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
            let path = objects.join(format!("tmp_objdir-incoming-{random:016x}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The path of a file in it.
    pub(super) fn join(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
