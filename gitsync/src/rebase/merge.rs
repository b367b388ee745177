//! Merges whole trees three-way, many in a row.
//!
//! Attributes and drivers are read once, for the first merge that needs them, and reused for every replayed commit:
//! reading them takes longer than most merges. The attributes are those of the tree that is merged into, as in git,
//! which replays in the working tree.

use gix::ObjectId;
use gix::worktree::stack::state::attributes::Source;

use super::alive::Alive;
use super::conflict_paths::ConflictPaths;
use super::tree_merge::{self, Detection};
use super::{attributes, content, driver, trivial};
use crate::changes;
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
    detection: Option<Detection>,
    platform: gix::merge::blob::Platform,
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
        Ok(match self.by_content(Sides { base, ours, theirs })? {
            // A tree that differs only in the spelling of modes is not changed.
            Merged::Clean(tree) if changes::between(self.repo, ours, tree)?.is_empty() => Merged::Clean(ours),
            merged => merged,
        })
    }

    /// Merges whole trees, with renames and the contents of files that both sides changed.
    fn by_content(&mut self, sides: Sides) -> anyhow::Result<Merged> {
        let tools = match &mut self.tools {
            Some(tools) => {
                tools.follow_attributes(self.repo, sides.ours)?;
                tools
            }
            none => none.insert(Tools::new(self.repo, sides.ours)?),
        };
        let objects = Alive { repo: self.repo, watch: self.watch };
        let mut blobs =
            content::Blobs { objects: &objects, drivers: &tools.drivers, platform: &mut tools.platform };
        Ok(match tree_merge::merge(&objects, sides, tools.detection, &mut blobs)? {
            tree_merge::Merged::Clean(tree) => Merged::Clean(tree),
            tree_merge::Merged::Conflict(paths) => {
                Merged::Conflict(ConflictPaths::of(self.repo, sides, paths)?)
            }
        })
    }
}

impl Tools {
    /// Creates the tools, with the attributes of the tree `into`.
    fn new(repo: &gix::Repository, into: ObjectId) -> anyhow::Result<Self> {
        let mut tools = Self {
            detection: content::options(repo)?.rewrites.map(|rewrites| Detection { limit: rewrites.limit }),
            platform: content::without_drivers(repo)?,
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
        self.platform.attr_stack = repo.attributes_only(&index, Source::IdMapping)?.detach();
        Ok(())
    }
}

#[cfg(test)]
mod generated;
