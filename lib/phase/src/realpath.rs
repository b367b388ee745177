//! Resolves real paths, in the form that git and its users write.

use std::{io, path::Path};

use camino::Utf8PathBuf;

/// Returns the real path of `path`, which must be UTF-8. On Windows this is a path that other programs accept, rather
/// than the verbatim one (`\\?\C:\...`) that the system returns, wherever there is one.
///
/// # Errors
/// If nothing exists at `path`, it cannot be resolved, or its real path is not UTF-8.
pub fn real_path(path: impl AsRef<Path>) -> io::Result<Utf8PathBuf> {
    let not_utf8 = |path: std::path::PathBuf| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is not a UTF-8 path", path.display()))
    };
    Utf8PathBuf::from_path_buf(dunce::canonicalize(path)?).map_err(not_utf8)
}
