//! Lets those who may write in a git directory write what is created in it, as `core.sharedRepository` wants it.
//!
//! Under the usual umask, only its maker may write what is created. The second user of a shared repository could then
//! never take the lock.

use std::{
    fs::{self, File, Metadata, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::Path,
};

use rustix::fs::Access;

use super::Dir;

/// What a group, or everybody, needs to be one of those who write in a directory.
const GROUP_WRITES: u32 = 0o020;
const ALL_WRITE: u32 = 0o002;

/// What is passed on to a directory and to a file, from the directory that it is in.
const OF_DIRECTORY: u32 = 0o2077;
const OF_FILE: u32 = 0o066;

/// Gives an open file the rights that users have in the git directory `common_dir`.
///
/// It fails for a file of another user, and where a file system has no such rights; then everything stays as it is.
pub fn share(made: &File, common_dir: &Path) {
    if let Some(theirs) = shared(common_dir) {
        pass_on(&theirs, made);
    }
}

/// Gives the directory at `made` the rights that users have in `common_dir`; see [`share`].
pub fn share_directory(made: &Path, common_dir: &Path) {
    // A link that somebody put in its place meanwhile is not followed.
    if let Some(theirs) = shared(common_dir)
        && let Ok(dir) = Dir::open(made)
    {
        pass_on(&theirs, &dir.handle);
    }
}

/// Whether this user may write the file or directory at `path`. What cannot be examined counts as writable.
pub fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, Access::WRITE_OK) != Err(rustix::io::Errno::ACCESS)
}

/// Returns the metadata of the git directory if others than its owner may write in it.
fn shared(common_dir: &Path) -> Option<Metadata> {
    fs::metadata(common_dir).ok().filter(|found| found.mode() & (GROUP_WRITES | ALL_WRITE) != 0)
}

fn pass_on(theirs: &Metadata, made: &File) {
    let Ok(own) = made.metadata() else { return };
    let relevant = if own.is_dir() { OF_DIRECTORY } else { OF_FILE };
    let mode = own.mode() & 0o7777;
    let wanted = mode | (rights(theirs, has_group_of(theirs, made, &own)) & relevant);
    if wanted != mode {
        // If this fails, a user who lacks the rights is told so.
        let _ = made.set_permissions(Permissions::from_mode(wanted));
    }
}

/// Returns the bits to add, for a file that belongs to the directory's group or to another.
fn rights(theirs: &Metadata, has_their_group: bool) -> u32 {
    let mode = theirs.mode();
    let group = if has_their_group && mode & GROUP_WRITES != 0 { mode & 0o2070 } else { 0 };
    // Whoever is in the file's group has the group's rights only, even where everybody has more.
    let all = if mode & ALL_WRITE != 0 { (mode & 0o007) | (mode & 0o007) << 3 } else { 0 };
    group | all
}

/// Whether the file belongs to the directory's group. Without the set-group-ID bit, it got its maker's own group, who
/// have nothing to do with the repository.
fn has_group_of(theirs: &Metadata, made: &File, own: &Metadata) -> bool {
    own.gid() == theirs.gid() || fchown(made, None, Some(theirs.gid())).is_ok()
}
