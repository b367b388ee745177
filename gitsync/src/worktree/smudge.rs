//! Turns a blob into the file that git would check out, written under a temporary name first.
//!
//! The attributes are those of the new tree: a file must be as a fresh checkout would write it.

use std::path::Path;

use anyhow::Context as _;
use gix::bstr::BStr;
use gix::index::entry::{Mode, Stat};
use gix::index::fs::Metadata;
use gix::worktree::stack::state::attributes::Source;

use super::Side;
use super::create::create;
use super::disk::Found;
use crate::convert::{Conversions, Settings};
use crate::stage::content::Abilities;

/// Writes files as git would check them out.
pub struct Smudger<'repo> {
    repo: &'repo gix::Repository,
    conversions: Conversions<'repo>,
    abilities: Abilities,
}

impl<'repo> Smudger<'repo> {
    /// Creates a writer; `index` is the index of the new tree.
    ///
    /// # Errors
    /// The configuration of filters or attributes is wrong.
    pub fn new(repo: &'repo gix::Repository, index: &gix::index::State) -> anyhow::Result<Self> {
        Self::with(repo, Settings::of(repo, index, Source::IdMappingThenWorktree)?)
    }

    /// Creates a writer that uses the settings of another.
    ///
    /// # Errors
    /// The configuration of filters is wrong.
    pub fn with(repo: &'repo gix::Repository, settings: Settings) -> anyhow::Result<Self> {
        let conversions = Conversions::with(repo, settings)?;
        Ok(Smudger { repo, conversions, abilities: Abilities::of(repo)? })
    }

    /// The settings in use.
    pub fn settings(&self) -> &Settings {
        self.conversions.settings()
    }

    /// Writes `side` of `path` as the new file `to`, which must not exist, and returns its stat data. If `near` is
    /// given, the file is placed on the disk near the files of that directory.
    ///
    /// # Errors
    /// The object is missing, a required filter failed, or the file cannot be written. `to` may exist then.
    pub fn write(&mut self, side: Side, path: &BStr, to: &Path, near: Option<&Path>) -> anyhow::Result<Stat> {
        let blob =
            self.repo.find_blob(side.id).with_context(|| format!("the content of {path} is missing"))?;
        if side.mode == Mode::SYMLINK && self.abilities.links {
            symlink(&blob.data, to).with_context(|| format!("cannot make the link {path}"))?;
            return Ok(Found::new(&Metadata::from_path_no_follow(to)?)?.stat);
        }
        if side.mode == Mode::SYMLINK {
            let found = create(&blob.data, Mode::FILE, to, near);
            return Ok(found.with_context(|| format!("cannot write {path}"))?.stat);
        }
        let data = self
            .conversions
            .to_worktree(blob.detach().data, path)
            .with_context(|| format!("cannot convert {path}"))?;
        let found = create(&data, side.mode, to, near);
        Ok(found.with_context(|| format!("cannot write {path}"))?.stat)
    }
}

#[cfg(unix)]
fn symlink(target: &[u8], to: &Path) -> anyhow::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), to)?)
}

#[cfg(windows)]
fn symlink(target: &[u8], to: &Path) -> anyhow::Result<()> {
    let target = gix::path::from_bstr(BStr::new(target))?;
    let is_folder = to.parent().is_some_and(|parent| parent.join(&target).is_dir());
    if is_folder {
        std::os::windows::fs::symlink_dir(target, to)?;
    } else {
        std::os::windows::fs::symlink_file(target, to)?;
    }
    Ok(())
}
