//! What becomes of new files in a folder that the other side renamed.
//!
//! `merge.directoryRenames` says whether they move along, stay, or are asked about. The merge itself must not decide:
//! it would move some of them, without a word, whatever the user wants. So each side is given to it with its orphans
//! where they belong already, or, where they are to stay, in a folder that the merge knows nothing of.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::diff::Rewrites;

use super::alive::Alive;
use super::entries;
use super::merge::Sides;
use super::moved_folders::{self, Home, Orphan};
use crate::tree::canonical;

/// Both sides of a merge, without orphans.
#[derive(Debug)]
pub struct Settled {
    /// What is merged into.
    pub ours: ObjectId,
    /// What is merged.
    pub theirs: ObjectId,
    /// The paths about which somebody has to decide, whatever the merge says.
    pub disputed: Vec<BString>,
    /// The folder, with a slash, in which files lie that are to stay.
    aside: BString,
}

/// Moves the orphans of both sides to where they are to be.
///
/// # Errors
/// A tree cannot be read or written.
pub fn settle(objects: &Alive<'_>, sides: Sides, rewrites: Option<Rewrites>) -> anyhow::Result<Settled> {
    let repo = objects.repo;
    let Sides { base, ours, theirs } = sides;
    let mut settled = Settled { ours, theirs, disputed: Vec::new(), aside: BString::default() };
    let Some(rewrites) = rewrites else { return Ok(settled) };
    let wish = Wish::of(repo);
    let of_ours = moved_folders::orphans(objects, base, theirs, ours, rewrites)?;
    let of_theirs = moved_folders::orphans(objects, base, ours, theirs, rewrites)?;
    if of_ours.is_empty() && of_theirs.is_empty() {
        return Ok(settled);
    }
    settled.aside = unused_folder(repo, sides)?;
    settled.ours = settled.side(repo, ours, theirs, &of_ours, wish)?;
    settled.theirs = settled.side(repo, theirs, ours, &of_theirs, wish)?;
    Ok(settled)
}

/// What `merge.directoryRenames` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Move,
    Ask,
    Leave,
}

impl Wish {
    fn of(repo: &gix::Repository) -> Self {
        match repo.config_snapshot().boolean("merge.directoryRenames") {
            Some(true) => Wish::Move,
            Some(false) => Wish::Leave,
            // `conflict`, which is no boolean and what git does unless it is told otherwise.
            None => Wish::Ask,
        }
    }
}

impl Settled {
    /// The path as the user knows it.
    pub fn real_path(&self, path: BString) -> BString {
        match path.strip_prefix(self.aside.as_bytes()) {
            Some(real) if !self.aside.is_empty() => real.into(),
            _ => path,
        }
    }

    /// The merged tree, with the files that were to stay where they were.
    ///
    /// # Errors
    /// A tree cannot be read or written.
    pub fn put_back(&self, repo: &gix::Repository, merged: ObjectId) -> anyhow::Result<ObjectId> {
        let Some(folder) = self.aside.strip_suffix(b"/") else { return Ok(merged) };
        let Some((_, aside)) = entries::at(repo, merged, folder.as_bstr())? else { return Ok(merged) };
        let mut editor = repo.edit_tree(merged)?;
        editor.remove(folder.as_bstr())?;
        for file in repo.find_tree(aside)?.traverse().breadthfirst.files()? {
            if !file.mode.is_tree() {
                editor.upsert(file.filepath.as_bstr(), file.mode.kind(), file.oid)?;
            }
        }
        Ok(editor.detach().write(|tree| canonical::write(repo, tree))?)
    }

    /// The tree of one side, which is `adding`, with its orphans moved.
    fn side(
        &mut self,
        repo: &gix::Repository,
        adding: ObjectId,
        renaming: ObjectId,
        orphans: &[Orphan],
        wish: Wish,
    ) -> anyhow::Result<ObjectId> {
        let mut coming: HashMap<&BString, usize> = HashMap::new();
        for orphan in orphans {
            if let Home::At(home) = &orphan.home {
                *coming.entry(home).or_default() += 1;
            }
        }
        let mut editor = repo.edit_tree(adding)?;
        for Orphan { path, home } in orphans {
            let Some((mode, id)) = entries::at(repo, adding, path.as_bstr())? else { continue };
            let to = match (wish, home) {
                (Wish::Leave, _) | (_, Home::Here) => {
                    // A file in the place of its folder is a conflict that the merge finds.
                    if is_taken(repo, renaming, path.as_bstr())? {
                        continue;
                    }
                    [self.aside.as_slice(), path.as_slice()].concat().into()
                }
                (Wish::Move | Wish::Ask, Home::Unclear) => {
                    self.disputed.push(path.clone());
                    continue;
                }
                (Wish::Move | Wish::Ask, Home::At(home)) => {
                    let is_free = coming.get(home) == Some(&1) && !is_taken(repo, adding, home.as_bstr())?;
                    if wish == Wish::Ask || !is_free {
                        self.disputed.push(home.clone());
                    }
                    if !is_free {
                        continue;
                    }
                    home.clone()
                }
            };
            editor.remove(path.as_bstr())?;
            editor.upsert(to.as_bstr(), mode.kind(), id)?;
        }
        Ok(editor.write()?.detach())
    }
}

/// Whether there is anything at a path, or a file where one of its folders would be.
fn is_taken(repo: &gix::Repository, tree: ObjectId, path: &BStr) -> anyhow::Result<bool> {
    if entries::at(repo, tree, path)?.is_some() {
        return Ok(true);
    }
    for at in path.find_iter(b"/") {
        if entries::at(repo, tree, path[..at].as_bstr())?.is_some_and(|(mode, _)| !mode.is_tree()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A folder that none of the trees has, with a slash.
fn unused_folder(repo: &gix::Repository, sides: Sides) -> anyhow::Result<BString> {
    let mut name = BString::from("~stays");
    for tree in [sides.base, sides.ours, sides.theirs] {
        while entries::at(repo, tree, name.as_bstr())?.is_some() {
            name.push(b'~');
        }
    }
    name.push(b'/');
    Ok(name)
}
