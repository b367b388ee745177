//! Merges whole trees three-way, many in a row.
//!
//! The caches for diffs, merges and attributes are created once, for the first merge that needs them, and reused for
//! every replayed commit: creating them takes longer than most merges. The attributes are those of the tree that is
//! merged into, as in git, which replays in the working tree.

use gix::ObjectId;
use gix::bstr::BString;
use gix::merge::tree::TreatAsUnresolved;
use gix::objs::Write as _;
use gix::worktree::stack::state::attributes::Source;

use super::alive::Alive;
use super::conflict_paths::ConflictPaths;
use super::{
    attributes, content, directory_file_conflicts, driver, empty_files, modes, moved_and_changed, orphans,
    renamed_alone, submodules, trivial, verify_merge,
};
use crate::changes;
use crate::tree::canonical;
use crate::watch::Watch;

/// The trees of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// The tree of the merge base.
    pub base: ObjectId,
    /// The tree that is merged into.
    pub ours: ObjectId,
    /// The tree that is merged.
    pub theirs: ObjectId,
}

/// Merges trees of one repository.
pub struct Merger<'repo> {
    repo: &'repo gix::Repository,
    watch: &'repo dyn Watch,
    tools: Option<Tools>,
}

/// What is needed to merge if comparing entries is not enough.
struct Tools {
    options: gix::merge::plumbing::tree::Options,
    diff_state: gix::diff::tree::State,
    diffs: gix::diff::blob::Platform,
    blobs: gix::merge::blob::Platform,
    drivers: driver::Drivers,
    attributes_are_of: ObjectId,
}

/// The result of a merge.
pub enum Merged {
    /// A tree that holds both changes.
    Clean(ObjectId),
    /// The paths that conflict.
    Conflict(ConflictPaths),
}

impl<'repo> Merger<'repo> {
    /// Returns a merger of trees of `repo`. `watch` is asked before a merge driver is started, and notified of
    /// progress.
    pub fn new(repo: &'repo gix::Repository, watch: &'repo dyn Watch) -> Self {
        Self { repo, watch, tools: None }
    }

    /// Merges the change from `base` to `theirs` into `ours`.
    ///
    /// # Errors
    /// An object cannot be read, or a merge driver fails.
    pub fn merge(&mut self, base: ObjectId, ours: ObjectId, theirs: ObjectId) -> anyhow::Result<Merged> {
        if ours == base || ours == theirs {
            return Ok(Merged::Clean(theirs));
        }
        if theirs == base {
            return Ok(Merged::Clean(ours));
        }
        if let Some(tree) = trivial::merge(self.repo, base, ours, theirs)? {
            return Ok(Merged::Clean(tree));
        }
        let before = Sides { base, ours, theirs };
        let merged = match self.by_content(before)? {
            Merged::Conflict(disputed) => {
                let settled = modes::settle(self.repo, before)?;
                if settled == before {
                    return Ok(Merged::Conflict(disputed));
                }
                self.by_content(settled)?
            }
            clean => clean,
        };
        Ok(match merged {
            // A tree that differs only in the spelling of modes is not changed.
            Merged::Clean(tree) if changes::between(self.repo, ours, tree)?.is_empty() => Merged::Clean(ours),
            merged => merged,
        })
    }

    /// Merges whole trees, and the contents of files that both sides changed.
    fn by_content(&mut self, before: Sides) -> anyhow::Result<Merged> {
        let ours = before.ours;
        let tools = match &mut self.tools {
            Some(tools) => {
                tools.follow_attributes(self.repo, ours)?;
                tools
            }
            none => none.insert(Tools::new(self.repo, ours)?),
        };
        let rewrites = tools.options.rewrites;
        let objects = Alive { repo: self.repo, watch: self.watch };
        let marked = empty_files::mark(self.repo, before)?;
        let sides =
            directory_file_conflicts::settle(&objects, marked.sides, rewrites)?.unwrap_or(marked.sides);
        let sides = orphans::settle(&objects, sides, rewrites)?;
        let mut given = Sides { base: marked.sides.base, ours: sides.ours, theirs: sides.theirs };
        let mut paths = sides.disputed.clone();
        if rewrites.is_some() {
            let (moved, removed) = moved_and_changed::settle(&objects, given)?;
            given = moved;
            paths.extend(removed.into_iter().map(|path| sides.real_path(path)));
            given = renamed_alone::leave_out(self.repo, given)?;
        }
        let mut outcome = gix::merge::plumbing::tree(
            &given.base,
            &given.ours,
            &given.theirs,
            content::labels(),
            &objects,
            |data| self.repo.write_buf(gix::objs::Kind::Blob, data),
            &mut tools.diff_state,
            &mut tools.diffs,
            &mut tools.blobs,
            tools.options.clone(),
        )?;
        orphans::take_back(&mut outcome)?;
        submodules::settle(self.repo, &mut outcome)?;
        content::settle_one_sided(&mut outcome)?;
        content::merge_by_drivers(
            self.repo,
            &mut outcome,
            &tools.drivers,
            &mut tools.blobs.attr_stack,
            self.watch,
        )?;
        let tree = outcome.tree.write(|tree| canonical::write(self.repo, tree))?;
        if outcome.has_unresolved_conflicts(TreatAsUnresolved::git()) {
            paths.extend(self.paths(tree, &outcome.conflicts)?.into_iter().map(|path| sides.real_path(path)));
        }
        if paths.is_empty() {
            let lost = verify_merge::find(self.repo, given, tree, &outcome.conflicts)?;
            paths.extend(lost.into_iter().map(|path| sides.real_path(path)));
        }
        if paths.is_empty() {
            let merged = sides.put_back(self.repo, tree)?;
            return Ok(Merged::Clean(marked.unmark(self.repo, merged)?));
        }
        Ok(Merged::Conflict(ConflictPaths::of(self.repo, before, paths)?))
    }

    /// Returns the paths that git would list as unmerged.
    fn paths(
        &self,
        tree: ObjectId,
        conflicts: &[gix::merge::tree::Conflict],
    ) -> anyhow::Result<Vec<BString>> {
        let mut index = self.repo.index_from_tree(&tree)?;
        gix::merge::tree::apply_index_entries(
            conflicts,
            TreatAsUnresolved::git(),
            &mut index,
            gix::merge::tree::apply_index_entries::RemovalMode::Prune,
        );
        let mut paths: Vec<BString> = crate::index::unmerged(&index);
        if paths.is_empty() {
            paths.extend(
                conflicts
                    .iter()
                    .filter(|conflict| conflict.is_unresolved(TreatAsUnresolved::git()))
                    .map(|conflict| conflict.ours.location().to_owned()),
            );
        }
        Ok(paths)
    }
}

impl Tools {
    /// Creates the tools, with the attributes of the tree `into`.
    fn new(repo: &gix::Repository, into: ObjectId) -> anyhow::Result<Self> {
        let mut tools = Self {
            options: content::options(repo)?,
            diff_state: gix::diff::tree::State::default(),
            diffs: repo.diff_resource_cache_for_tree_diff()?,
            blobs: content::without_drivers(repo)?,
            drivers: driver::Drivers::of(repo),
            attributes_are_of: into,
        };
        tools.load_attributes(repo, into)?;
        Ok(tools)
    }

    /// Reads the attributes again if they differ in `tree`.
    fn follow_attributes(&mut self, repo: &gix::Repository, tree: ObjectId) -> anyhow::Result<()> {
        if attributes::differ(repo, self.attributes_are_of, tree)? {
            self.load_attributes(repo, tree)?;
        }
        self.attributes_are_of = tree;
        Ok(())
    }

    fn load_attributes(&mut self, repo: &gix::Repository, tree: ObjectId) -> anyhow::Result<()> {
        let index = attributes::of(repo, tree)?;
        self.blobs.attr_stack = repo.attributes_only(&index, Source::IdMapping)?.detach();
        Ok(())
    }
}
