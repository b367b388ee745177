//! Packs that `git repack -a -d` leaves alone, because somebody holds them.
//!
//! Whoever repacks throws away the packs that were there at the beginning, with all in them to which no ref leads. What
//! has just arrived or been made has no ref yet, and is none the less about to get one. So a file beside the pack says
//! that it is to stay, as git's own `index-pack --keep` leaves one until `fetch` and `receive-pack` have written their
//! refs. See <https://git-scm.com/docs/git-index-pack#Documentation/git-index-pack.txt---keepltmsggt>.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use gix::ObjectId;

use crate::{local_ref::machine, temporary};

/// What such files end with.
const KEEP: &str = "keep";
/// What ours say, before the machine on which they were made.
const OURS: &str = "lockstep ";

/// Holds on to a pack until it is dropped, which is to be once a ref leads to what is in it.
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
    /// Holds the pack with this `checksum` in the folder `home`, which need not have it yet. Where somebody else
    /// holds it, that is left to them.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
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
        // What cannot be removed now is swept by a later run.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether `path` is such a file that this program made on this machine. One with nothing in it is somebody else's: people
/// make such by hand for packs that are to stay for good.
pub(crate) fn is_ours(path: &Path) -> bool {
    let is_keep = path.extension().is_some_and(|extension| extension == KEEP);
    let says = || fs::read_to_string(path).ok();
    is_keep && says().is_some_and(|text| text.strip_prefix(OURS).is_some_and(machine::is_our_mark))
}
