//! Merges the contents of files that both sides changed.
//!
//! The tree merge determines which files these are and where they end up, including renames, and merges them as text.
//! If a file has a merge driver, the driver's result replaces that. The tree merge could run drivers itself, but it
//! would put its temporary files into the working tree, and it would abort if a driver fails.

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::diff::Rewrites;
use gix::merge::blob::builtin_driver::text::Labels;
use gix::merge::blob::{Platform, Resolution};
use gix::merge::plumbing::tree::{Conflict, ConflictIndexEntry, ContentMerge, Options, Outcome};
use gix::merge::tree::Resolution as Resolved;
use gix::objs::tree::EntryKind;

use super::driver::{Answer, Contents, Drivers, Who};
use super::text_merge;
use crate::watch::Watch;

/// The largest file in bytes that is merged line by line. `core.bigFileThreshold` applies only to packs and diffs.
const LONGEST: u64 = 1023 * 1024 * 1024;

/// The default of `merge.renameLimit` in git. For diffs the default is lower.
const RENAMES: usize = 7000;

/// Returns the options for merging trees. Git's merges never detect copies, whatever `diff.renames` and
/// `merge.renames` say: a copied file would lose the changes that its own side made to it. See
/// <https://git-scm.com/docs/git-config#Documentation/git-config.txt-mergerenameLimit>.
///
/// # Errors
/// The configuration is wrong.
pub fn options(repo: &gix::Repository) -> anyhow::Result<Options> {
    let mut options: Options = repo.tree_merge_options()?.into();
    let config = repo.config_snapshot();
    let said =
        |key| config.integer(key).and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let limit = said("merge.renameLimit").or_else(|| said("diff.renameLimit")).unwrap_or(RENAMES);
    options.rewrites = options.rewrites.map(|rewrites| Rewrites { copies: None, limit, ..rewrites });
    Ok(options)
}

/// Returns the names of the sides for conflict markers and drivers.
pub fn labels() -> Labels<'static> {
    Labels { ancestor: Some("parent".into()), current: Some("HEAD".into()), other: Some("local".into()) }
}

/// Returns a platform that merges files without custom drivers.
///
/// # Errors
/// The configuration is wrong.
pub fn without_drivers(repo: &gix::Repository) -> anyhow::Result<Platform> {
    let mut blobs = repo.merge_resource_cache(gix::merge::blob::pipeline::WorktreeRoots::default())?;
    blobs.filter.options.large_file_threshold_bytes = LONGEST;
    Ok(Platform::new(blobs.filter, blobs.filter_mode, blobs.attr_stack, Vec::new(), blobs.options))
}

/// Takes whatever only one side changed in a file, its content or its executable bit, from that side.
///
/// The tree merge also merges contents if one side changed only the mode, which makes a conflict for a binary file;
/// and for a renamed file it takes the executable mode, whichever side changed it. See `handle_content_merge` in
/// git's `merge-ort.c`.
///
/// # Errors
/// A tree cannot be read.
pub fn settle_one_sided(outcome: &mut Outcome<'_>) -> anyhow::Result<()> {
    for conflict in &mut outcome.conflicts {
        let Some(sides) = Sides::of(conflict) else { continue };
        let one_sided = sides.of_one_side();
        let Some(merged) = content(conflict).map(|content| content.merged_blob_id).or(one_sided) else {
            continue;
        };
        let mode = mode(&conflict.entries());
        let mut place = None;
        for path in places(conflict) {
            let entry = outcome.tree.get(path.split_str("/"));
            place = entry.filter(|entry| entry.oid == merged).map(|entry| (path, entry.mode.kind()));
            if place.is_some() {
                break;
            }
        }
        let Some((path, kind)) = place else { continue };
        let (mode, id) = (mode.unwrap_or(kind), one_sided.unwrap_or(merged));
        if (mode, id) != (kind, merged) {
            outcome.tree.upsert(path.split_str("/"), mode, id)?;
        }
        if let (Some(content), Some(id)) = (content(conflict), one_sided) {
            *content = ContentMerge { merged_blob_id: id, resolution: Resolution::Complete };
        }
    }
    Ok(())
}

/// Returns the merged mode of a file that is a regular file on both sides and in the base.
fn mode(entries: &[Option<ConflictIndexEntry>; 3]) -> Option<EntryKind> {
    let kind = |entry: &Option<ConflictIndexEntry>| {
        entry.as_ref().filter(|entry| entry.mode.is_blob()).map(|entry| entry.mode.kind())
    };
    let [base, ours, theirs] = entries;
    let (base, ours, theirs) = (kind(base)?, kind(ours)?, kind(theirs)?);
    Some(if ours == base { theirs } else { ours })
}

/// Runs the merge drivers for those files of `outcome` that have one.
///
/// # Errors
/// An object cannot be read or written, or a driver fails.
pub fn merge_by_drivers(
    repo: &gix::Repository,
    outcome: &mut Outcome<'_>,
    drivers: &Drivers,
    attributes: &mut gix::worktree::Stack,
    watch: &dyn Watch,
) -> anyhow::Result<()> {
    for conflict in &mut outcome.conflicts {
        let Some(as_text) = content(conflict).map(|content| content.merged_blob_id) else { continue };
        let Some(sides) = Sides::of(conflict).filter(|sides| sides.of_one_side().is_none()) else { continue };
        let path = places(conflict)
            .find(|path| outcome.tree.get(path.split_str("/")).is_some_and(|entry| entry.oid == as_text));
        let path = path.unwrap_or_else(|| conflict.ours.location().to_owned());
        let Some(who) = drivers.choose(repo, attributes, path.as_bstr())? else { continue };
        let contents = sides.read(repo)?;
        let merged = match who {
            Who::Program(choice) => choice.merge(repo, path.as_bstr(), &contents, labels(), watch)?,
            Who::Lines(style, conflicts) if contents.are_text() => {
                text_merge::merge(&contents, style, conflicts)
            }
            Who::Lines(..) => continue,
        };
        let resolution = match (merged, outcome.tree.get(path.split_str("/")).map(|entry| entry.mode.kind()))
        {
            (Answer::Clean(merged), Some(kind)) => {
                let id = repo.write_blob(merged)?.detach();
                outcome.tree.upsert(path.split_str("/"), kind, id)?;
                Resolution::Complete
            }
            (Answer::Conflict, _) | (_, None) => Resolution::Conflict,
        };
        if let Some(content) = content(conflict) {
            content.resolution = resolution;
        }
    }
    Ok(())
}

/// Returns the result of merging a file's content, if nothing else about the file is in conflict.
fn content(conflict: &mut Conflict) -> Option<&mut ContentMerge> {
    match conflict.resolution.as_mut().ok()? {
        Resolved::OursModifiedTheirsModifiedThenBlobContentMerge { merged_blob } => Some(merged_blob),
        Resolved::OursModifiedTheirsRenamedAndChangedThenRename { merged_blob, .. } => merged_blob.as_mut(),
        Resolved::SourceLocationAffectedByRename { .. } | Resolved::Forced(_) => None,
    }
}

/// Returns the paths at which the file may be in the merged tree.
pub fn places(conflict: &Conflict) -> impl Iterator<Item = BString> + use<> {
    let moved = match &conflict.resolution {
        Ok(Resolved::OursModifiedTheirsRenamedAndChangedThenRename { final_location, .. }) => {
            final_location.clone()
        }
        _ => None,
    };
    let sides = [conflict.theirs.location().to_owned(), conflict.ours.location().to_owned()];
    moved.into_iter().chain(sides)
}

/// The file on each side.
struct Sides {
    base: Option<ObjectId>,
    ours: ObjectId,
    theirs: ObjectId,
}

impl Sides {
    /// Returns `None` if it is not a regular file on both sides.
    fn of(conflict: &Conflict) -> Option<Self> {
        let is_file = |entry: &ConflictIndexEntry| entry.mode.is_blob();
        let [base, ours, theirs] = conflict.entries();
        let (ours, theirs) = (ours.filter(is_file)?.id, theirs.filter(is_file)?.id);
        let base = base.filter(is_file).map(|entry| entry.id);
        // If both sides renamed the file, the entries are those of the result of the text merge.
        if ours == theirs {
            let (ours, theirs) = conflict.changes_in_resolution();
            let id = |change: &gix::diff::tree_with_rewrites::Change| change.entry_mode_and_id().1.to_owned();
            return Some(Self { base, ours: id(ours), theirs: id(theirs) });
        }
        Some(Self { base, ours, theirs })
    }

    /// Returns the content if at most one side changed it.
    fn of_one_side(&self) -> Option<ObjectId> {
        match self.base? {
            base if base == self.ours => Some(self.theirs),
            base if base == self.theirs => Some(self.ours),
            _ => None,
        }
    }

    fn read(&self, repo: &gix::Repository) -> anyhow::Result<Contents> {
        let read = |id: ObjectId| -> anyhow::Result<Vec<u8>> { Ok(repo.find_object(id)?.detach().data) };
        let base = self.base.map(read).transpose()?.unwrap_or_default();
        Ok(Contents { base, ours: read(self.ours)?, theirs: read(self.theirs)? })
    }
}
