//! Moves what one side changed to where the other side moved the file, before trees are merged.
//!
//! If a large directory was renamed, rename detection compares each of its files with each new one, which takes time
//! that grows with the square of their number. Most of these files kept their names, and [`kept_names`] pairs those in
//! moments. To the tree merge they then look as if they had been at their new paths all along, so only their contents
//! have to be merged. Where the other side removed the file, that is a conflict, as in git.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::objs::tree::{EntryKind, EntryMode};

use super::alive::Alive;
use super::directory_renames::folders;
use super::merge::Sides;
use super::{entries, kept_names};
use crate::changes::{self, Change};

/// Returns the sides with such files at their new paths, and the paths that are in conflict. New files in renamed
/// directories must have been settled before, since it takes the old paths to detect the rename of a directory.
///
/// # Errors
/// An object cannot be read, or a tree cannot be written.
pub fn settle(objects: &Alive<'_>, sides: Sides) -> anyhow::Result<(Sides, Vec<BString>)> {
    let Sides { base, ours, theirs } = sides;
    let of_ours = changes::between(objects.repo, base, ours)?;
    let of_theirs = changes::between(objects.repo, base, theirs)?;
    let mut disputed = Vec::new();
    let by_ours = moved(objects, (base, ours), &of_ours, (theirs, &of_theirs), &mut disputed)?;
    let by_theirs = moved(objects, (base, theirs), &of_theirs, (ours, &of_ours), &mut disputed)?;
    let sides = Sides {
        base: move_files(objects.repo, base, by_ours.iter().chain(&by_theirs), |moved| moved.before)?,
        ours: move_files(objects.repo, ours, by_theirs.iter(), |moved| moved.after)?,
        theirs: move_files(objects.repo, theirs, by_ours.iter(), |moved| moved.after)?,
    };
    Ok((sides, disputed))
}

/// A file that one side moved, and that the other side changed at its old path.
struct Moved {
    from: BString,
    to: BString,
    /// The file in the base.
    before: (EntryMode, ObjectId),
    /// The file of the side that changed it.
    after: (EntryMode, ObjectId),
}

/// Returns the files that the changes `own` from the tree `base` to `tree` move, and that the changes of the `other`
/// side edit; those that it removes are `disputed`. Those whose new path is not free on that side are left to the tree
/// merge.
fn moved(
    objects: &Alive<'_>,
    (base, tree): (ObjectId, ObjectId),
    own: &[Change],
    (other, of_other): (ObjectId, &[Change]),
    disputed: &mut Vec<BString>,
) -> anyhow::Result<Vec<Moved>> {
    let gone = own.iter().filter(|change| change.after.is_none());
    let gone: HashSet<&BStr> = gone.map(|change| change.path.as_bstr()).collect();
    let touched: HashMap<&BStr, _> = of_other
        .iter()
        .filter(|change| gone.contains(change.path.as_bstr()))
        .filter_map(|change| Some((change.path.as_bstr(), (change.before?, change.after))))
        .filter(|(_, (before, after))| before.0.is_blob() && after.is_none_or(|after| after.0.is_blob()))
        .collect();
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    let mut room = Room { objects, trees: [base, other], is_free: HashMap::new() };
    let mut found = Vec::new();
    for (from, to) in kept_names::find(objects, base, tree, |path| touched.contains_key(path.as_bstr()))? {
        let Some((before, after)) = touched.get(from.as_bstr()).copied() else { continue };
        if !room.is_for(to.as_bstr())? {
            continue;
        }
        match after {
            Some(after) => found.push(Moved { from, to, before, after }),
            None => disputed.push(to),
        }
    }
    Ok(found)
}

/// Knows where files can be put in both trees.
struct Room<'a> {
    objects: &'a Alive<'a>,
    trees: [ObjectId; 2],
    /// By directory, whether it can be one: it is one already, or nothing is there.
    is_free: HashMap<BString, bool>,
}

impl Room<'_> {
    /// Whether a file can be put at `path`, where nothing may be yet.
    fn is_for(&mut self, path: &BStr) -> anyhow::Result<bool> {
        for tree in self.trees {
            if entries::at(self.objects.repo, tree, path)?.is_some() {
                return Ok(false);
            }
        }
        for folder in folders(path) {
            let is_free = match self.is_free.get(folder) {
                Some(known) => *known,
                None => {
                    let is_free = self.can_be_directory(folder)?;
                    self.is_free.insert(folder.to_owned(), is_free);
                    is_free
                }
            };
            if !is_free {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn can_be_directory(&self, path: &BStr) -> anyhow::Result<bool> {
        for tree in self.trees {
            if entries::at(self.objects.repo, tree, path)?.is_some_and(|(mode, _)| !mode.is_tree()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Returns the tree with these files at their new paths, and with the content that `side` names.
fn move_files<'a>(
    repo: &gix::Repository,
    tree: ObjectId,
    files: impl Iterator<Item = &'a Moved>,
    side: impl Fn(&Moved) -> (EntryMode, ObjectId),
) -> anyhow::Result<ObjectId> {
    let mut files = files.peekable();
    if files.peek().is_none() {
        return Ok(tree);
    }
    let mut editor = repo.edit_tree(tree)?;
    for file in files {
        let (mode, id) = side(file);
        editor.remove(file.from.as_bstr())?;
        editor.upsert(file.to.as_bstr(), EntryKind::from(mode), id)?;
    }
    Ok(editor.write()?.detach())
}
