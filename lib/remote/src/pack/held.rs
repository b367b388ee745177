//! Keeps new packs from being removed by `git repack -a -d`, by means of git's `.keep` files.
//!
//! `git repack -a -d` removes the packs that existed when it began, with all objects in them that are not reachable
//! from any ref. A pack that has just been received or written has no ref yet, but is about to get one. A `.keep`
//! file beside it protects it, as the one that git's own `index-pack --keep` leaves until `fetch` and `receive-pack`
//! have updated their refs. See
//! <https://git-scm.com/docs/git-index-pack#Documentation/git-index-pack.txt---keepltmsggt>.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use gix::ObjectId;

use crate::{local_ref::machine, temporary};

/// The extension of these files.
const KEEP: &str = "keep";
/// What our files contain, followed by the mark of the machine on which they were made.
const OURS: &str = "lockstep ";

/// Protects a pack until it is dropped, which should be after a ref points to its objects.
#[derive(Debug, Default)]
#[must_use]
pub struct Held {
    _keeping: Option<Keeping>,
}

#[derive(Debug)]
struct Keeping {
    path: PathBuf,
    /// Locked by the kernel for as long as it is open.
    _file: File,
}

impl Held {
    /// Protects the pack with this `checksum` in the directory `home`; the pack need not be there yet. If another
    /// process already protects it, the `.keep` file is left to that process.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn take(home: &Path, checksum: ObjectId) -> io::Result<Self> {
        let path = home.join(format!("pack-{checksum}.{KEEP}"));
        loop {
            match temporary::create_locked(&path) {
                Ok(Some(mut file)) => {
                    write!(file, "{OURS}{}", machine::mark())?;
                    return Ok(Self { _keeping: Some(Keeping { path, _file: file }) });
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Self::default()),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        // A file that cannot be removed now is removed by a later run.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether `path` is a `.keep` file that this program made on this machine. An empty one is not ours: users create
/// such files by hand for packs that are to be kept permanently.
pub(crate) fn is_ours(path: &Path) -> bool {
    let is_keep = path.extension().is_some_and(|extension| extension == KEEP);
    let says = || fs::read_to_string(path).ok();
    is_keep && says().is_some_and(|text| text.strip_prefix(OURS).is_some_and(machine::is_our_mark))
}
