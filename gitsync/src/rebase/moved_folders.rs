//! New files in a folder that the other side renamed.
//!
//! Somebody renames `old/` to `new/`, and meanwhile somebody else adds `old/d.txt`. Git asks whether that belongs into
//! `new/` (`merge.directoryRenames`, `conflict` unless said otherwise); gix leaves it in a folder that nobody has any
//! more. The rules are those of git's merge-ort:
//! <https://git-scm.com/docs/git-config#Documentation/git-config.txt-mergedirectoryRenames>.

use std::collections::{BTreeMap, BTreeSet};

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::object::tree::diff::ChangeDetached;

/// The places to which git would suggest to move new files, sorted; none where nothing is to be asked.
///
/// # Errors
/// A tree cannot be read.
pub fn suggestions(
    repo: &gix::Repository,
    base: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
) -> anyhow::Result<Vec<BString>> {
    let config = repo.config_snapshot();
    // Only `false` keeps git from looking. `true` would move the files without a word, which somebody has to do by hand
    // here: better to ask.
    if config.boolean("merge.directoryRenames") == Some(false)
        || config.boolean("merge.renames") == Some(false)
    {
        return Ok(Vec::new());
    }
    let mut places = on_one_side(repo, base, ours, theirs)?;
    places.extend(on_one_side(repo, base, theirs, ours)?);
    Ok(places.into_iter().collect())
}

/// What `adding` adds to folders that `renaming` renamed.
fn on_one_side(
    repo: &gix::Repository,
    base: ObjectId,
    renaming: ObjectId,
    adding: ObjectId,
) -> anyhow::Result<BTreeSet<BString>> {
    let mut orphans: Vec<(BString, BString)> = Vec::new();
    for path in added(repo, base, adding)? {
        for folder in folders(path.as_bstr()) {
            if is_folder(repo, base, folder)? && !is_folder(repo, renaming, folder)? {
                orphans.push((path.clone(), folder.to_owned()));
            }
        }
    }
    if orphans.is_empty() {
        return Ok(BTreeSet::new());
    }
    let renames = renames(repo, base, renaming)?;
    let mut places = BTreeSet::new();
    let mut settled = BTreeSet::new();
    // The innermost folder that was renamed decides.
    for (path, folder) in orphans {
        if settled.contains(&path) {
            continue;
        }
        if let Some(new) = renamed_to(folder.as_bstr(), &renames) {
            let mut place = new;
            if !place.is_empty() {
                place.push(b'/');
            }
            place.extend_from_slice(&path[folder.len() + 1..]);
            settled.insert(path);
            places.insert(place);
        }
    }
    Ok(places)
}

/// Where most of the files of `folder` went.
fn renamed_to(folder: &BStr, renames: &[(BString, BString)]) -> Option<BString> {
    let mut votes: BTreeMap<BString, usize> = BTreeMap::new();
    for (from, to) in renames {
        if let Some(new) = moved(folder, from.as_bstr(), to.as_bstr()) {
            *votes.entry(new).or_default() += 1;
        }
    }
    votes.into_iter().max_by_key(|(_, count)| *count).map(|(new, _)| new)
}

/// The folder that `folder` became, as far as one renamed file tells: what lies below it must be the same on both
/// sides, but for the file's own name.
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

/// The folders around a path, innermost first, without the root.
fn folders(path: &BStr) -> impl Iterator<Item = &BStr> {
    std::iter::successors(Some(parent(path)), |folder| Some(parent(folder)))
        .take_while(|folder| !folder.is_empty())
}

fn is_folder(repo: &gix::Repository, tree: ObjectId, path: &BStr) -> anyhow::Result<bool> {
    let entry = repo.find_tree(tree)?.lookup_entry(path.split(|byte| *byte == b'/'))?;
    Ok(entry.is_some_and(|entry| entry.mode().is_tree()))
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

fn renames(repo: &gix::Repository, from: ObjectId, to: ObjectId) -> anyhow::Result<Vec<(BString, BString)>> {
    let mut options = gix::diff::Options::default();
    options.track_path().track_rewrites(Some(gix::diff::Rewrites::default()));
    let changes = repo.diff_tree_to_tree(&repo.find_tree(from)?, &repo.find_tree(to)?, options)?;
    Ok(changes
        .into_iter()
        .filter_map(|change| match change {
            ChangeDetached::Rewrite { source_location, location, entry_mode, copy: false, .. }
                if !entry_mode.is_tree() =>
            {
                Some((source_location, location))
            }
            _ => None,
        })
        .collect())
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
        assert_eq!(renamed_to("old".into(), &renames), Some("y".into()));
    }
}
