//! Writes the index: complete, durable, and without claiming that a file is unchanged when it might have changed.
//!
//! An entry counts as unchanged as long as its file has the stat data in the index, and these have whole seconds. So
//! an edit in the very second in which the file was examined would never be noticed. Git therefore compares the
//! entry's time with that of the index file: if it is the same or later, the entry is racy, and the content is read.
//! So the index file's time must not be later than the moment at which examining files began; that moment is taken
//! from the file system itself, as the lock file's own time. Racy entries that were not examined this time are read,
//! and stay marked if their file does not have the recorded content: their size becomes 0, git's mark for "read it".
//! See <https://git-scm.com/docs/racy-git>.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write};
use std::sync::mpsc::channel;
use std::thread;
use std::time::SystemTime;

use anyhow::Context as _;
use filetime::FileTime;
use gix::bstr::BString;
use gix::index::Entry;
use gix::index::entry::stat::{Options, Time};
use gix::index::entry::{Flags, Mode, Stat};
use gix::index::extension::Tree;
use store::durable::{Durability, Part};
use store::permissions::shared_mode;

use super::patch::Patch;
use super::{Edit, Lock, Revised};
use crate::stage::content::{self, Content, Reader};
use crate::tree::Built;
use crate::worktree::disk::Disk;

/// Which entries were compared with their files since the lock was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// All of them, as `git add -A` does.
    AtAll,
    /// Only some; racy entries stay racy.
    AtSome,
}

impl Lock {
    /// The moment at which the lock was taken, by the file system's clock.
    ///
    /// # Errors
    /// The file system does not provide it.
    pub fn taken_at(&self) -> anyhow::Result<SystemTime> {
        self.file.metadata().and_then(|meta| meta.modified()).with_context(|| self.path.display().to_string())
    }

    /// Makes `index` the repository's index, and releases the lock.
    ///
    /// `since` is the moment at which examining files began. `built` is the index's tree, if one was built; its
    /// `TREE` extension is written then, otherwise the one that the index has.
    ///
    /// # Errors
    /// It cannot be written; the old index is unchanged then.
    pub fn write(
        mut self,
        repo: &gix::Repository,
        index: impl Into<Revised>,
        built: Option<&Built>,
        looked: Looked,
        since: SystemTime,
    ) -> anyhow::Result<()> {
        self.fill(repo, index.into(), built, looked, since)?;
        self.install(repo, since)
    }

    /// Writes `index` as [`write`](Self::write) does, but leaves the repository's index as it is.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn fill(
        &mut self,
        repo: &gix::Repository,
        mut index: Revised,
        built: Option<&Built>,
        looked: Looked,
        since: SystemTime,
    ) -> anyhow::Result<()> {
        let doubt = Doubt::of(repo, index.index.timestamp(), since)?;
        if looked == Looked::AtSome && doubt.is_about_some(&index) {
            let mut whole = index.into_whole()?;
            keep_doubts(repo, &mut whole, since)?;
            index = whole.into();
        }
        let filled = self.file.set_len(0).map_err(anyhow::Error::from);
        filled
            .and_then(|()| fill(repo, index, built, &mut self.file))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Writes `index`, which is to become the repository's, while `work` finds out the stat data of the edited files:
    /// `work` reports each edit once more with its stat data, in the order of the paths. Returns whether the index
    /// was written; if not, [`write`](Self::write) has to do it. `since` is the moment at which examining files
    /// began.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn fill_while<T>(
        &mut self,
        repo: &gix::Repository,
        index: &Revised,
        since: SystemTime,
        work: impl FnOnce(&mut dyn FnMut(BString, Edit)) -> T,
    ) -> anyhow::Result<(T, bool)> {
        let doubt = Doubt::of(repo, index.index.timestamp(), since)?;
        let Some(patch) = Patch::of(&index.index, &index.edits) else {
            return Ok((work(&mut |_, _| {}), false));
        };
        let (file, sealing, path) = (&mut self.file, Sealing::of(repo), &self.path);
        let (hand, handed) = channel();
        let fill = move || {
            if doubt.is_about_some(index) {
                return Ok(false);
            }
            file.set_len(0)?;
            seal(sealing, file, |out| Ok(patch.write(handed.into_iter(), None, out)?))?;
            Ok(true)
        };
        thread::scope(|scope| {
            let filling = thread::Builder::new().name("index".into()).spawn_scoped(scope, fill)?;
            let done = work(&mut |path, edit| drop(hand.send((path, edit))));
            drop(hand);
            let filled: anyhow::Result<bool> =
                filling.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok((done, filled.with_context(|| format!("cannot write {}", path.display()))?))
        })
    }

    /// Makes what was written the repository's index, and releases the lock.
    ///
    /// # Errors
    /// The disk failed; the old index is unchanged then.
    pub fn install(mut self, repo: &gix::Repository, since: SystemTime) -> anyhow::Result<()> {
        self.replace(repo, since).with_context(|| format!("cannot write {}", self.index.display()))
    }

    /// Marks what was written as complete, so that a signal that ends the process before `install` installs it.
    ///
    /// # Errors
    /// The disk failed.
    pub(super) fn complete(&mut self, repo: &gix::Repository, since: SystemTime) -> anyhow::Result<()> {
        self.file.set_modified(since)?;
        if let Some(mode) = shared_mode(repo, &self.file.metadata()?) {
            self.file.set_permissions(mode)?;
        }
        self.at_signal.is_complete();
        Ok(())
    }

    fn replace(&mut self, repo: &gix::Repository, since: SystemTime) -> anyhow::Result<()> {
        self.complete(repo, since)?;
        let flushing = Durability::of(repo).flushing(Part::Index);
        flushing.file(&self.file)?;
        self.rename()?;
        if let Some(folder) = self.index.parent() {
            flushing.folder(folder)?;
        }
        Ok(())
    }
}

/// Writes `index`, which is not needed afterwards, to `file` in git's format.
fn fill(
    repo: &gix::Repository,
    index: Revised,
    built: Option<&Built>,
    file: &mut File,
) -> anyhow::Result<()> {
    let patch = Patch::of(&index.index, &index.edits).filter(|_| index.index.is_mapped());
    let cache = built.map(|built| &built.cache);
    let pieces = patch.map(|patch| patch.pieces(index.edits.clone().into_iter(), cache)).transpose()?;
    let Some(pieces) = pieces else { return serialise(repo, &index, built, file) };
    // From here on the old index is not in memory.
    let old = index.index.into_file().context("the index is in memory alone")?;
    seal(Sealing::of(repo), file, |out| Ok(pieces.write(&old, out)?))
}

/// Writes `index` to `file` in git's format.
pub(super) fn serialise(
    repo: &gix::Repository,
    index: &Revised,
    built: Option<&Built>,
    file: &mut File,
) -> anyhow::Result<()> {
    let (sealing, cache) = (Sealing::of(repo), built.map(|built| &built.cache));
    seal(sealing, file, |out| match Patch::of(&index.index, &index.edits) {
        Some(patch) => Ok(patch.write(index.edits.clone().into_iter(), cache, out)?),
        None => write_whole(&*index.whole()?, cache, sealing.skip_hash, out),
    })
}

/// How the checksum at the end of an index is written.
#[derive(Debug, Clone, Copy)]
struct Sealing {
    hash: gix::hash::Kind,
    /// Write zeros instead of a checksum.
    skip_hash: bool,
}

impl Sealing {
    fn of(repo: &gix::Repository) -> Self {
        let skip_hash = repo.config_snapshot().boolean("index.skipHash").unwrap_or(false);
        Self { hash: repo.object_hash(), skip_hash }
    }
}

/// The output for an index: a file, with a hash of what is written to it.
type Out<'a> = BufWriter<gix::hash::io::Write<&'a mut File>>;

/// Writes what `write` writes, followed by the checksum.
fn seal(
    sealing: Sealing,
    file: &mut File,
    write: impl FnOnce(&mut Out<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Entries are written field by field. Without this buffer the hash would be fed as piecemeal, and take longer
    // than all the rest.
    let mut out = BufWriter::with_capacity(128 * 1024, gix::hash::io::Write::new(file, sealing.hash));
    write(&mut out)?;
    let gix::hash::io::Write { hash, inner } = out.into_inner().map_err(IntoInnerError::into_error)?;
    let hash = if sealing.skip_hash { sealing.hash.null() } else { hash.try_finalize()? };
    inner.write_all(hash.as_slice())?;
    Ok(())
}

fn write_whole(
    state: &gix::index::State,
    cache: Option<&Tree>,
    skip_hash: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let options = gix::index::write::Options { extensions: gix::index::write::Extensions::None, skip_hash };
    state.write_to(&mut *out, options)?;
    // gix writes the extension only if the index that it read had one.
    cache.or(state.tree()).map_or(Ok(()), |tree| tree.write_to(out))?;
    Ok(())
}

/// Reads the files of racy entries, which cannot be told from ones edited in the same second as the old index was
/// written, and which the new index's later time would make look certain. Those whose file does not match get size 0.
///
/// Marking all of them would be correct too, but then scripts that ask without reading (`git diff-index --quiet`) see
/// changes.
fn keep_doubts(
    repo: &gix::Repository,
    index: &mut gix::index::File,
    since: SystemTime,
) -> anyhow::Result<()> {
    let doubt = Doubt::of(repo, index.timestamp(), since)?;
    // Entries that were examined since the lock was taken are as certain as the new index can make them.
    let is_in_doubt = |entry: &Entry| {
        !entry.flags.contains(Flags::UPTODATE) && doubt.is_about(entry.stat, entry.mode, entry.flags)
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

/// The criteria for a racy entry that the new index's time would hide.
struct Doubt {
    options: Options,
    /// When the old index was written.
    timestamp: FileTime,
    /// The second in which examining files began.
    since: u32,
}

impl Doubt {
    fn of(repo: &gix::Repository, timestamp: FileTime, since: SystemTime) -> anyhow::Result<Self> {
        Ok(Self { options: repo.stat_options()?, timestamp, since: Time::try_from(since)?.secs })
    }

    /// Whether there are such entries besides the edited ones.
    fn is_about_some(&self, index: &Revised) -> bool {
        (0..index.index.len()).any(|at| {
            let entry = index.index.entry(at);
            self.is_about(entry.stat, entry.mode, entry.flags) && !index.edits.contains(entry.path)
        })
    }

    fn is_about(&self, stat: Stat, mode: Mode, flags: Flags) -> bool {
        let unseen = flags.intersects(Flags::SKIP_WORKTREE | Flags::ASSUME_VALID) || mode == Mode::COMMIT;
        !unseen
            && stat.size != 0
            && stat.is_racy(self.timestamp, self.options)
            && stat.mtime.secs < self.since
    }
}
