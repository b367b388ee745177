//! Keeps track of submodules that a pull has moved on or removed, and that are still checked out where they were.
//!
//! Git leaves them there until somebody runs `git submodule update` or removes the directory, and `git add -A` would
//! take them for moved back or added again: the next run would undo a colleague's change without anybody having asked
//! for it. Therefore the commits that such a submodule was recorded at are remembered, in order. A submodule that is
//! checked out at an earlier one than the index records, or at any of them once it was removed, is out of date; one
//! that is at another commit was moved by the user, and is committed.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::config::Source;
use gix::index::entry::Mode;
use scan::NestedHead;
use serde::{Deserialize, Serialize};

use crate::watch::Watch;
use crate::worktree::{PathFacts, Side};

/// The file in the worktree's git directory in which this is stored.
const FILE: &str = "lockstep-submodules";

/// A submodule that was moved on or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Moved {
    path: String,
    /// The commits that the superproject recorded for it, one after the other.
    commits: Vec<String>,
}

/// The submodules that are, or may be, out of date.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outdated {
    file: PathBuf,
    all: Vec<Moved>,
    has_changed: bool,
}

impl Outdated {
    /// Returns what is stored for the submodules of `repo`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(repo: &gix::Repository) -> anyhow::Result<Self> {
        let file = repo.git_dir().join(FILE);
        let all = match fs::read(&file) {
            // A file in the format of another version is ignored.
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).context(file.display().to_string()),
        };
        Ok(Self { file, all, has_changed: false })
    }

    /// The same, without those that have since been updated, moved or removed.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn still(repo: &gix::Repository, index: &scan::Index) -> anyhow::Result<Self> {
        let mut outdated = Self::of(repo)?;
        let before = outdated.all.len();
        outdated.all.retain(|moved| is_out_of_date(repo, index, moved));
        outdated.has_changed = outdated.all.len() != before;
        Ok(outdated)
    }

    /// Records the submodules among `paths` that are about to be moved on or removed, and are checked out where they
    /// were.
    pub fn note(&mut self, repo: &gix::Repository, paths: &[PathFacts]) {
        for facts in paths {
            let (Some(old), new) = (submodule(facts.old), submodule(facts.new)) else { continue };
            if new.is_none() && facts.new.is_some() {
                continue;
            }
            let (Ok(path), Some(head)) = (facts.path.to_str(), head(repo, facts.path.as_bstr())) else {
                continue;
            };
            let before = self.all.iter().position(|moved| moved.path == path).map(|at| self.all.remove(at));
            let mut commits = before.map(|moved| moved.commits).unwrap_or_default();
            let known = commits.iter().rposition(|commit| *commit == old);
            commits.truncate(known.map_or(0, |at| at + 1));
            if commits.is_empty() {
                commits.push(old);
            }
            self.has_changed = true;
            if commits.contains(&head.to_string()) {
                commits.extend(new);
                self.all.push(Moved { path: path.to_owned(), commits });
            }
        }
    }

    /// Whether the submodule at `path` is among them.
    pub fn holds(&self, path: &BStr) -> bool {
        self.all.iter().any(|moved| path == moved.path.as_str())
    }

    /// Stores this for the next run.
    ///
    /// # Errors
    /// It cannot be written, or the lock is lost.
    pub fn write(&self, watch: &dyn Watch) -> anyhow::Result<()> {
        if !self.has_changed {
            return Ok(());
        }
        watch.check()?;
        let new = self.file.with_extension("new");
        let write =
            || fs::write(&new, serde_json::to_vec(&self.all)?).and_then(|()| fs::rename(&new, &self.file));
        write().with_context(|| format!("cannot write {}", self.file.display()))
    }
}

fn submodule(side: Option<Side>) -> Option<String> {
    side.filter(|side| side.mode == Mode::COMMIT).map(|side| side.id.to_string())
}

/// Returns the commit that is checked out in the submodule at `path`.
fn head(repo: &gix::Repository, path: &BStr) -> Option<ObjectId> {
    match scan::nested_head(&repo.workdir()?.join(gix::path::from_bstr(path).ok()?)) {
        NestedHead::Commit(id) => Some(id),
        NestedHead::None | NestedHead::Unreadable => None,
    }
}

fn is_out_of_date(repo: &gix::Repository, index: &scan::Index, moved: &Moved) -> bool {
    let path = BStr::new(&moved.path);
    let at = |commit: &str| moved.commits.iter().rposition(|known| known == commit);
    let Some(head) = head(repo, path).and_then(|head| at(&head.to_string())) else { return false };
    match index.find(path) {
        None => true,
        Some(entry) if entry.mode == Mode::COMMIT => {
            at(&entry.id.to_string()).is_some_and(|meant| head < meant)
        }
        Some(_) => false,
    }
}

/// Returns those of these repositories inside the working tree that `.gitmodules` does not name, so that nobody else
/// can know where to clone them from.
pub fn without_source(repo: &gix::Repository, mut paths: Vec<BString>) -> Vec<BString> {
    if paths.is_empty() {
        return paths;
    }
    let file = repo.workdir().map(|root| root.join(".gitmodules"));
    let named = file.and_then(|file| gix::config::File::from_path_no_includes(file, Source::Local).ok());
    let is_named = |path: &BString| {
        let mut sections = named.iter().flat_map(|file| file.sections_by_name("submodule")).flatten();
        sections.any(|section| section.value("path").is_some_and(|named| *named == *path))
    };
    paths.retain(|path| !is_named(path));
    paths
}
