//! Files that appear whole, and are on the disk before anybody relies on them.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{ErrorKind, Result, Write as _},
};

use camino::Utf8Path;

/// Writes a file anew, and has its content on the disk.
pub(crate) fn write_whole(path: &Utf8Path, bytes: &[u8], permissions: Option<Permissions>) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.sync_all()
}

/// Gives `new` the name `target` where nothing has that; false where something does. It may keep its own name too.
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

/// Moves `new` to where `target` is, in one step.
pub(crate) fn replace(new: &Utf8Path, target: &Utf8Path) -> Result<()> {
    std::fs::rename(new, target)?;
    sync_folder_of(target)
}

/// Gives a file a second name, under which it stays when the first is given to another; false where that name is taken.
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

/// Has the names of the files in a file's folder on the disk, where the platform can.
fn sync_folder_of(file: &Utf8Path) -> Result<()> {
    match file.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
