//! Writes files such that they appear complete, and are flushed before anything relies on them.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{ErrorKind, Result, Write as _},
};

use camino::Utf8Path;

/// Writes a new file, or overwrites an old one, and flushes its content.
pub(crate) fn write_whole(path: &Utf8Path, bytes: &[u8], permissions: Option<Permissions>) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.sync_all()
}

/// Gives `new` the name `target`; returns false if that exists already. The file may keep its old name too.
pub(crate) fn appear(new: &Utf8Path, target: &Utf8Path) -> Result<bool> {
    match std::fs::hard_link(new, target) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        // Some file systems have no hard links.
        Err(_) => match move_new(new, target) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            result => result?,
        },
    }
    sync_folder_of(target)?;
    Ok(true)
}

/// Renames `new` to `target`.
///
/// # Errors
/// `AlreadyExists` if there is something at `target`. Where the system cannot rename without replacing, something that
/// appears at the very moment of the rename is not noticed.
fn move_new(new: &Utf8Path, target: &Utf8Path) -> Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, new.as_std_path(), CWD, target.as_std_path(), RenameFlags::NOREPLACE) {
            // The kernel or the file system does not support it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            result => return Ok(result?),
        }
    }
    match target.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => std::fs::rename(new, target),
        Err(error) => Err(error),
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
    }
}

/// Renames `new` to `target`, replacing that atomically.
pub(crate) fn replace(new: &Utf8Path, target: &Utf8Path) -> Result<()> {
    std::fs::rename(new, target)?;
    sync_folder_of(target)
}

/// Gives a file a second name that it keeps when the first one is replaced, as a hard link or else a copy; returns
/// false if that name exists.
pub(crate) fn also_as(file: &Utf8Path, name: &Utf8Path) -> Result<bool> {
    match std::fs::hard_link(file, name) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(_) => match OpenOptions::new().write(true).create_new(true).open(name) {
            Ok(mut copy) => {
                copy.write_all(&std::fs::read(file)?)?;
                copy.set_permissions(file.metadata()?.permissions())?;
                copy.sync_all()?;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error),
        },
    }
    sync_folder_of(name)?;
    Ok(true)
}

/// Flushes the directory entries next to a file, if the platform supports that.
fn sync_folder_of(file: &Utf8Path) -> Result<()> {
    match file.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_already_is_not_replaced_by_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let (new, target) = (folder.join("new"), folder.join("target"));
        write_whole(&new, b"new", None).unwrap();
        write_whole(&target, b"the user's", None).unwrap();
        assert!(!appear(&new, &target).unwrap());
        assert_eq!(move_new(&new, &target).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&target).unwrap(), b"the user's");
        std::fs::remove_file(&target).unwrap();
        move_new(&new, &target).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert!(!new.exists());
    }
}
