//! A pack off the wire into the object database: complete, checked and on the disk before anything can name its
//! objects, or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use gix::odb::pack;

use crate::durable::{self, Durability, Part};

/// A pack that was received, still outside of the object database. Dropping it deletes it.
pub(super) struct Received {
    /// How many objects it has.
    pub objects: u64,
    files: Option<(PathBuf, PathBuf)>,
    outside: Outside,
}

/// Reads a pack, completes it if it is thin, and indexes it.
pub(super) fn receive(
    repo: &gix::Repository,
    stream: &mut dyn io::BufRead,
    progress: &mut dyn gix::DynNestedProgress,
    interrupt: &AtomicBool,
) -> gix::Result<Received> {
    let outside = Outside::new(repo.objects.store_ref().path()).map_err(gix::Error::from_error)?;
    let written = pack::Bundle::write_to_directory(
        stream,
        Some(&outside.0),
        progress,
        interrupt,
        Some(repo.objects.clone()),
        repo.object_hash(),
        pack::bundle::write::Options::default(),
    )?;
    Ok(Received {
        objects: u64::from(written.index.num_objects),
        files: written.data_path.zip(written.index_path),
        outside,
    })
}

impl Received {
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
struct Outside(PathBuf);

impl Outside {
    fn new(objects: &Path) -> io::Result<Self> {
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
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
