//! The current directory of this process, where it lies in the work tree.
//!
//! Whoever started the run is there, and the phases after it as well: in a folder that is gone, what is typed next has
//! no meaning any more. Git keeps it too.

use std::path::Path;

use gix::bstr::BString;

/// The path of the current directory in the work tree at `root`; `None` at the root itself and outside of it.
pub fn here(root: &Path) -> Option<BString> {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok()?;
    let path = here.strip_prefix(root.canonicalize().ok()?).ok()?;
    let path = gix::path::to_unix_separators_on_windows(gix::path::into_bstr(path).ok()?).into_owned();
    (!path.is_empty()).then_some(path)
}
