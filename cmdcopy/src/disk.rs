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
        Err(_) => std::fs::rename(new, target)?,
    }
    sync_folder_of(target)?;
    Ok(true)
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
