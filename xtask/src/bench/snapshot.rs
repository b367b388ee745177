//! Saves a repository's state, so that every run begins with the same one.
//!
//! Copying a repository of 100,000 files before each run would take longer than all measurements, and would leave
//! cold caches. So the traces of a run are removed instead: its objects, its files, and whatever it wrote to the git
//! directory.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::sandbox::{Pace, Sandbox};

/// The parts of the git directory that are not copied: objects are removed one by one, and the index belongs to the
/// files. The scan's memory of directories stays from the run before, as it does for users.
const APART: [&str; 3] = ["objects", "index", "lockstep-folders"];

/// A repository's saved state.
#[derive(Debug)]
pub struct Snapshot {
    git_dir: Utf8PathBuf,
    work: Option<WorkTree>,
    objects: BTreeSet<Utf8PathBuf>,
    /// A copy of the git directory's other files.
    copy: tempfile::TempDir,
}

#[derive(Debug)]
struct WorkTree {
    path: Utf8PathBuf,
    head: String,
}

impl Snapshot {
    /// Saves the state of a bare repository.
    pub fn bare(lab: &Sandbox, git_dir: &Utf8Path) -> anyhow::Result<Self> {
        Self::new(lab, git_dir.to_owned(), None)
    }

    /// Saves the state of a clone whose working tree is clean.
    pub fn clone(lab: &Sandbox, path: &Utf8Path) -> anyhow::Result<Self> {
        let head = lab.git(path, &["rev-parse", "HEAD"])?;
        Self::new(lab, path.join(".git"), Some(WorkTree { path: path.to_owned(), head }))
    }

    fn new(lab: &Sandbox, git_dir: Utf8PathBuf, work: Option<WorkTree>) -> anyhow::Result<Self> {
        let copy = tempfile::tempdir_in(lab.root()).context("no room to keep a repository's state")?;
        let to = Utf8Path::from_path(copy.path()).context("a temporary folder's path is not UTF-8")?;
        copy_all(&git_dir, to, &APART)?;
        let objects = files(&git_dir.join("objects"))?;
        Ok(Self { git_dir, work, objects, copy })
    }

    /// Restores the repository's state.
    ///
    /// # Errors
    /// A run removed an object, or git fails to restore the files.
    pub fn thaw(&self, lab: &Sandbox) -> anyhow::Result<()> {
        if let Some(work) = &self.work {
            lab.git(&work.path, &["reset", "--quiet", "--hard", &work.head])?;
            lab.git(&work.path, &["clean", "-ffdxq"])?;
        }
        let now = files(&self.git_dir.join("objects"))?;
        if let Some(gone) = self.objects.difference(&now).next() {
            bail!("a run removed {gone}: its repository cannot be made what it was");
        }
        for new in now.difference(&self.objects) {
            std::fs::remove_file(new).with_context(|| format!("{new} could not be removed"))?;
        }
        let copy = Utf8Path::from_path(self.copy.path()).context("a temporary folder's path is not UTF-8")?;
        remove_others(&self.git_dir, copy, &APART)?;
        copy_all(copy, &self.git_dir, &[])
    }
}

/// Waits until the files of `clones` are like those of users: older than the index, and on disk.
///
/// Git and the phases read a file again if its time is that of the index (a racy entry), since it may have changed
/// after it was examined. A thousand files that were just restored would be measured as a thousand files to read. And
/// a file that is not on disk yet costs nothing to remove, which happens only in a benchmark.
pub fn settle<'a>(lab: &Sandbox, clones: impl IntoIterator<Item = &'a Utf8Path>) -> anyhow::Result<()> {
    if lab.pace() == Pace::Careful {
        std::thread::sleep(Duration::from_millis(1100));
    }
    for clone in clones {
        lab.git(clone, &["update-index", "-q", "--refresh", "--force-write-index"])?;
    }
    rest(lab)
}

/// The minimum time between the last change and a run. Users rarely sync in the moment in which git has written an
/// index, whose entries are all racy then.
const PAUSE: Duration = Duration::from_millis(250);

/// Waits until everything that was written is on disk, and for `PAUSE` more.
pub fn rest(lab: &Sandbox) -> anyhow::Result<()> {
    match lab.pace() {
        Pace::Careful => {
            flush(lab.root())?;
            std::thread::sleep(PAUSE);
            Ok(())
        }
        Pace::Quick => Ok(()),
    }
}

/// Flushes a file system to its disk.
#[cfg(target_os = "linux")]
fn flush(folder: &Utf8Path) -> anyhow::Result<()> {
    let folder = std::fs::File::open(folder).with_context(|| format!("{folder} cannot be opened"))?;
    rustix::fs::syncfs(folder).context("the file system cannot be flushed")
}

#[cfg(not(target_os = "linux"))]
fn flush(_: &Utf8Path) -> anyhow::Result<()> {
    Ok(())
}

fn files(folder: &Utf8Path) -> anyhow::Result<BTreeSet<Utf8PathBuf>> {
    let mut found = BTreeSet::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in folder.read_dir_utf8().with_context(|| format!("{folder} could not be read"))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                todo.push(entry.into_path());
            } else {
                found.insert(entry.into_path());
            }
        }
    }
    Ok(found)
}

fn copy_all(from: &Utf8Path, to: &Utf8Path, but: &[&str]) -> anyhow::Result<()> {
    for entry in from.read_dir_utf8().with_context(|| format!("{from} could not be read"))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if but.contains(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target).with_context(|| format!("{target} could not be made"))?;
            copy_all(entry.path(), &target, &[])?;
        } else if !is_alike(entry.path(), &target) {
            std::fs::copy(entry.path(), &target).with_context(|| format!("{target} could not be written"))?;
        }
    }
    Ok(())
}

/// Removes what `folder` contains and `kept` does not.
fn remove_others(folder: &Utf8Path, kept: &Utf8Path, but: &[&str]) -> anyhow::Result<()> {
    for entry in folder.read_dir_utf8().with_context(|| format!("{folder} could not be read"))? {
        let entry = entry?;
        if but.contains(&entry.file_name()) {
            continue;
        }
        let (path, kept) = (entry.path(), kept.join(entry.file_name()));
        let removed = match (entry.file_type()?.is_dir(), kept.is_dir()) {
            (true, true) => {
                remove_others(path, &kept, &[])?;
                Ok(())
            }
            (true, false) => std::fs::remove_dir_all(path),
            (false, _) if kept.is_file() => Ok(()),
            (false, _) => std::fs::remove_file(path),
        };
        removed.with_context(|| format!("{path} could not be removed"))?;
    }
    Ok(())
}

/// Whether two files have the same content. Rewriting a file would make it recent, and programs trust recent files
/// less than they would a user's; a configuration file in particular is old.
fn is_alike(a: &Utf8Path, b: &Utf8Path) -> bool {
    matches!((std::fs::read(a), std::fs::read(b)), (Ok(a), Ok(b)) if a == b)
}
