//! Creates a file that is to be moved to another directory later, on the disk close to that directory's files.
//!
//! File systems place a file near its directory, and look for free space there first. If all new files of all updates
//! were created in one directory, they would lie close together, far from their later neighbours, and compete for
//! space in the same crowded area.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use gix::index::entry::Mode;
use gix::index::fs::Metadata;

use super::disk::Found;

/// Whether the location of files matters on the file system of `folder`; in memory it does not.
#[cfg(target_os = "linux")]
pub fn place_matters(folder: &Path) -> bool {
    /// The kernel's magic number for file systems in memory; see `statfs(2)`.
    const TMPFS: u64 = 0x0102_1994;
    #[allow(clippy::unnecessary_cast, reason = "its type differs between architectures")]
    rustix::fs::statfs(folder).is_ok_and(|system| system.f_type as u64 != TMPFS)
}

/// On other systems nothing can be done about the location.
#[cfg(not(target_os = "linux"))]
pub fn place_matters(_folder: &Path) -> bool {
    false
}

/// Writes the new file `to`, which must not exist, and returns its stat data. If `near` is given, the file is placed
/// on the disk near the files of that directory.
///
/// # Errors
/// It cannot be written. `to` may exist then.
pub fn create(data: &[u8], mode: Mode, to: &Path, near: Option<&Path>) -> io::Result<Found> {
    let permissions = if mode == Mode::FILE_EXECUTABLE { 0o777 } else { 0o666 };
    #[cfg(target_os = "linux")]
    if let Some(mut file) = near.and_then(|folder| unnamed(folder, permissions)) {
        file.write_all(data)?;
        let found = Found::new(&Metadata::from_file(&file)?)?;
        if name(&file, to).is_ok() {
            return Ok(found);
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, permissions);
    #[cfg(not(target_os = "linux"))]
    let _ = (near, permissions);
    let mut file = options.open(to)?;
    file.write_all(data)?;
    Found::new(&Metadata::from_file(&file)?)
}

/// Opens an unnamed file in `folder`; `None` if the directory does not exist yet, or its file system does not support
/// this.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path, permissions: u32) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::open(folder, flags, Mode::from_raw_mode(permissions)).ok().map(File::from)
}

/// Gives an unnamed file a name.
#[cfg(target_os = "linux")]
fn name(file: &File, to: &Path) -> rustix::io::Result<()> {
    use std::os::fd::AsRawFd as _;
    let by_number = format!("/proc/self/fd/{}", file.as_raw_fd());
    let through_it = rustix::fs::AtFlags::SYMLINK_FOLLOW;
    rustix::fs::linkat(rustix::fs::CWD, by_number, rustix::fs::CWD, to, through_it)
}
