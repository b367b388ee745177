//! A repository's state, kept so that every run begins with the very same.
//!
//! Copying a repository of 100,000 files before each run would take longer than all that is measured, and would leave
//! cold caches. So a run's traces are removed instead: its objects, whatever it wrote to the git directory, its files.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::lab::{Lab, Pace};

/// What the git directory holds that is not copied: objects are removed one by one, and the index belongs to the files.
/// What a scan remembers of folders it has from the run before, as it does for users.
const APART: [&str; 3] = ["objects", "index", "lockstep-folders"];

/// A repository as it was.
#[derive(Debug)]
pub struct Frozen {
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

impl Frozen {
    /// Keeps the state of a bare repository.
    pub fn bare(lab: &Lab, git_dir: &Utf8Path) -> anyhow::Result<Self> {
        Self::new(lab, git_dir.to_owned(), None)
    }

    /// Keeps the state of a clone whose work tree is clean.
    pub fn clone(lab: &Lab, path: &Utf8Path) -> anyhow::Result<Self> {
        let head = lab.git(path, &["rev-parse", "HEAD"])?;
        Self::new(lab, path.join(".git"), Some(WorkTree { path: path.to_owned(), head }))
    }

    fn new(lab: &Lab, git_dir: Utf8PathBuf, work: Option<WorkTree>) -> anyhow::Result<Self> {
        let copy = tempfile::tempdir_in(lab.root()).context("no room to keep a repository's state")?;
        let to = Utf8Path::from_path(copy.path()).context("a temporary folder's path is not UTF-8")?;
        copy_all(&git_dir, to, &APART)?;
        let objects = files(&git_dir.join("objects"))?;
        Ok(Self { git_dir, work, objects, copy })
    }

    /// Makes the repository what it was. What is there that git would not remove by itself makes it fail.
    pub fn thaw(&self, lab: &Lab) -> anyhow::Result<()> {
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

/// Waits until the files of `clones` are what the files of users are: older than the index, and on the disk.
///
/// Git and the phases read a file again whose time is that of the index, since it may have changed after it was looked
/// at. A thousand files that were put back a moment ago would be measured as a thousand files to read. And a file that
/// is not on the disk yet costs nothing to remove, which is so for nobody's files but those of a benchmark.
pub fn settle<'a>(lab: &Lab, clones: impl IntoIterator<Item = &'a Utf8Path>) -> anyhow::Result<()> {
    if lab.pace() == Pace::Careful {
        std::thread::sleep(Duration::from_millis(1100));
    }
    for clone in clones {
        lab.git(clone, &["update-index", "-q", "--refresh", "--force-write-index"])?;
    }
    rest(lab)
}

/// How long before a run the last change was made, at least. Users hardly ever sync in the very moment in which git has
/// written an index, which nobody can rely on then.
const PAUSE: Duration = Duration::from_millis(250);

/// Waits until everything that was written is on the disk, and a moment more.
pub fn rest(lab: &Lab) -> anyhow::Result<()> {
    match lab.pace() {
        Pace::Careful => {
            flush(lab.root())?;
            std::thread::sleep(PAUSE);
            Ok(())
        }
        Pace::Quick => Ok(()),
    }
}

/// Has everything on a file system written to its disk.
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

/// Removes what is in `folder` and not in `kept`.
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

/// Whether two files hold the same. A file that is written again is a young one, which programs trust less than users'
/// files deserve: a configuration, above all, is old.
fn is_alike(a: &Utf8Path, b: &Utf8Path) -> bool {
    matches!((std::fs::read(a), std::fs::read(b)), (Ok(a), Ok(b)) if a == b)
}
