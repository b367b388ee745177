//! Keeps a fetch from a shallow repository from cutting off the history that is here.
//!
//! The server of a shallow repository says at which commits its history ends. gix takes these for the ends of the
//! history here too: whatever comes before them would no longer be seen, and `git gc` would delete it. Git takes over
//! no such end unless it is told to, see `--update-shallow` of <https://git-scm.com/docs/git-fetch>. So gix gets a copy
//! of the file in which the ends are noted, and what is received has to be complete with the ends that were known here.

use std::{fs, io, path::PathBuf};

use gix::{ObjectId, protocol::fetch::response::ShallowUpdate};
use store::temporary::Folder;

/// Whether the history that a server sent ends where it does not end here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ends {
    /// It does not, as far as the server says.
    #[default]
    Known,
    /// The remote is a shallow repository.
    CutOff,
}

/// A copy of the file with the ends of this repository's history. Dropping it deletes it.
pub(super) struct ShallowCopy {
    folder: Folder,
    own: Vec<ObjectId>,
}

impl ShallowCopy {
    /// Makes the copy; there is no such file if the repository is not shallow.
    pub fn of(repo: &gix::Repository) -> gix::Result<Self> {
        let folder = Folder::new(repo.objects.store_ref().path()).map_err(gix::Error::from_error)?;
        let own = repo.shallow_commits()?.map_or_else(Vec::new, |own| own.iter().copied().collect());
        let copy = Self { folder, own };
        match fs::copy(repo.shallow_file()?, copy.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(gix::Error::from_error(error)),
            Ok(_) | Err(_) => Ok(copy),
        }
    }

    /// The path of the copy.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("shallow")
    }

    /// Compares what the server said with what was known here.
    pub fn ends(&self, said: &[ShallowUpdate]) -> Ends {
        let is_new =
            |update: &ShallowUpdate| matches!(update, ShallowUpdate::Shallow(id) if !self.own.contains(id));
        if said.iter().any(is_new) { Ends::CutOff } else { Ends::Known }
    }
}
