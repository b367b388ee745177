//! Lists the paths of a conflict.

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};

use super::entries;
use super::merge::Sides;

/// The paths that conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPaths {
    /// All of them, sorted.
    pub paths: Vec<BString>,
    /// Those that are a file on one side and a directory on the other.
    pub file_and_folder: Vec<BString>,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    Folder,
    Other,
}

impl ConflictPaths {
    /// Returns the conflict of these paths in a merge of `sides`.
    ///
    /// # Errors
    /// A tree cannot be read.
    pub fn of(repo: &gix::Repository, sides: Sides, mut paths: Vec<BString>) -> anyhow::Result<Self> {
        paths.sort();
        paths.dedup();
        let mut file_and_folder = Vec::new();
        for path in &paths {
            let both = (there(repo, sides.ours, path.as_bstr())?, there(repo, sides.theirs, path.as_bstr())?);
            if matches!(both, (There::Folder, There::Other) | (There::Other, There::Folder)) {
                file_and_folder.push(path.clone());
            }
        }
        Ok(Self { paths, file_and_folder })
    }
}

fn there(repo: &gix::Repository, tree: ObjectId, path: &BStr) -> anyhow::Result<There> {
    Ok(match entries::at(repo, tree, path)? {
        None => There::Nothing,
        Some((mode, _)) if mode.is_tree() => There::Folder,
        Some(_) => There::Other,
    })
}
