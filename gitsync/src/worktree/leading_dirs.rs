//! Opens the directories that lead to a file, checks that each is a real one, and keeps them open while files in them
//! are changed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use gix::bstr::{BStr, BString, ByteSlice};

use super::current_dir::here;
use super::dir::Folder;
use super::disk::parents;

/// The root directory of the working tree, and the open directories below it.
pub struct LeadingDirs {
    root: Folder,
    /// From the root on, each inside the one before it.
    open: Vec<Step>,
    /// Directories that are not removed even when they become empty.
    staying: BTreeSet<BString>,
}

struct Step {
    name: BString,
    folder: Folder,
}

/// Where a file belongs.
pub enum Place<'a> {
    /// In this directory.
    In(&'a Folder),
    /// Nowhere, since this parent of it is missing, a symbolic link, or a file.
    Blocked(BString),
}

impl LeadingDirs {
    /// Starts at the directory `root`. The current directory is never removed.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn from(root: &Path) -> anyhow::Result<Self> {
        let folder = Folder::root(root).with_context(|| format!("cannot open {}", root.display()))?;
        Ok(LeadingDirs { root: folder, open: Vec::new(), staying: here(root).into_iter().collect() })
    }

    /// Protects the directories `paths` from removal too.
    pub fn keeping(mut self, paths: impl IntoIterator<Item = BString>) -> Self {
        self.staying.extend(paths);
        self
    }

    /// Closes all directories, so that they are opened again from the root the next time.
    pub fn forget(&mut self) {
        self.open.clear();
    }

    /// Opens the directory that `path` is in.
    ///
    /// # Errors
    /// It cannot be opened, for example for lack of permission; the error names the path.
    pub fn to(&mut self, path: &BStr) -> anyhow::Result<Place<'_>> {
        let names = || path.rsplit_once_str("/").into_iter().flat_map(|(folder, _)| folder.split_str("/"));
        let shared = names().zip(&self.open).take_while(|(name, step)| **name == **step.name).count();
        self.open.truncate(shared);
        for (depth, name) in names().enumerate().skip(shared) {
            let here = self.open.last().map_or(&self.root, |step| &step.folder);
            match here.child(&os(name)?).with_context(|| format!("cannot open the folder of {path}"))? {
                Some(folder) => self.open.push(Step { name: name.into(), folder }),
                None => {
                    let parent = parents(path).nth(depth).unwrap_or(path);
                    return Ok(Place::Blocked(parent.to_owned()));
                }
            }
        }
        Ok(Place::In(self.open.last().map_or(&self.root, |step| &step.folder)))
    }

    /// Removes the directory `path` if it exists, is empty, and is not protected. Returns whether it did.
    pub fn remove_folder(&mut self, path: &BStr) -> bool {
        if self.staying.contains(path.as_bytes()) {
            return false;
        }
        let (Ok(name), Ok(Place::In(folder))) = (name_of(path), self.to(path)) else { return false };
        folder.remove_folder(&name).is_ok()
    }

    /// Removes the parent directories of `path` that have become empty, innermost first.
    pub fn remove_empty_parents(&mut self, path: &BStr) {
        for parent in parents(path).rev() {
            if !self.remove_folder(parent) {
                break;
            }
        }
    }
}

/// The last component of `path`.
///
/// # Errors
/// It is not a valid name on this system.
pub fn name_of(path: &BStr) -> anyhow::Result<OsString> {
    os(path.rsplit_once_str("/").map_or(path.as_bytes(), |(_, name)| name))
}

fn os(name: &[u8]) -> anyhow::Result<OsString> {
    let name = gix::path::from_bstr(name.as_bstr())
        .with_context(|| format!("{} is no name on this system", name.as_bstr()))?;
    Ok(name.into_owned().into_os_string())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;

    use super::*;

    #[test]
    fn a_link_and_a_file_are_no_way() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("real/inner")).unwrap();
        fs::write(directory.path().join("real/inner/file"), "").unwrap();
        std::os::unix::fs::symlink("real", directory.path().join("link")).unwrap();
        let mut way = LeadingDirs::from(directory.path()).unwrap();
        let mut blocked = |path: &str| match way.to(path.into()).unwrap() {
            Place::In(_) => None,
            Place::Blocked(parent) => Some(parent.to_string()),
        };
        assert_eq!(blocked("real/inner/file"), None);
        assert_eq!(blocked("link/inner/file").as_deref(), Some("link"));
        assert_eq!(blocked("real/inner/file/below/it").as_deref(), Some("real/inner/file"));
        assert_eq!(blocked("real/none/file").as_deref(), Some("real/none"));
    }

    #[test]
    fn a_folder_that_is_held_open_stays_itself_when_another_takes_its_name() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("folder")).unwrap();
        fs::create_dir_all(directory.path().join("elsewhere")).unwrap();
        let mut way = LeadingDirs::from(directory.path()).unwrap();
        let Place::In(folder) = way.to("folder/file".into()).unwrap() else { panic!("it is there") };
        fs::rename(directory.path().join("folder"), directory.path().join("moved")).unwrap();
        std::os::unix::fs::symlink("elsewhere", directory.path().join("folder")).unwrap();
        folder.make(OsStr::new("made")).unwrap();
        assert!(directory.path().join("moved/made").is_dir());
        assert!(!directory.path().join("elsewhere/made").exists());
    }
}
