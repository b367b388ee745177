//! Sets the permissions of files and directories in a repository that several users share.
//!
//! If only its creator could write a ref or a directory, the next fetch of every other user would fail. See
//! <https://git-scm.com/docs/git-config#Documentation/git-config.txt-coresharedRepository>.

use std::{
    fs::{self, Metadata, Permissions},
    io,
    path::Path,
};

/// Returns the permissions that `core.sharedRepository` demands, if they differ from those of the file or directory.
#[cfg(unix)]
#[must_use]
pub fn shared_mode(repo: &gix::Repository, meta: &Metadata) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    let value = asked_for(repo)?;
    let has = meta.permissions().mode() & 0o7777;
    let mode = adjust(has, &value.to_ascii_lowercase(), meta.is_dir())?;
    (mode != has).then(|| Permissions::from_mode(mode))
}

/// Other systems have no such permissions.
#[cfg(not(unix))]
#[must_use]
pub fn shared_mode(_repo: &gix::Repository, _meta: &Metadata) -> Option<Permissions> {
    None
}

/// Gives `path` the permissions that `core.sharedRepository` demands.
///
/// # Errors
///
/// If they cannot be changed.
pub fn share(repo: &gix::Repository, path: &Path) -> io::Result<()> {
    // Most repositories are not shared, and nothing needs to be checked.
    if asked_for(repo).is_none() {
        return Ok(());
    }
    match shared_mode(repo, &fs::metadata(path)?) {
        Some(mode) => fs::set_permissions(path, mode),
        None => Ok(()),
    }
}

/// Returns the value of `core.sharedRepository`.
fn asked_for(repo: &gix::Repository) -> Option<String> {
    repo.config_snapshot().string("core.sharedRepository").map(|value| value.to_string())
}

/// Creates the directory `path` and its missing parents, each shared as configured.
pub(crate) fn make_folders(repo: &gix::Repository, path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Ok(()) => share(repo, path),
        Err(_) if path.is_dir() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folders(repo, path.parent().ok_or(error)?)?;
            match fs::create_dir(path) {
                Ok(()) => share(repo, path),
                Err(_) if path.is_dir() => Ok(()),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Computes a mode by git's rules: readers and writers are added as configured, writers only if the owner may write;
/// directories may be entered by whoever may read them, and pass their group on.
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
