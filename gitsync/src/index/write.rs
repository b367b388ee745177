//! Writing the index: whole, durable, and never claiming that a file is unchanged when it might not be.
//!
//! An entry counts as unchanged while its file's stat data are those in the index, and these have whole seconds. So a
//! file that is edited in the very second in which it was looked at would hide for ever. Git compares such an entry's
//! time with that of the index file: at or after it, the content is read. Therefore the file's time must not be later
//! than the moment at which looking began; the moment is taken from the file system itself, as the lock file's own time.
//! Entries that were in doubt and not looked at this time are read, and keep their doubt if they do not hold what they
//! should: their size becomes 0, git's mark for "read it".
//! See <https://git-scm.com/docs/racy-git>.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write as _};
use std::time::SystemTime;

use anyhow::Context as _;
use gix::index::Entry;
use gix::index::entry::stat::Time;
use gix::index::entry::{Flags, Mode};
use remote::durable::{Durability, Part};
use remote::permissions::shared_mode;

use super::Lock;
use crate::stage::content::{self, Content, Reader};
use crate::tree::Built;
use crate::worktree::disk::Disk;

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
        let flushing = Durability::of(repo).flushing(Part::Index);
        flushing.file(&self.file)?;
        self.rename()?;
        if let Some(folder) = self.index.parent() {
            flushing.folder(folder)?;
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
    // Entries are written field by field: the hash is fed with what has gathered, or it takes longer than all the rest.
    let mut out = BufWriter::with_capacity(128 * 1024, gix::hash::io::Write::new(file, repo.object_hash()));
    let state: &gix::index::State = index;
    state.write_to(&mut out, options)?;
    // gix writes the extension only where the index it read had one.
    if let Some(tree) = built.map(|built| &built.cache).or(index.tree()) {
        tree.write_to(&mut out)?;
    }
    let gix::hash::io::Write { hash, inner } = out.into_inner().map_err(IntoInnerError::into_error)?;
    let hash = if skip_hash { repo.object_hash().null() } else { hash.try_finalize()? };
    inner.write_all(hash.as_slice())?;
    Ok(())
}

/// See to the entries that cannot be told from an edit made in the same second as the old index, and that the new one's
/// time would make look sure: they are read. Those whose file does not hold what they say get size 0.
///
/// To mark them all would do, but then scripts that ask without reading (`git diff-index --quiet`) see changes.
fn keep_doubts(
    repo: &gix::Repository,
    index: &mut gix::index::File,
    since: SystemTime,
) -> anyhow::Result<()> {
    let options = repo.stat_options()?;
    let (timestamp, since) = (index.timestamp(), Time::try_from(since)?.secs);
    let is_in_doubt = |entry: &Entry| {
        let unseen =
            entry.flags.intersects(Flags::SKIP_WORKTREE | Flags::ASSUME_VALID) || entry.mode == Mode::COMMIT;
        // Those that were looked at since the lock was taken are as sure as the new index can be.
        let looked_at = entry.flags.contains(Flags::UPTODATE);
        !unseen
            && !looked_at
            && entry.stat.size != 0
            && entry.stat.is_racy(timestamp, options)
            && entry.stat.mtime.secs < since
    };
    let doubtful: Vec<usize> =
        (0..index.entries().len()).filter(|at| is_in_doubt(&index.entries()[*at])).collect();
    if doubtful.is_empty() {
        return Ok(());
    }
    let mut disk = Disk::new(repo.workdir().context("a bare repository has no work tree")?);
    let mut reader = Reader::new(repo, index)?;
    for at in doubtful {
        let entry = &index.entries()[at];
        let content = reader.read(&mut disk, entry.path(index), index, content::Into::Nowhere, &())?;
        let is_sure =
            matches!(content, Content::Read { id, found } if id == entry.id && found.stat == entry.stat);
        if !is_sure {
            index.entries_mut()[at].stat.size = 0;
        }
    }
    Ok(())
}
