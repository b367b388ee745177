//! Finds the current directory of this process within the working tree.
//!
//! The process that started the run is in that directory, and so are the later phases: if it is removed, what is
//! typed there next fails. Git keeps it too.

use std::path::Path;

use gix::bstr::BString;

/// The path of the current directory in the working tree at `root`; `None` at the root itself and outside it.
pub fn here(root: &Path) -> Option<BString> {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok()?;
    let path = here.strip_prefix(root.canonicalize().ok()?).ok()?;
    let path = gix::path::to_unix_separators_on_windows(gix::path::into_bstr(path).ok()?).into_owned();
    (!path.is_empty()).then_some(path)
}
