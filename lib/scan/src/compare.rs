//! Compares an index entry with the file on disk, as far as stat data tell.
//!
//! The rules are those of git's `ie_match_stat` and `check_removed`.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gix::bstr::BStr;
use gix::index::entry::stat::Options as StatOptions;
use gix::index::entry::{Flags, Mode};

use crate::folder::Found;
use crate::index::{Entry, Index};
use crate::names::Kind;
use crate::nested::{self, NestedHead};
use crate::{Doubt, Reason, Sparse, Status};

/// What the file system supports, by `core.fileMode`, `core.symlinks` and `core.ignoreCase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Executable bits.
    pub executable: bool,
    /// Symbolic links.
    pub links: bool,
    /// Names that differ only in case (`core.ignoreCase` is off).
    pub case: bool,
}

impl Abilities {
    /// Reads the repository's configuration.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub fn of(repo: &gix::Repository) -> anyhow::Result<Self> {
        let options = repo.filesystem_options()?;
        Ok(Abilities {
            // Windows has no executable bits, whatever a configuration says that was written on Unix, such as one
            // shared with WSL.
            executable: cfg!(unix) && options.executable_bit,
            links: options.symlink,
            case: !options.ignore_case,
        })
    }
}

/// The rules for comparing entries.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    stat: StatOptions,
    abilities: Abilities,
    is_sparse: bool,
}

impl Rules {
    /// Reads the rules for the repository.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub fn of(repo: &gix::Repository) -> anyhow::Result<Self> {
        Ok(Rules {
            stat: repo.stat_options()?,
            abilities: Abilities::of(repo)?,
            is_sparse: Sparse::of(repo)?.is_on(),
        })
    }

    /// Returns how `entry` differs from what `look` finds on disk in its place; `None` if they are surely the same.
    /// `full` builds the full path, for the rare case of a nested repository.
    ///
    /// # Errors
    /// The file cannot be examined.
    pub fn compare(
        &self,
        index: &Index,
        entry: &Entry<'_>,
        look: impl FnOnce() -> io::Result<Option<Found>>,
        full: impl FnOnce() -> anyhow::Result<PathBuf>,
    ) -> anyhow::Result<Option<Status>> {
        if entry.flags.intersects(Flags::STAGE_MASK) {
            return Ok(Some(Status::Unmerged));
        }
        let is_skipped = entry.flags.contains(Flags::SKIP_WORKTREE);
        if entry.flags.contains(Flags::ASSUME_VALID) || is_skipped && !self.is_sparse {
            return Ok(None);
        }
        Ok(match look()? {
            // Its absence from the working tree is intended.
            None if is_skipped => None,
            None => Some(Status::Deleted),
            Some(found) => self.compare_found(index, entry, &found, full)?,
        })
    }

    fn compare_found(
        &self,
        index: &Index,
        entry: &Entry<'_>,
        found: &Found,
        full: impl FnOnce() -> anyhow::Result<PathBuf>,
    ) -> anyhow::Result<Option<Status>> {
        let doubtful = |reason| Some(Status::MaybeModified(Doubt { reason, stat: found.stat }));
        let is_intended = entry.flags.contains(Flags::INTENT_TO_ADD);
        if entry.mode == Mode::COMMIT && !is_intended {
            if found.kind != Kind::Folder {
                return Ok(doubtful(Reason::Kind));
            }
            // A submodule that is not checked out is unchanged.
            return Ok(match nested::head(&full()?) {
                NestedHead::None => None,
                NestedHead::Commit(head) if head.as_ref() == entry.id => None,
                NestedHead::Commit(_) | NestedHead::Unreadable => doubtful(Reason::Stat),
            });
        }
        if found.kind == Kind::Folder && entry.mode != Mode::COMMIT {
            // A file that became a directory counts as deleted. One that became a repository has changed, even a
            // repository without a commit, which cannot be committed and must not be skipped silently.
            let is_repository = nested::is_one(&full()?);
            return Ok(if is_repository { doubtful(Reason::Kind) } else { Some(Status::Deleted) });
        }
        if !self.has_kind(entry.mode, found) {
            return Ok(doubtful(Reason::Kind));
        }
        // Size 0 marks an entry whose file must be read, unless the file is really empty.
        let is_marked = entry.stat.size == 0 && !entry.id.is_empty_blob();
        if is_intended || is_marked || !entry.stat.matches(&found.stat, self.stat) {
            return Ok(doubtful(Reason::Stat));
        }
        let is_racy = entry.stat.is_racy(index.timestamp(), self.stat);
        Ok(if is_racy { doubtful(Reason::Racy) } else { None })
    }

    fn has_kind(&self, mode: Mode, found: &Found) -> bool {
        match found.kind {
            Kind::Link => mode == Mode::SYMLINK,
            Kind::File if mode == Mode::SYMLINK => !self.abilities.links,
            Kind::File => !self.abilities.executable || found.executable == (mode == Mode::FILE_EXECUTABLE),
            Kind::Folder | Kind::Other => false,
        }
    }
}

/// Returns the location of `path` below `root` on disk.
///
/// # Errors
/// `path` cannot be a path on this system.
pub fn full(root: &Path, path: &BStr) -> anyhow::Result<PathBuf> {
    let relative = gix::path::from_bstr(path).with_context(|| format!("{path} is no path on this system"))?;
    Ok(root.join(relative))
}
