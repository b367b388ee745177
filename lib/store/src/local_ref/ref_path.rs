//! Locates the file of a ref, and finds other refs whose names conflict with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    bstr::ByteSlice as _,
    refs::{FullName, FullNameRef, Target},
};

use super::{RefError, packed::Packed};

/// The refs that each worktree has of its own, see <https://git-scm.com/docs/git-worktree#_refs>.
const PRIVATE: [&str; 3] = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"];

/// The location of the file of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefPath {
    /// The git directory of the repository or of its worktree.
    pub base: PathBuf,
    /// The path below it.
    pub name: PathBuf,
}

/// The content of a loose ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Loose {
    /// There is no such file; the ref may be packed.
    Absent,
    /// An object id.
    Object(ObjectId),
    /// The name of another ref.
    Symbolic,
}

impl RefPath {
    pub fn of(repo: &gix::Repository, name: &FullNameRef) -> Result<Self, RefError> {
        let text = name.as_bstr();
        let is_private = !text.contains(&b'/') || PRIVATE.iter().any(|prefix| text.starts_with_str(prefix));
        let base = if is_private { repo.git_dir() } else { repo.common_dir() };
        let path = gix::path::from_bstr(text).map_err(|error| RefError::doing(text.to_string(), error))?;
        Ok(Self { base: base.to_owned(), name: path.into_owned() })
    }

    pub fn file(&self) -> PathBuf {
        self.base.join(&self.name)
    }

    /// Reads the file of the ref.
    pub fn read(&self, repo: &gix::Repository, name: &FullNameRef) -> Result<Loose, RefError> {
        let path = self.file();
        let reading = || format!("cannot read {}", path.display());
        let content = match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_symlink() => return Ok(Loose::Symbolic),
            Ok(meta) if meta.is_dir() => return Ok(Loose::Absent),
            Err(error) if super::claim::is_missing(&error) => return Ok(Loose::Absent),
            Ok(_) => fs::read(&path).map_err(|error| RefError::doing(reading(), error))?,
            Err(error) => return Err(RefError::doing(reading(), error)),
        };
        let parsed =
            gix::refs::file::loose::Reference::try_from_path(name.to_owned(), &content, repo.object_hash());
        Ok(match parsed.map_err(|error| RefError::doing(reading(), error))?.target {
            Target::Object(id) => Loose::Object(id),
            Target::Symbolic(_) => Loose::Symbolic,
        })
    }

    /// Returns another ref whose name conflicts with `name`, as a file and a directory of the same name do.
    pub fn taken_by(
        &self,
        repo: &gix::Repository,
        packed: &mut Packed,
        name: &FullNameRef,
    ) -> Result<Option<FullName>, RefError> {
        let looking = || format!("cannot look for refs in the way of {}", name.as_bstr());
        let text = name.as_bstr();
        for end in text.find_iter("/").skip(1) {
            let Ok(above) = FullName::try_from(text[..end].as_bstr()) else { continue };
            let loose = fs::symlink_metadata(RefPath::of(repo, above.as_ref())?.file());
            let is_loose = loose.is_ok_and(|meta| !meta.is_dir());
            if is_loose
                || packed.find(repo, above.as_ref()).map_err(|e| RefError::doing(looking(), e))?.is_some()
            {
                return Ok(Some(above));
            }
        }
        if let Some(below) = first_file(&self.file()).map_err(|error| RefError::doing(looking(), error))? {
            return Ok(Some(self.name_of(&below).unwrap_or_else(|| name.to_owned())));
        }
        packed.below(repo, name).map_err(|error| RefError::doing(looking(), error))
    }

    /// Returns the name of the ref that a file belongs to.
    fn name_of(&self, file: &Path) -> Option<FullName> {
        let name = gix::path::into_bstr(file.strip_prefix(&self.base).ok()?).ok()?;
        FullName::try_from(gix::path::to_unix_separators_on_windows(name).as_ref()).ok()
    }
}

/// Returns a file in a directory, at any depth, that is not a lock file; `None` if `folder` is not a directory.
fn first_file(folder: &Path) -> io::Result<Option<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if super::claim::is_missing(&error) => return Ok(None),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = first_file(&path)? {
                return Ok(Some(found));
            }
        } else if path.extension().is_none_or(|extension| extension != "lock") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
