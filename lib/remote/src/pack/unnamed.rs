//! A pack and its index under names that nobody reads yet.
//!
//! Were they written under their own names, a reader could find half of them. They lie in the folder where they are to
//! be, as git's own do while it writes them: a folder of their own would have to be made, flushed and removed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use gix::ObjectId;

use crate::durable::{self, Durability, Part};

/// Where a pack and its index are written. Dropping it deletes them.
pub(super) struct Unnamed {
    pub pack: PathBuf,
    pub index: PathBuf,
    _folder: Option<Folder>,
}

impl Unnamed {
    /// Two files in the object database `objects`, not made yet. Their names are such as `git gc` recognises and
    /// removes, should we die.
    pub fn new(objects: &Path) -> io::Result<Self> {
        let home = objects.join("pack");
        fs::create_dir_all(&home)?;
        let random = random();
        let file = |kind: &str| home.join(format!("tmp_{kind}_{random:016x}"));
        Ok(Self { pack: file("pack"), index: file("idx"), _folder: None })
    }

    /// Two files that were made in `folder`.
    pub fn of(pack: PathBuf, index: PathBuf, folder: Folder) -> Self {
        Self { pack, index, _folder: Some(folder) }
    }

    /// Makes the objects part of the object database `objects`: the pack with this `checksum` gets its name, on the
    /// disk as far as `durability` promises it.
    pub fn publish(self, objects: &Path, checksum: ObjectId, durability: Durability) -> io::Result<()> {
        let home = objects.join("pack");
        fs::create_dir_all(&home)?;
        // The index last: it is what makes the pack visible.
        for (file, part, end) in [(&self.pack, Part::Pack, "pack"), (&self.index, Part::PackMetadata, "idx")]
        {
            if durability.covers(part) {
                durable::sync_file(file)?;
            }
            read_only(file)?;
            let target = home.join(format!("pack-{checksum}.{end}"));
            if !target.exists() {
                fs::rename(file, target)?;
            }
        }
        if durability.covers(Part::Pack) { durable::sync_dir(&home) } else { Ok(()) }
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        for file in [&self.pack, &self.index] {
            let _ = fs::remove_file(file);
        }
    }
}

/// A folder for a writer that gives its files their names itself. Its own name, too, is one that `git gc` removes.
/// Dropping it deletes it.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes it in the object database `objects`.
    pub fn new(objects: &Path) -> io::Result<Self> {
        let path = objects.join(format!("tmp_objdir-incoming-{:016x}", random()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
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

fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
