//! Merges what both sides have at a path: files, links or submodules.
//!
//! Git's rules are in `handle_content_merge` of its `merge-ort.c` and in `ll_merge` of its `merge-ll.c`: what only
//! one side changed is taken, the mode and the content each for itself, and only files are merged line by line, or by
//! a merge driver.

use gix::ObjectId;
use gix::bstr::BStr;
use gix::diff::Rewrites;
use gix::merge::blob::builtin_driver::text::Labels;
use gix::merge::blob::pipeline::Mode;
use gix::merge::blob::{Platform, ResourceKind};
use gix::merge::plumbing::tree::Options;
use gix::objs::tree::EntryKind;

use super::alive::Alive;
use super::driver::{Answer, Contents, Drivers, Who};
use super::tree_merge::{BASE, Item};
use super::{submodules, text_merge};

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
    let said = config.integer("merge.renameLimit").or_else(|| config.integer("diff.renameLimit"));
    // Without a limit, as without an integer, git has its default.
    let limit = said.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let limit = limit.unwrap_or(RENAMES);
    options.rewrites = options.rewrites.map(|rewrites| Rewrites { copies: None, limit, ..rewrites });
    Ok(options)
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

/// Merges the versions of single paths.
pub struct Blobs<'a> {
    /// Where they are.
    pub objects: &'a Alive<'a>,
    /// The drivers that are configured.
    pub drivers: &'a Drivers,
    /// The attributes, and the filters for `merge.renormalize`.
    pub platform: &'a mut Platform,
}

/// What a version is; versions of different kinds cannot be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Link,
    Submodule,
    Folder,
}

impl Kind {
    fn of((kind, _): Item) -> Self {
        match kind {
            EntryKind::Blob | EntryKind::BlobExecutable => Self::File,
            EntryKind::Link => Self::Link,
            EntryKind::Commit => Self::Submodule,
            EntryKind::Tree => Self::Folder,
        }
    }
}

impl Blobs<'_> {
    /// Merges the versions of `path`, which both sides have, or returns `None` if they conflict.
    ///
    /// # Errors
    /// An object cannot be read or written, or a merge driver fails.
    pub fn merge(&mut self, path: &BStr, versions: [Option<Item>; 3]) -> anyhow::Result<Option<Item>> {
        let [_, Some(ours), Some(theirs)] = versions else { return Ok(None) };
        let kind = Kind::of(ours);
        if kind != Kind::of(theirs) {
            return Ok(None);
        }
        let base = versions[BASE];
        let Some(mode) = one_sided(base.map(|base| base.0), ours.0, theirs.0) else { return Ok(None) };
        let id = match one_sided(base.map(|base| base.1), ours.1, theirs.1) {
            Some(id) => Some(id),
            None => {
                let base = base.filter(|base| Kind::of(*base) == kind).map(|base| base.1);
                match kind {
                    Kind::File => self.merge_files(path, base, ours.1, theirs.1)?,
                    Kind::Submodule => submodules::newest(self.objects.repo, path, base, ours.1, theirs.1),
                    Kind::Link | Kind::Folder => None,
                }
            }
        };
        Ok(id.map(|id| (mode, id)))
    }

    /// Whether a file that one side removed and the other one changed is the same after all, once line endings and
    /// the like are made equal. Only `merge.renormalize` asks for that; see `blob_unchanged` in git's `merge-ort.c`.
    ///
    /// # Errors
    /// An object cannot be read, or a filter fails.
    pub fn is_unchanged(&mut self, path: &BStr, before: Item, after: Item) -> anyhow::Result<bool> {
        if self.platform.filter_mode != Mode::Renormalize
            || before.0 != after.0
            || Kind::of(before) != Kind::File
        {
            return Ok(false);
        }
        let (Some(before), Some(after)) = (self.read(path, Some(before.1))?, self.read(path, Some(after.1))?)
        else {
            return Ok(false);
        };
        Ok(before == after)
    }

    fn merge_files(
        &mut self,
        path: &BStr,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> anyhow::Result<Option<ObjectId>> {
        let Alive { repo, watch } = self.objects;
        watch.alive();
        let (base, ours, theirs) =
            (self.read(path, base)?, self.read(path, Some(ours))?, self.read(path, Some(theirs))?);
        let Some(who) = self.drivers.choose(repo, &mut self.platform.attr_stack, path)? else {
            return Ok(None);
        };
        // What is too large for git to merge by lines is not merged at all.
        let (Some(base), Some(ours), Some(theirs)) = (base, ours, theirs) else { return Ok(None) };
        let contents = Contents { base, ours, theirs };
        let merged = match who {
            Who::Program(choice) => choice.merge(repo, path, &contents, labels(), *watch)?,
            Who::Lines(style, conflicts) if contents.are_text() => {
                text_merge::merge(&contents, style, conflicts)
            }
            Who::Lines(..) => Answer::Conflict,
        };
        Ok(match merged {
            Answer::Clean(merged) => Some(repo.write_blob(merged)?.detach()),
            Answer::Conflict => None,
        })
    }

    /// Reads a file, with its line endings and the like made equal if that is configured; `None` if it is too large.
    fn read(&mut self, path: &BStr, id: Option<ObjectId>) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(id) = id else { return Ok(Some(Vec::new())) };
        let repo = self.objects.repo;
        if repo.find_header(id)?.size() > LONGEST {
            return Ok(None);
        }
        if self.platform.filter_mode != Mode::Renormalize {
            return Ok(Some(repo.find_object(id)?.detach().data));
        }
        let Platform { filter, attr_stack, .. } = &mut *self.platform;
        let found = attr_stack.at_path(path, None, &repo.objects)?;
        let mut content = Vec::new();
        filter.convert_to_mergeable(
            &id,
            EntryKind::Blob,
            path,
            ResourceKind::CurrentOrOurs,
            &mut |_, out| {
                found.matching_attributes(out);
            },
            &repo.objects,
            Mode::Renormalize,
            &mut content,
        )?;
        Ok(Some(content))
    }
}

/// Returns what both sides have, or what only one side changed.
fn one_sided<T: Copy + PartialEq>(base: Option<T>, ours: T, theirs: T) -> Option<T> {
    if ours == theirs || base == Some(ours) {
        return Some(theirs);
    }
    (base == Some(theirs)).then_some(ours)
}

/// Returns the names of the sides for drivers.
fn labels() -> Labels<'static> {
    Labels { ancestor: Some("parent".into()), current: Some("HEAD".into()), other: Some("local".into()) }
}
