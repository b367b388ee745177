//! The paths of a conflict, as their user knows them.
//!
//! Where a file is in the way of a folder a merge puts it beside, as `NAME~HEAD`, and that is what git lists. But git has
//! written such a file by then. Who replays in memory would name one that is nowhere.

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};

use super::entries;
use super::merge::Sides;

/// The paths on which two sides disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputed {
    /// All of them, sorted.
    pub paths: Vec<BString>,
    /// Those of them at which there is a file on one side, and a folder on the other.
    pub file_and_folder: Vec<BString>,
}

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    Folder,
    Other,
}

impl Disputed {
    /// What is to be told of the paths that a merge of `sides` left unmerged.
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

/// What a path was, should a merge have added `~` and a side's name, and perhaps a number, to it.
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
