//! Gathers the facts on which an update is planned: the paths that differ, their index entries, and what is on disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::stat::Options as StatOptions;
use gix::index::entry::{Flags, Mode, Stat};

use super::current_dir::here;
use super::diff::{Change, diff};
use super::disk::{Disk, Found, Kind, is_at_or_below, parents};
use super::{Refused, Side};
use crate::index::Sparse;
use crate::stage::content::{self, Abilities, Content, Reader};
use crate::watch::Watch;

/// From this many paths on, starting a second thread pays off: each path takes some microseconds.
const WORTH_IT: usize = 256;

/// Everything that the plan needs to know.
#[derive(Debug)]
pub struct Facts {
    /// The tree that the working tree and the index are at.
    pub from: ObjectId,
    /// The tree that they are to become.
    pub to: ObjectId,
    /// Every path that differs between the two trees, sorted.
    pub paths: Vec<PathFacts>,
    /// Names in the new tree that must not be written.
    pub hostile: Vec<Refused>,
}

/// One path that differs between the two trees.
#[derive(Debug, Clone, PartialEq)]
pub struct PathFacts {
    /// The path.
    pub path: BString,
    /// What the old tree has there.
    pub old: Option<Side>,
    /// What the new tree has there.
    pub new: Option<Side>,
    /// What the index has there.
    pub entry: Option<EntryFacts>,
    /// What is on disk.
    pub disk: OnDisk,
    /// The parent that exists on disk but is not a directory.
    pub blocked: Option<BString>,
    /// An entry of the index alone for which the path leaves no place: a parent, or something below it.
    pub staged_around: Option<BString>,
    /// Whether the path belongs in the working tree, by the patterns of a sparse checkout.
    pub wanted: bool,
}

/// What the index says about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryFacts {
    /// The staged object and mode.
    pub side: Side,
    /// Its flags: assume-unchanged, skip-worktree, intent-to-add.
    pub flags: Flags,
    /// It is marked skip-worktree and does not exist: left out of the working tree on purpose.
    pub left_out: bool,
    /// The flags that the entry keeps when it is replaced.
    pub stay: Flags,
}

/// What is on disk at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum OnDisk {
    /// Nothing.
    Nothing,
    /// What the index entry says, with these stat data.
    AsInIndex(Stat),
    /// Not what the index says, if it has an entry, but what the new tree says; with these stat data.
    AsInNew(Stat),
    /// A file or symbolic link with other content.
    Other,
    /// A directory, and the first thing in it, if any, that this update will not remove.
    Folder(Option<BString>),
    /// A directory that is, or contains, the current directory, and contains nothing else that stays.
    UnderFoot,
    /// It cannot be read; the reason as text.
    Unreadable(String),
}

/// Examines the paths that differ between the trees `from` and `to`, without changing anything.
///
/// # Errors
/// An object is missing or damaged, or the configuration is wrong.
pub fn look(
    repo: &gix::Repository,
    index: &scan::Index,
    from: ObjectId,
    to: ObjectId,
    watch: &dyn Watch,
) -> anyhow::Result<Facts> {
    let root = repo.workdir().context("a bare repository has no work tree")?;
    let diff = diff(repo, from, to)?;
    let leaving: BTreeSet<&BStr> = diff
        .changes
        .iter()
        .filter(|(_, change)| change.old.is_some())
        .map(|(path, _)| path.as_bstr())
        .collect();
    let abilities = Abilities::of(repo)?;
    let folded =
        leaving.iter().filter(|_| !abilities.case).map(|path| path.to_ascii_lowercase().into()).collect();
    let view = View {
        root,
        here: here(root),
        sparse: Sparse::of(repo)?,
        abilities,
        stat: repo.stat_options()?,
        index,
        leaving: &leaving,
        folded: &folded,
    };
    let changes: Vec<_> = diff.changes.iter().collect();
    let (here, there) =
        changes.split_at(if changes.len() < WORTH_IT { changes.len() } else { changes.len() / 2 });
    let paths = thread::scope(|scope| {
        let other = (!there.is_empty()).then(|| {
            let (repo, view) = (store::clone_view(repo), &view);
            threads::spawn(scope, move || view.look(&repo, there, &()))
        });
        let mut paths = view.look(repo, here, watch)?;
        if let Some(other) = other {
            paths.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        anyhow::Ok(paths)
    })?;
    Ok(Facts { from, to, paths, hostile: diff.hostile })
}

/// What is the same for all paths, and shared by all threads.
struct View<'a> {
    root: &'a Path,
    /// The current directory, if it is below the root.
    here: Option<BString>,
    sparse: Sparse,
    abilities: Abilities,
    stat: StatOptions,
    index: &'a scan::Index,
    /// The paths that the old tree has; those that go are removed before anything is written.
    leaving: &'a BTreeSet<&'a BStr>,
    /// The same in lower case, if the file system ignores case: `FILE` is then no obstacle to `file`.
    folded: &'a BTreeSet<BString>,
}

impl View<'_> {
    /// Examines these paths, one after the other.
    fn look(
        &self,
        repo: &gix::Repository,
        changes: &[(&BString, &Change)],
        watch: &dyn Watch,
    ) -> anyhow::Result<Vec<PathFacts>> {
        let mut look = Look { view: self, disk: Disk::new(self.root), repo, reader: None, watch };
        let mut paths = Vec::with_capacity(changes.len());
        for (path, change) in changes {
            watch.alive();
            paths.push(look.at(path.as_bstr(), change)?);
        }
        Ok(paths)
    }
}

impl View<'_> {
    /// Returns an index entry at a parent of the path, or below it. What the old tree has is removed from there.
    fn staged_around(&self, path: &BStr) -> Option<BString> {
        let is_staged = |entry: &BStr| !self.leaving.contains(entry);
        let mut above = parents(path).filter(|parent| self.index.find(parent).is_some());
        if let Some(parent) = above.find(|parent| is_staged(parent)) {
            return Some(parent.to_owned());
        }
        let folder = BString::from([path, b"/".as_slice()].concat());
        let first = scan::first_without(0..self.index.len(), |at| self.index.path(at) < folder.as_bstr());
        let entries = (first..self.index.len()).map(|at| self.index.path(at));
        let mut below = entries.take_while(|entry| entry.starts_with(&folder));
        below.find(|entry| is_staged(entry)).map(ToOwned::to_owned)
    }
}

struct Look<'a> {
    view: &'a View<'a>,
    disk: Disk,
    repo: &'a gix::Repository,
    /// Created for the first file that has to be read; most often no file has.
    reader: Option<Reader<'a>>,
    watch: &'a dyn Watch,
}

impl Look<'_> {
    fn at(&mut self, path: &BStr, change: &Change) -> anyhow::Result<PathFacts> {
        let blocked = self.blocked(path)?;
        let entry = self.view.index.find(path);
        let is_another =
            entry.is_none() && self.view.folded.contains(&BString::from(path.to_ascii_lowercase()));
        let found = if blocked.is_some() || is_another { None } else { self.disk.look(path)? };
        let facts = entry.map(|entry| EntryFacts {
            side: side(&entry),
            flags: entry.flags & (Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD),
            left_out: entry.flags.contains(Flags::SKIP_WORKTREE) && found.is_none(),
            stay: if self.view.sparse.is_on() {
                // In a sparse checkout, a file that exists despite skip-worktree counts as a normal one.
                entry.flags & Flags::ASSUME_VALID
            } else {
                entry.flags & (Flags::ASSUME_VALID | Flags::SKIP_WORKTREE)
            },
        });
        let disk = match found {
            None => OnDisk::Nothing,
            Some(Found { kind: Kind::Folder, .. }) => match self.foreign(path)? {
                None if self.is_under_foot(path) => OnDisk::UnderFoot,
                inside => OnDisk::Folder(inside),
            },
            Some(found) => self.compare(path, change, entry.as_ref(), &found)?,
        };
        let (old, new) = (change.old, change.new);
        Ok(PathFacts {
            path: path.to_owned(),
            old,
            new,
            entry: facts,
            disk,
            blocked,
            staged_around: new.filter(|_| entry.is_none()).and_then(|_| self.view.staged_around(path)),
            wanted: self.view.sparse.contains(path),
        })
    }

    fn is_under_foot(&self, path: &BStr) -> bool {
        self.view.here.as_ref().is_some_and(|here| is_at_or_below(here.as_bstr(), path))
    }

    /// The parent that exists but is not a directory; a missing one blocks nothing.
    fn blocked(&mut self, path: &BStr) -> anyhow::Result<Option<BString>> {
        let Some(parent) = self.disk.blocked(path)? else { return Ok(None) };
        let is_there = super::disk::lstat(&self.disk.full(parent.as_bstr())?)?.is_some();
        Ok(is_there.then_some(parent))
    }

    fn compare(
        &mut self,
        path: &BStr,
        change: &Change,
        entry: Option<&scan::Entry<'_>>,
        found: &Found,
    ) -> anyhow::Result<OnDisk> {
        if let Some(entry) = entry
            && self.is_surely(entry, found)
        {
            return Ok(OnDisk::AsInIndex(found.stat));
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::new(self.repo, self.view.index.decoded()?)?),
        };
        let index = self.view.index.decoded()?;
        let content = reader.read(&mut self.disk, path, index, content::Into::Nowhere, self.watch)?;
        Ok(match content {
            Content::Read { id, found } => {
                let is = |side: Side| {
                    side.id == id
                        && content::mode(found.kind, Some(side.mode), self.view.abilities) == Some(side.mode)
                };
                if entry.is_some_and(|entry| is(side(entry))) {
                    OnDisk::AsInIndex(found.stat)
                } else if change.new.is_some_and(is) {
                    OnDisk::AsInNew(found.stat)
                } else {
                    OnDisk::Other
                }
            }
            Content::Missing => OnDisk::Nothing,
            Content::NotAFile(_) | Content::UnreadableRepository | Content::KeepsChanging => OnDisk::Other,
            Content::FilterFailed(failed) => OnDisk::Unreadable(failed.to_string()),
            Content::EncodingFailed(failed) => OnDisk::Unreadable(failed.to_string()),
            Content::Failed(why) => OnDisk::Unreadable(why),
        })
    }

    /// Whether the stat data alone prove that the file is as the index says.
    fn is_surely(&self, entry: &scan::Entry<'_>, found: &Found) -> bool {
        let has_mode = content::mode(found.kind, Some(entry.mode), self.view.abilities) == Some(entry.mode);
        let marked = entry.stat.size == 0 && !entry.id.is_empty_blob();
        entry.mode != Mode::COMMIT
            && has_mode
            && !marked
            && !entry.flags.contains(Flags::INTENT_TO_ADD)
            && entry.stat.matches(&found.stat, self.view.stat)
            && !entry.stat.is_racy(self.view.index.timestamp(), self.view.stat)
    }

    /// Returns the first thing in the directory at `path` that this update does not remove; directories themselves do
    /// not count.
    fn foreign(&mut self, path: &BStr) -> anyhow::Result<Option<BString>> {
        let mut open = vec![path.to_owned()];
        while let Some(folder) = open.pop() {
            let full = self.disk.full(folder.as_bstr())?;
            let entries =
                std::fs::read_dir(&full).with_context(|| format!("cannot read {}", full.display()))?;
            for entry in entries {
                let entry = entry.with_context(|| format!("cannot read {}", full.display()))?;
                let name = gix::path::os_string_into_bstring(entry.file_name())?;
                let mut below = folder.clone();
                below.push(b'/');
                below.extend_from_slice(&name);
                if entry.file_type()?.is_dir() && name != ".git" {
                    open.push(below);
                } else if !self.view.leaving.contains(below.as_bstr()) {
                    return Ok(Some(below));
                }
            }
        }
        Ok(None)
    }
}

fn side(entry: &scan::Entry<'_>) -> Side {
    Side { id: entry.id.to_owned(), mode: entry.mode }
}

/// Whether one of the parents of `path` is in `paths`.
pub(super) fn has_parent_in(path: &BStr, paths: &BTreeSet<&BStr>) -> bool {
    parents(path).any(|parent| paths.contains(parent))
}
