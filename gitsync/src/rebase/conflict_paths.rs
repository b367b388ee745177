//! Lists the paths of a conflict as the user knows them.
//!
//! If a file is in the way of a directory, a merge renames it to `NAME~HEAD`, and git lists that path. But git has
//! written such a file by then, whereas a replay in memory would name a file that does not exist.

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
    /// Returns the conflict whose unmerged paths, after a merge of `sides`, are `unmerged`.
    ///
    /// # Errors
    /// A tree cannot be read.
    pub fn of(repo: &gix::Repository, sides: Sides, unmerged: Vec<BString>) -> anyhow::Result<Self> {
        let mut paths = Vec::with_capacity(unmerged.len());
        for path in unmerged {
            paths.push(match before_it_was_put_beside(path.as_bstr()) {
                Some(real) if !is_in_any(repo, sides, path.as_bstr())? && is_in_any(repo, sides, real)? => {
                    real.to_owned()
                }
                _ => path,
            });
        }
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

/// Returns the original path, if a merge has appended `~` and a side's name, and perhaps a number, to it.
fn before_it_was_put_beside(path: &BStr) -> Option<&BStr> {
    path.rfind_byte(b'~').filter(|at| *at > 0).map(|at| path[..at].as_bstr())
}

fn is_in_any(
    repo: &gix::Repository,
    Sides { base, ours, theirs }: Sides,
    path: &BStr,
) -> anyhow::Result<bool> {
    for tree in [base, ours, theirs] {
        if there(repo, tree, path)? != There::Nothing {
            return Ok(true);
        }
    }
    Ok(false)
}

fn there(repo: &gix::Repository, tree: ObjectId, path: &BStr) -> anyhow::Result<There> {
    Ok(match entries::at(repo, tree, path)? {
        None => There::Nothing,
        Some((mode, _)) if mode.is_tree() => There::Folder,
        Some(_) => There::Other,
    })
}
