//! From what git keeps of a file to the file, written under a name of its own first.
//!
//! The attributes are those of the new tree: a file must come out as it would from a fresh checkout.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use gix::bstr::BStr;
use gix::index::entry::Mode;
use gix::worktree::stack::state::attributes::Source;

use super::Side;
use crate::convert::Conversions;
use crate::stage::content::Abilities;

/// Writes files as git would check them out.
pub struct Smudger<'repo> {
    repo: &'repo gix::Repository,
    conversions: Conversions<'repo>,
    abilities: Abilities,
}

impl<'repo> Smudger<'repo> {
    /// `index` is the index of the new tree.
    ///
    /// # Errors
    /// The configuration of filters or attributes is wrong.
    pub fn new(repo: &'repo gix::Repository, index: &gix::index::State) -> anyhow::Result<Self> {
        let conversions = Conversions::new(repo, index, Source::IdMappingThenWorktree)?;
        Ok(Smudger { repo, conversions, abilities: Abilities::of(repo)? })
    }

    /// Write `side` of `path` as the new file `to`, which must not exist.
    ///
    /// # Errors
    /// The object is missing, a filter that must not fail did, or the file cannot be written. `to` may exist then.
    pub fn write(&mut self, side: Side, path: &BStr, to: &Path) -> anyhow::Result<()> {
        let blob =
            self.repo.find_blob(side.id).with_context(|| format!("the content of {path} is missing"))?;
        if side.mode == Mode::SYMLINK && self.abilities.links {
            return symlink(&blob.data, to).with_context(|| format!("cannot make the link {path}"));
        }
        if side.mode == Mode::SYMLINK {
            return write(&blob.data, Mode::FILE, to).with_context(|| format!("cannot write {path}"));
        }
        let data = self
            .conversions
            .to_worktree(blob.detach().data, path)
            .with_context(|| format!("cannot convert {path}"))?;
        write(&data, side.mode, to).with_context(|| format!("cannot write {path}"))
    }
}

fn write(data: &[u8], mode: Mode, to: &Path) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if mode == Mode::FILE_EXECUTABLE { 0o777 } else { 0o666 });
    }
    #[cfg(not(unix))]
    let _ = mode;
    options.open(to)?.write_all(data)?;
    Ok(())
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
