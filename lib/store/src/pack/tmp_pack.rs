//! A pack and its index under temporary names, until they are published.
//!
//! If they were written under their final names, readers could find incomplete files. They are in the directory of
//! the final files, like git's own temporary packs: a separate directory would have to be created, flushed and
//! removed.

use std::{fs, io, path::Path, path::PathBuf};

use gix::ObjectId;

use super::keep_file::PackKeep;
use crate::{
    durable::{self, Durability, Part},
    permissions::{make_folders, share},
    temporary::{Folder, Temporary},
};

/// The temporary files of a pack and its index. Dropping it deletes them.
pub(super) struct TmpPack {
    pub pack: Temporary,
    pub index: Temporary,
    _folder: Option<Folder>,
}

impl TmpPack {
    /// Creates two empty files in the object database `objects`.
    pub fn new(objects: &Path) -> io::Result<Self> {
        let home = objects.join("pack");
        fs::create_dir_all(&home)?;
        let (pack, index) = (Temporary::create(&home, "pack")?, Temporary::create(&home, "idx")?);
        Ok(Self { pack, index, _folder: None })
    }

    /// Takes over two files that were written in `folder`.
    pub fn of(pack: PathBuf, index: PathBuf, folder: Folder) -> io::Result<Self> {
        let (pack, index) = (Temporary::found(pack)?, Temporary::found(index)?);
        Ok(Self { pack, index, _folder: Some(folder) })
    }

    /// Makes the objects part of `repo`: renames the pack with this `checksum` to its final name, flushed to disk as
    /// far as `core.fsync` demands, readable for all who share the repository, and protected from being repacked.
    pub fn publish(self, repo: &gix::Repository, checksum: ObjectId) -> io::Result<PackKeep> {
        let home = repo.objects.store_ref().path().join("pack");
        let durability = Durability::of(repo);
        make_folders(repo, &home)?;
        let held = PackKeep::take(&home, checksum)?;
        // The index comes last, as it makes the pack visible.
        for (file, part, end) in [(&self.pack, Part::Pack, "pack"), (&self.index, Part::PackMetadata, "idx")]
        {
            let file = file.path();
            if durability.covers(part) {
                durable::sync_file(file)?;
            }
            read_only(file)?;
            share(repo, file)?;
            let target = home.join(format!("pack-{checksum}.{end}"));
            if !target.exists() {
                fs::rename(file, target)?;
            }
        }
        if durability.covers(Part::Pack) {
            durable::sync_dir(&home)?;
        }
        Ok(held)
    }
}

/// Makes a file read-only, as git does with packs, since they never change.
fn read_only(file: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(file)?.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o444);
    #[cfg(not(unix))]
    permissions.set_readonly(true);
    fs::set_permissions(file, permissions)
}
