//! Writing the index: whole, durable, and never claiming that a file is unchanged when it might not be.
//!
//! An entry counts as unchanged while its file's stat data are those in the index, and these have whole seconds. So a
//! file that is edited in the very second in which it was looked at would hide for ever. Git compares such an entry's
//! time with that of the index file: at or after it, the content is read. Therefore the file's time must not be later
//! than the moment at which looking began; the moment is taken from the file system itself, as the lock file's own time.
//! Entries that were not looked at this time keep their doubt: their size becomes 0, git's mark for "read it".
//! See <https://git-scm.com/docs/racy-git>.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::SystemTime;

use anyhow::Context as _;
use gix::index::entry::Flags;
use gix::index::entry::stat::Time;

use super::Lock;
use crate::durable::{Durability, shared_mode};
use crate::tree::Built;

/// Which entries were held against their files since the lock was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// All of them, as `git add -A` does.
    AtAll,
    /// Some only; what was in doubt before stays in doubt.
    AtSome,
}

impl Lock {
    /// The moment at which the lock was taken, by the file system's clock.
    ///
    /// # Errors
    /// The file system does not tell.
    pub fn taken_at(&self) -> anyhow::Result<SystemTime> {
        self.file.metadata().and_then(|meta| meta.modified()).with_context(|| self.path.display().to_string())
    }

    /// Make `index` the repository's index, and release the lock.
    ///
    /// `since` is the moment at which looking at files began. `built` is its tree, where one was built; its `TREE`
    /// extension is written then, else the one that the index has.
    ///
    /// # Errors
    /// It cannot be written; the old index is untouched then.
    pub fn write(
        mut self,
        repo: &gix::Repository,
        index: &mut gix::index::File,
        built: Option<&Built>,
        looked: Looked,
        since: SystemTime,
    ) -> anyhow::Result<()> {
        if looked == Looked::AtSome {
            keep_doubts(repo, index, since)?;
        }
        self.replace(repo, index, built, since)
            .with_context(|| format!("cannot write {}", self.index.display()))
    }

    fn replace(
        &mut self,
        repo: &gix::Repository,
        index: &gix::index::File,
        built: Option<&Built>,
        since: SystemTime,
    ) -> anyhow::Result<()> {
        self.file.set_len(0)?;
        serialise(repo, index, built, &mut self.file)?;
        self.file.set_modified(since)?;
        if let Some(mode) = shared_mode(repo, &self.file.metadata()?) {
            self.file.set_permissions(mode)?;
        }
        let durability = Durability::of(repo);
        durability.file(&self.file)?;
        self.rename()?;
        if let Some(folder) = self.index.parent() {
            durability.folder(folder)?;
        }
        Ok(())
    }
}

/// Write `index` to `file` in the form that git reads.
pub(super) fn serialise(
    repo: &gix::Repository,
    index: &gix::index::File,
    built: Option<&Built>,
    file: &mut File,
) -> anyhow::Result<()> {
    let skip_hash = repo.config_snapshot().boolean("index.skipHash").unwrap_or(false);
    let options = gix::index::write::Options { extensions: gix::index::write::Extensions::None, skip_hash };
    let mut out = BufWriter::with_capacity(128 * 1024, file);
    let hash = {
        let mut hashed = gix::hash::io::Write::new(&mut out, repo.object_hash());
        let state: &gix::index::State = index;
        state.write_to(&mut hashed, options)?;
        // gix writes the extension only where the index it read had one.
        if let Some(tree) = built.map(|built| &built.cache).or(index.tree()) {
            tree.write_to(&mut hashed)?;
        }
        hashed.hash.try_finalize()?
    };
    let hash = if skip_hash { repo.object_hash().null() } else { hash };
    out.write_all(hash.as_slice())?;
    out.flush()?;
    Ok(())
}

/// Mark the entries that could not be told from an edit made in the same second as the old index: their size becomes 0.
///
/// Those that are in doubt with the new index's time as well need no mark.
fn keep_doubts(
    repo: &gix::Repository,
    index: &mut gix::index::File,
    since: SystemTime,
) -> anyhow::Result<()> {
    let options = repo.stat_options()?;
    let timestamp = index.timestamp();
    let since = Time::try_from(since)?.secs;
    for entry in index.entries_mut() {
        let unseen = entry.flags.intersects(Flags::SKIP_WORKTREE | Flags::ASSUME_VALID);
        if !unseen && entry.stat.is_racy(timestamp, options) && entry.stat.mtime.secs < since {
            entry.stat.size = 0;
        }
    }
    Ok(())
}
