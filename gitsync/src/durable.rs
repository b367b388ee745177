//! What is written is on disk before the next step relies on it, with the permissions that a shared repository asks for.
//!
//! gix flushes nothing. After a power cut a branch could name a commit whose objects are empty files.
//! See <https://git-scm.com/docs/git-config#Documentation/git-config.txt-corefsync>.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

/// From this many files on, one flush of the whole file system is cheaper than one for each of them.
#[cfg(target_os = "linux")]
const MANY: usize = 48;

/// Whether files are flushed: as a rule, yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Flush before going on.
    Flushed,
    /// `core.fsync=none`: leave it to the system.
    Lazy,
}

impl Durability {
    /// What the repository asks for.
    pub fn of(repo: &gix::Repository) -> Self {
        match repo.config_snapshot().string("core.fsync") {
            Some(value) if value == "none" => Durability::Lazy,
            _ => Durability::Flushed,
        }
    }

    /// Flush one open file.
    ///
    /// # Errors
    /// The disk failed, and what was written cannot be relied on.
    pub fn file(self, file: &File) -> io::Result<()> {
        match self {
            Durability::Flushed => file.sync_all(),
            Durability::Lazy => Ok(()),
        }
    }

    /// Flush the names in a folder, where the system can.
    ///
    /// # Errors
    /// The disk failed.
    pub fn folder(self, folder: &Path) -> io::Result<()> {
        match self {
            Durability::Flushed => flush_folder(folder),
            Durability::Lazy => Ok(()),
        }
    }

    /// Flush many files and the folders that hold them, all on the file system of `root`. Files that are gone are not
    /// missed.
    ///
    /// # Errors
    /// The disk failed.
    pub fn batch(self, root: &Path, files: &[PathBuf]) -> io::Result<()> {
        if self == Durability::Lazy || files.is_empty() {
            return Ok(());
        }
        #[cfg(target_os = "linux")]
        if files.len() >= MANY {
            return Ok(rustix::fs::syncfs(File::open(root)?)?);
        }
        let mut folders: Vec<&Path> = vec![root];
        for path in files {
            match File::open(path) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            folders.extend(path.parent());
        }
        folders.sort();
        folders.dedup();
        folders.into_iter().try_for_each(flush_folder)
    }
}

#[cfg(unix)]
fn flush_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems cannot flush a folder, and say so in this way.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

#[cfg(not(unix))]
fn flush_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// The permissions that `core.sharedRepository` asks for, where they differ from those that the file or folder has.
///
/// See <https://git-scm.com/docs/git-config#Documentation/git-config.txt-coresharedRepository>.
#[cfg(unix)]
pub fn shared_mode(repo: &gix::Repository, meta: &Metadata) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    let value = repo.config_snapshot().string("core.sharedRepository")?;
    let has = meta.permissions().mode() & 0o7777;
    let mode = adjust(has, &value.to_string().to_ascii_lowercase(), meta.is_dir())?;
    (mode != has).then(|| Permissions::from_mode(mode))
}

/// Elsewhere files have no such permissions.
#[cfg(not(unix))]
pub fn shared_mode(_repo: &gix::Repository, _meta: &Metadata) -> Option<Permissions> {
    None
}

/// Give `path` the permissions that `core.sharedRepository` asks for.
///
/// # Errors
/// They cannot be changed.
pub fn share(repo: &gix::Repository, path: &Path) -> io::Result<()> {
    match shared_mode(repo, &fs::metadata(path)?) {
        Some(mode) => fs::set_permissions(path, mode),
        None => Ok(()),
    }
}

/// Git's rule: who may read may read, who may write only where the owner may, folders are entered by who may read them
/// and hand their group down.
#[cfg(unix)]
fn adjust(has: u32, value: &str, is_folder: bool) -> Option<u32> {
    let (mut add, exact) = match value {
        "" | "umask" | "false" | "0" | "no" | "off" => return None,
        "group" | "true" | "1" | "yes" | "on" => (0o660, false),
        "all" | "world" | "everybody" | "2" => (0o664, false),
        octal => (u32::from_str_radix(octal, 8).ok().filter(|mode| mode & 0o600 == 0o600)? & 0o666, true),
    };
    if has & 0o200 == 0 {
        add &= !0o222;
    }
    if has & 0o100 != 0 {
        add |= (add & 0o444) >> 2;
    }
    let mode = if exact { (has & !0o777) | add } else { has | add };
    Some(if is_folder { mode | ((mode & 0o444) >> 2) | 0o2000 } else { mode })
}

#[cfg(all(test, unix))]
mod tests {
    use super::adjust;

    #[test]
    fn a_shared_repository_opens_files_to_its_group() {
        assert_eq!(adjust(0o644, "group", false), Some(0o664));
        assert_eq!(adjust(0o444, "group", false), Some(0o444));
        assert_eq!(adjust(0o755, "group", true), Some(0o2775));
        assert_eq!(adjust(0o644, "0640", false), Some(0o640));
        assert_eq!(adjust(0o600, "everybody", false), Some(0o664));
        assert_eq!(adjust(0o644, "umask", false), None);
    }
}
