//! Real paths, in the form that git and its users write.

use std::{io, path::Path};

use camino::Utf8PathBuf;

/// The real path of what is at `path`, which must be UTF-8. On Windows it is one that other programs take, not the
/// verbatim one (`\\?\C:\...`) that the system answers with, wherever there is such a one.
///
/// # Errors
/// Nothing is there, it cannot be looked up, or its real path is not UTF-8.
pub fn real_path(path: impl AsRef<Path>) -> io::Result<Utf8PathBuf> {
    let not_utf8 = |path: std::path::PathBuf| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is not a UTF-8 path", path.display()))
    };
    Utf8PathBuf::from_path_buf(dunce::canonicalize(path)?).map_err(not_utf8)
}
