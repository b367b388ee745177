//! Finds new files in directories that the other side renamed, and determines where they belong now.
//!
//! Somebody renames `old/` to `new/`, and meanwhile somebody else adds `old/d.txt`. If that file stayed where it is,
//! it would be in a directory that no longer exists for anybody else. The rules are those of git's merge-ort:
//! <https://git-scm.com/docs/git-config#Documentation/git-config.txt-mergedirectoryRenames>.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::diff::Rewrites;
use gix::diff::tree::recorder::Location;
use gix::diff::tree_with_rewrites::ChangeRef;
use gix::object::tree::diff::ChangeDetached;
use gix::objs::TreeRefIter;

use super::alive::Alive;
use super::renamed_alone::without;
use super::{entries, kept_names};

/// A new file in a directory that the other side renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The path at which it was added.
    pub path: BString,
    /// Where it belongs.
    pub home: Home,
}

/// Where an orphan belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// At this path.
    At(BString),
    /// Its directory was split: no single place got most of its files.
    Unclear,
    /// At its own path: git does not detect a rename of its directory, or the new directory is one that its own side
    /// renamed.
    Here,
}

/// Returns the files that `adding` adds to directories that `renaming` renamed, both since `base`.
///
/// # Errors
/// A tree cannot be read.
pub fn orphans(
    objects: &Alive<'_>,
    base: ObjectId,
    renaming: ObjectId,
    adding: ObjectId,
    rewrites: Rewrites,
) -> anyhow::Result<Vec<Orphan>> {
    let repo = objects.repo;
    // Innermost directories first: the first one that was renamed decides.
    let mut gone: Vec<(BString, Vec<BString>)> = Vec::new();
    for path in added(repo, base, adding)? {
        let mut around = Vec::new();
        for folder in folders(path.as_bstr()) {
            if is_folder(repo, base, folder)? && !is_folder(repo, renaming, folder)? {
                around.push(folder.to_owned());
            }
        }
        if !around.is_empty() {
            gone.push((path, around));
        }
    }
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    // Git detects the rename of a directory only if there are new files directly in it, or in a directory around it.
    let direct: BTreeSet<&BStr> = gone.iter().map(|(path, _)| parent(path.as_bstr())).collect();
    let theirs = renames(objects, base, renaming, rewrites)?;
    let own = renames(objects, base, adding, rewrites)?;
    let mut orphans = Vec::new();
    for (path, around) in &gone {
        let went = around.iter().enumerate().find_map(|(at, folder)| {
            let went = if direct.contains(folder.as_bstr()) {
                went(folder.as_bstr(), &theirs)
            } else if around[at..].iter().any(|outer| direct.contains(outer.as_bstr())) {
                let children: Vec<_> =
                    theirs.iter().filter(|(from, _)| parent(from.as_bstr()) == folder).cloned().collect();
                went(folder.as_bstr(), &children)
            } else {
                None
            };
            Some((folder, went?))
        });
        let home = match went {
            None => Home::Here,
            Some((_, Went::Apart)) => Home::Unclear,
            Some((_, Went::To(new)))
                if is_folder(repo, base, new.as_bstr())?
                    && !is_folder(repo, adding, new.as_bstr())?
                    && renamed(new.as_bstr(), &own) =>
            {
                Home::Here
            }
            Some((folder, Went::To(mut home))) => {
                if !home.is_empty() {
                    home.push(b'/');
                }
                home.extend_from_slice(&path[folder.len() + 1..]);
                Home::At(home)
            }
        };
        orphans.push(Orphan { path: path.clone(), home });
    }
    Ok(orphans)
}

/// What became of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Went {
    /// Most of its files went here.
    To(BString),
    /// It was split: no single place got most of its files.
    Apart,
}

/// Whether any file of `folder` was renamed along with it.
fn renamed(folder: &BStr, renames: &[(BString, BString)]) -> bool {
    went(folder, renames).is_some()
}

/// Returns where most files of `folder` went, or `None` if none of them was renamed.
fn went(folder: &BStr, renames: &[(BString, BString)]) -> Option<Went> {
    let mut votes: BTreeMap<BString, usize> = BTreeMap::new();
    for (from, to) in renames {
        if let Some(new) = moved(folder, from.as_bstr(), to.as_bstr()) {
            *votes.entry(new).or_default() += 1;
        }
    }
    let most = votes.values().copied().max()?;
    let mut first = votes.into_iter().filter(|(_, count)| *count == most).map(|(new, _)| new);
    let new = first.next()?;
    Some(if first.next().is_some() { Went::Apart } else { Went::To(new) })
}

/// Returns what `folder` was renamed to, as far as one renamed file tells: the path below it, without the file's own
/// name, must be the same on both sides.
fn moved(folder: &BStr, from: &BStr, to: &BStr) -> Option<BString> {
    let below = from.strip_prefix(folder.as_bytes())?.strip_prefix(b"/")?.as_bstr();
    let inner = parent(below);
    let target = parent(to);
    if inner.is_empty() {
        return Some(target.to_owned()).filter(|target| target != folder);
    }
    let outer = target.strip_suffix(inner.as_bytes())?;
    match outer.strip_suffix(b"/") {
        Some(outer) => Some(outer.into()).filter(|outer: &BString| outer != folder),
        None if outer.is_empty() => Some(BString::default()),
        None => None,
    }
}

fn parent(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(BStr::new(""), |at| path[..at].as_bstr())
}

/// Returns the directories around a path, innermost first, without the root.
pub fn folders(path: &BStr) -> impl Iterator<Item = &BStr> {
    std::iter::successors(Some(parent(path)), |folder| Some(parent(folder)))
        .take_while(|folder| !folder.is_empty())
}

fn is_folder(repo: &gix::Repository, tree: ObjectId, path: &BStr) -> anyhow::Result<bool> {
    if path.is_empty() {
        return Ok(true);
    }
    Ok(entries::at(repo, tree, path)?.is_some_and(|(mode, _)| mode.is_tree()))
}

fn added(repo: &gix::Repository, from: ObjectId, to: ObjectId) -> anyhow::Result<Vec<BString>> {
    let mut options = gix::diff::Options::default();
    options.track_path().track_rewrites(None);
    let changes = repo.diff_tree_to_tree(&repo.find_tree(from)?, &repo.find_tree(to)?, options)?;
    Ok(changes
        .into_iter()
        .filter_map(|change| match change {
            ChangeDetached::Addition { location, entry_mode, .. } if !entry_mode.is_tree() => Some(location),
            _ => None,
        })
        .collect())
}

/// Returns the old and new paths of the files that were renamed between the trees `from` and `to`.
///
/// # Errors
/// A tree cannot be read.
pub fn renames(
    objects: &Alive<'_>,
    from: ObjectId,
    to: ObjectId,
    rewrites: Rewrites,
) -> anyhow::Result<Vec<(BString, BString)>> {
    let mut renames = kept_names::find(objects, from, to, |_| true)?;
    let from = without(objects.repo, from, renames.iter().map(|(from, _)| from))?;
    let to = without(objects.repo, to, renames.iter().map(|(_, to)| to))?;
    let (from, to) = (objects.repo.find_tree(from)?, objects.repo.find_tree(to)?);
    gix::diff::tree_with_rewrites(
        TreeRefIter::from_bytes(&from.data, from.id.kind()),
        TreeRefIter::from_bytes(&to.data, to.id.kind()),
        &mut objects.repo.diff_resource_cache_for_tree_diff()?,
        &mut gix::diff::tree::State::default(),
        objects,
        |change| {
            if let ChangeRef::Rewrite { source_location, location, entry_mode, copy: false, .. } = change
                && !entry_mode.is_tree()
            {
                renames.push((source_location.to_owned(), location.to_owned()));
            }
            Ok(ControlFlow::Continue(()))
        },
        gix::diff::tree_with_rewrites::Options {
            location: Some(Location::Path),
            rewrites: Some(Rewrites { copies: None, ..rewrites }),
        },
    )?;
    Ok(renames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(folder: &str, from: &str, to: &str) -> Option<String> {
        moved(folder.into(), from.into(), to.into()).map(|folder| folder.to_string())
    }

    #[test]
    fn a_file_that_moved_tells_where_its_folder_went() {
        assert_eq!(new("old", "old/a", "new/a").as_deref(), Some("new"));
        assert_eq!(new("old", "old/a", "new/b").as_deref(), Some("new"));
        assert_eq!(new("old", "old/a", "a").as_deref(), Some(""));
        assert_eq!(new("old", "old/in/a", "x/new/in/a").as_deref(), Some("x/new"));
    }

    #[test]
    fn what_lies_below_has_to_stay_alike() {
        assert_eq!(new("old", "old/in/a", "new/out/a"), None);
        assert_eq!(new("old", "old/in/a", "new/sin/a"), None);
        assert_eq!(new("old", "older/a", "new/a"), None);
        assert_eq!(new("old", "old/a", "old/b"), None);
    }

    #[test]
    fn most_of_the_files_decide() {
        let renames: Vec<(BString, BString)> = [("old/a", "x/a"), ("old/b", "y/b"), ("old/c", "y/c")]
            .map(|(from, to)| (from.into(), to.into()))
            .to_vec();
        assert_eq!(went("old".into(), &renames), Some(Went::To("y".into())));
        assert_eq!(went("old".into(), &renames[..2]), Some(Went::Apart));
        assert_eq!(went("else".into(), &renames), None);
    }
}
