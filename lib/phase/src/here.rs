//! The current directory, which may be gone: others have removed it, perhaps while the run went on.
//!
//! Whoever names the repository by its whole path can do without. But gix asks for a current directory whatever it is to
//! open, and takes repositories inside of the work tree for none where there is none. So this process moves then, and
//! what was typed relative to the directory that is gone must not get another meaning by that.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::Fault;

/// Where the repository is looked for when none is named.
pub(crate) const HERE: &str = ".";

/// Whether this process is elsewhere than where it was started.
static MOVED: AtomicBool = AtomicBool::new(false);

/// A path as it was typed, as a whole one.
///
/// # Errors
/// A fault with exit 78 where it is relative to a current directory that is gone, or that is not UTF-8.
pub fn from_here(typed: &Utf8Path) -> Result<Utf8PathBuf, Fault> {
    is_there()?;
    camino::absolute_utf8(typed).map_err(|error| Fault::misconfigured(format!("{typed}: {error}")))
}

/// Makes sure that there is the current directory in which this process was started.
///
/// # Errors
/// A fault with exit 78 where it is gone.
pub fn is_there() -> Result<(), Fault> {
    if MOVED.load(Relaxed) || env::current_dir().is_err() {
        return Err(Fault::misconfigured("the current directory is gone").help("change to one that is there"));
    }
    Ok(())
}

/// Sees to it that this process has a current directory, which is `directory` where its own is gone.
pub(crate) fn have_one(directory: &Utf8Path) {
    if env::current_dir().is_err() && env::set_current_dir(directory).is_ok() {
        MOVED.store(true, Relaxed);
    }
}
