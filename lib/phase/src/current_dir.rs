//! Handles a current directory that no longer exists, because it was removed, possibly during the run.
//!
//! A user who names the repository by its absolute path does not need a current directory. But gix asks for one
//! whatever it opens, and without one it does not recognise repositories inside the working tree. So this process
//! then changes to an existing directory, and paths relative to the removed directory must not get another meaning by
//! that.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::Fault;

/// Where the repository is looked for if none is named.
pub(crate) const HERE: &str = ".";

/// Whether this process has changed to another directory than it was started in.
static MOVED: AtomicBool = AtomicBool::new(false);

/// Makes a path from the command line absolute.
///
/// # Errors
/// A fault with exit 78 if it is relative to a current directory that no longer exists or that is not UTF-8.
pub fn from_here(typed: &Utf8Path) -> Result<Utf8PathBuf, Fault> {
    is_there()?;
    camino::absolute_utf8(typed).map_err(|error| Fault::misconfigured(format!("{typed}: {error}")))
}

/// Checks that the directory in which this process was started still exists.
///
/// # Errors
/// A fault with exit 78 if it does not.
pub fn is_there() -> Result<(), Fault> {
    if MOVED.load(Relaxed) || env::current_dir().is_err() {
        return Err(Fault::misconfigured("the current directory is gone").help("change to one that is there"));
    }
    Ok(())
}

/// Changes to `directory` if the current directory no longer exists.
pub(crate) fn have_one(directory: &Utf8Path) {
    if env::current_dir().is_err() && env::set_current_dir(directory).is_ok() {
        MOVED.store(true, Relaxed);
    }
}
