//! Applies `merge.directoryRenames` to new files in directories that the other side renamed.
//!
//! The setting says whether these files (orphans) move along, stay, or make a conflict. The merge itself must not
//! decide: it would silently move some of them, whatever the user wants. Therefore it is given each side with the
//! orphans already where they belong or, if they are to stay, in a directory that the merge knows nothing of.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::diff::Rewrites;
use gix::diff::tree_with_rewrites::Change;
use gix::merge::plumbing::tree::Outcome;
use gix::merge::tree::Resolution;

use super::alive::Alive;
use super::directory_renames::{self, Home, Orphan};
use super::entries;
use super::merge::Sides;
use crate::tree::canonical;

/// Both sides of a merge, without orphans.
#[derive(Debug)]
pub struct Settled {
    /// The tree that is merged into.
    pub ours: ObjectId,
    /// The tree that is merged.
    pub theirs: ObjectId,
    /// The paths that are in conflict, whatever the merge says.
    pub disputed: Vec<BString>,
    /// The directory, with a trailing slash, that holds the files that are to stay.
    aside: BString,
}

/// Moves the orphans of both sides to where they are to be during the merge.
///
/// # Errors
/// A tree cannot be read or written.
pub fn settle(objects: &Alive<'_>, sides: Sides, rewrites: Option<Rewrites>) -> anyhow::Result<Settled> {
    let repo = objects.repo;
    let Sides { base, ours, theirs } = sides;
    let mut settled = Settled { ours, theirs, disputed: Vec::new(), aside: BString::default() };
    let Some(rewrites) = rewrites else { return Ok(settled) };
    let wish = Wish::of(repo);
    let of_ours = directory_renames::orphans(objects, base, theirs, ours, rewrites)?;
    let of_theirs = directory_renames::orphans(objects, base, ours, theirs, rewrites)?;
    if of_ours.is_empty() && of_theirs.is_empty() {
        return Ok(settled);
    }
    settled.aside = unused_folder(repo, sides)?;
    settled.ours = settled.side(repo, ours, theirs, &of_ours, wish)?;
    settled.theirs = settled.side(repo, theirs, ours, &of_theirs, wish)?;
    Ok(settled)
}

/// The value of `merge.directoryRenames`.
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
            // `conflict`, which is not a boolean and is git's default.
            None => Wish::Ask,
        }
    }
}

impl Settled {
    /// Returns the path as the user knows it.
    pub fn real_path(&self, path: BString) -> BString {
        match path.strip_prefix(self.aside.as_bytes()) {
            Some(real) if !self.aside.is_empty() => real.into(),
            _ => path,
        }
    }

    /// Returns the merged tree, with the files that are to stay at their own paths again.
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

    /// Returns the tree of one side, which is `adding`, with its orphans moved.
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
                    // A file in the place of its directory is a conflict that the merge detects.
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

/// Moves back what the merge has moved into a directory that it takes for renamed.
///
/// Everything that has to move has been moved before. But to the merge a directory is renamed as well if one of its
/// files was, and new ones have taken the place of the others.
///
/// # Errors
/// The tree cannot be changed.
pub fn take_back(outcome: &mut Outcome<'_>) -> anyhow::Result<()> {
    for conflict in &outcome.conflicts {
        let moved_to = match &conflict.resolution {
            Ok(Resolution::SourceLocationAffectedByRename { final_location }) => final_location,
            Ok(Resolution::OursModifiedTheirsRenamedAndChangedThenRename {
                final_location: Some(final_location),
                ..
            }) => final_location,
            _ => continue,
        };
        let Some(entry) = outcome.tree.get(moved_to.split_str("/")) else { continue };
        let (kind, id) = (entry.mode.kind(), entry.oid);
        let is_new = |change: &&Change| {
            !change.entry_mode().is_tree()
                && matches!(change, Change::Addition { .. } | Change::Rewrite { .. })
                && change.location() != moved_to.as_bstr()
        };
        let Some(own) = [&conflict.theirs, &conflict.ours].into_iter().find(is_new) else { continue };
        let own = own.location().to_owned();
        if outcome.tree.get(own.split_str("/")).is_none() {
            outcome.tree.remove(moved_to.split_str("/"))?;
            outcome.tree.upsert(own.split_str("/"), kind, id)?;
        }
    }
    Ok(())
}

/// Whether there is anything at a path, or a file in the place of one of its directories.
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

/// Returns a directory name that none of the trees has, with a trailing slash.
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
