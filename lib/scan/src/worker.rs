//! One thread of a scan: takes a directory, reports what differs directly in it, and finds more directories.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::Context as _;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::index::entry::Mode;

use crate::children::Children;
use crate::compare::full;
use crate::folder::Identity;
use crate::ignored::Ignored;
use crate::names::{Kind, Names, in_index};
use crate::nested;
use crate::pattern::Target;
use crate::pool::Pool;
use crate::task::{DirectoryHandle, Standing, Task, Unread};
use crate::untracked_cache::Record;
use crate::walk::{Scan, below};
use crate::{Difference, Status};

/// The number of files of one directory that are examined in one task; more of them are shared among the threads.
const SHARE: usize = 500;

/// What the index has directly in a directory.
#[derive(Default)]
struct Listed {
    /// The subdirectories, with the entries below them.
    folders: Vec<(BString, Range<usize>)>,
    /// The files, if they are wanted.
    files: Vec<usize>,
}

/// The part of a scan that one thread does.
pub struct Worker<'a> {
    scan: &'a Scan<'a>,
    /// The differences found.
    pub found: Vec<Difference>,
    /// The records for the cache of the directories it has visited.
    pub records: Vec<Record>,
    /// Its own tasks; the last is taken next, so that few directories are open at a time.
    tasks: VecDeque<Task>,
    names: Names,
    ignored: Option<Ignored<'a>>,
    /// The number of files that were examined and not yet reported.
    looked_at: usize,
}

impl<'a> Worker<'a> {
    /// Returns a worker that has found nothing yet.
    pub fn new(scan: &'a Scan<'a>) -> Self {
        Worker {
            scan,
            found: Vec::new(),
            records: Vec::new(),
            tasks: VecDeque::new(),
            names: Names::default(),
            ignored: None,
            looked_at: 0,
        }
    }

    /// Works until no thread has anything left to do.
    ///
    /// # Errors
    /// Something cannot be read; the error names it.
    pub fn work(&mut self, pool: &Pool<Task>, alive: &dyn Fn(usize)) -> anyhow::Result<()> {
        while let Some(task) =
            self.tasks.pop_back().or_else(|| pool.take(&mut || alive(self.scan.looked_at.load(Relaxed))))
        {
            match task {
                Task::Folder(folder) => self.folder(folder)?,
                Task::Files(place, entries) => self.files(&place, entries)?,
            }
            // Once per directory, so that the threads do not contend for the counter.
            let looked_at = std::mem::take(&mut self.looked_at);
            alive(self.scan.looked_at.fetch_add(looked_at, Relaxed) + looked_at);
            if self.scan.asked.is_some_and(|asked| !asked.load(Relaxed)) {
                std::thread::yield_now();
            }
            if self.tasks.len() > 1 && pool.is_hungry() {
                // The oldest tasks are likely to contain most.
                pool.give(self.tasks.drain(..self.tasks.len() / 2));
            }
        }
        Ok(())
    }

    fn folder(&mut self, unread: Unread) -> anyhow::Result<()> {
        let path = unread.path.as_bstr();
        if path.is_empty() {
            return self.read(unread.within.clone(), &unread);
        }
        let record = match unread.standing {
            Standing::Tracked => self.scan.memory.recall(path),
            Standing::Untracked | Standing::WasFile => None,
        };
        let name = unread.within.rest(path);
        if let Some(record) = record
            && !self.scan.interest.in_folder(path)
        {
            // Neither its names nor its files are wanted, so it is not even opened.
            let identity = unread.within.folder.identity_of(name);
            if let Some(listed) = identity.and_then(|identity| self.as_remembered(record, identity, &unread))
            {
                return self.listed(&unread.within, listed);
            }
        }
        let opened = unread.within.folder.child(name).with_context(|| self.cannot_read(path))?;
        let Some(folder) = opened else { return self.gone(unread.entries) };
        let place = DirectoryHandle::of(folder, path);
        if let Some(record) = record
            && let Some(identity) = place.folder.identity()
            && let Some(listed) = self.as_remembered(record, identity, &unread)
        {
            return self.listed(&place, listed);
        }
        self.read(place, &unread)
    }

    /// Returns what the index has directly in a directory that is `identity` now, if the directory contains nothing
    /// else: no name was added since it was recorded.
    fn as_remembered(&mut self, record: &Record, identity: Identity, unread: &Unread) -> Option<Listed> {
        if !record.is_of(identity) {
            return None;
        }
        let path = unread.path.as_bstr();
        let wants_files = self.scan.interest.in_folder(path);
        let mut fingerprint = self.scan.memory.fingerprint();
        let mut listed = Listed::default();
        for child in Children::new(self.scan.index, unread.entries.clone(), path.len() + 1) {
            fingerprint.add(child.name, child.is_folder);
            if child.is_folder {
                listed.folders.push((below(path, child.name), child.entries));
            } else if wants_files {
                listed.files.push(child.entries.start);
            }
        }
        if !record.holds(fingerprint.finish()) {
            return None;
        }
        self.records.push(*record);
        Some(listed)
    }

    /// Reads the names in a directory, and compares them with the index.
    fn read(&mut self, place: DirectoryHandle, unread: &Unread) -> anyhow::Result<()> {
        let path = unread.path.as_bstr();
        let mut names = std::mem::take(&mut self.names);
        names.clear();
        let identity = if self.scan.memory.is_on() { place.folder.identity() } else { None };
        place.folder.list(&mut names).with_context(|| self.cannot_read(path))?;
        let is_foreign = unread.standing != Standing::Tracked
            && names.contain(b".git")
            && nested::is_foreign(&self.full(path)?, &self.scan.git_dir);
        if is_foreign {
            // If it replaces a tracked file, the difference is reported with the file's entry.
            if unread.standing == Standing::Untracked && self.scan.interest.at(path) {
                self.tell(path, Status::EmbeddedRepository);
            }
        } else {
            if self.scan.composes {
                names = composed(&names);
            }
            names.sort();
            if let Some(identity) = identity.filter(|_| unread.standing == Standing::Tracked) {
                let mut fingerprint = self.scan.memory.fingerprint();
                names.iter().for_each(|name| fingerprint.add(names.of(name), name.kind == Kind::Folder));
                self.records.extend(self.scan.memory.learn(path, identity, fingerprint.finish()));
            }
            self.compare(&place, path, unread.entries.clone(), &names)?;
        }
        self.names = names;
        Ok(())
    }

    fn cannot_read(&self, path: &BStr) -> String {
        format!("cannot read {}", self.scan.root.join(path.to_string()).display())
    }

    /// Compares the names in a directory with those that the index has in it.
    fn compare(
        &mut self,
        place: &DirectoryHandle,
        path: &BStr,
        entries: Range<usize>,
        names: &Names,
    ) -> anyhow::Result<()> {
        let prefix = if path.is_empty() { 0 } else { path.len() + 1 };
        let wants_files = self.scan.interest.in_folder(path);
        let mut found = names.iter().peekable();
        let mut listed = Listed::default();
        for child in Children::new(self.scan.index, entries, prefix) {
            while let Some(name) = found.peek().copied() {
                let order = in_index(names.of(name), name.kind == Kind::Folder, child.name, child.is_folder);
                if order.is_gt() {
                    break;
                }
                found.next();
                if order.is_lt() {
                    self.unknown(place, path, names.of(name), name.kind, wants_files)?;
                }
            }
            if child.is_folder {
                listed.folders.push((below(path, child.name), child.entries));
            } else if wants_files {
                listed.files.push(child.entries.start);
            }
        }
        for name in found {
            self.unknown(place, path, names.of(name), name.kind, wants_files)?;
        }
        self.listed(place, listed)
    }

    /// Continues with what the index has directly in a directory.
    fn listed(&mut self, place: &DirectoryHandle, listed: Listed) -> anyhow::Result<()> {
        let Listed { folders, files } = listed;
        let unread =
            |(path, entries)| Unread { within: place.clone(), path, entries, standing: Standing::Tracked };
        self.tasks.extend(folders.into_iter().map(|folder| Task::Folder(unread(folder))));
        if files.len() > 2 * SHARE {
            let shares = files.chunks(SHARE);
            self.tasks.extend(shares.map(|share| Task::Files(place.clone(), share.to_vec())));
            return Ok(());
        }
        self.files(place, files)
    }

    /// Handles a name that the index lacks, or has in another spelling or as another type.
    fn unknown(
        &mut self,
        place: &DirectoryHandle,
        parent: &BStr,
        name: &BStr,
        kind: Kind,
        wants_files: bool,
    ) -> anyhow::Result<()> {
        let scan = self.scan;
        let is_dot_git = name == ".git" || scan.folded.is_some() && name.eq_ignore_ascii_case(b".git");
        if is_dot_git || kind == Kind::Other || (kind != Kind::Folder && !wants_files) {
            return Ok(());
        }
        let path = below(parent, name);
        if kind != Kind::Folder {
            self.looked_at += 1;
        }
        if kind == Kind::Folder {
            if let Some(standing) = self.standing(path.as_bstr())? {
                let within = place.clone();
                self.tasks.push_back(Task::Folder(Unread { within, path, entries: 0..0, standing }));
            }
            return Ok(());
        }
        let is_known = scan.folded.as_ref().is_some_and(|folded| folded.has(path.as_bstr()));
        let is_new = !is_known
            && scan.interest.at(path.as_bstr())
            && !self.is_ignored(path.as_bstr(), Target::File)?;
        if is_new {
            self.found.push(Difference { path, seen: Status::Untracked });
        }
        Ok(())
    }

    /// Returns how the index relates to a directory on disk that it does not have as such; `None` if that is not to
    /// be read.
    fn standing(&mut self, path: &BStr) -> anyhow::Result<Option<Standing>> {
        let entry = self.scan.index.find(path);
        if entry.is_some_and(|entry| entry.mode == Mode::COMMIT) {
            return Ok(None);
        }
        let other_spelling = self.scan.folded.as_ref().and_then(|folded| folded.length_below(path));
        if let Some(length) = other_spelling {
            let is_itself = length == path.len();
            return Ok((!is_itself).then_some(Standing::Tracked));
        }
        if self.is_ignored(path, Target::Folder)? {
            return Ok(None);
        }
        Ok(Some(if entry.is_some() { Standing::WasFile } else { Standing::Untracked }))
    }

    fn is_ignored(&mut self, path: &BStr, target: Target) -> anyhow::Result<bool> {
        let ignored = match &mut self.ignored {
            Some(ignored) => ignored,
            none => none.insert(Ignored::of(self.scan.repo.to_thread_local(), self.scan.index)?),
        };
        ignored.holds(path, target)
    }

    /// Compares tracked files.
    fn files(&mut self, place: &DirectoryHandle, entries: Vec<usize>) -> anyhow::Result<()> {
        self.looked_at += entries.len();
        for at in entries {
            self.entry(at, Some(place))?;
        }
        Ok(())
    }

    /// Reports entries whose directory does not exist.
    fn gone(&mut self, entries: Range<usize>) -> anyhow::Result<()> {
        for at in entries {
            self.entry(at, None)?;
        }
        Ok(())
    }

    fn entry(&mut self, at: usize, place: Option<&DirectoryHandle>) -> anyhow::Result<()> {
        let scan = self.scan;
        let entry = scan.index.entry(at);
        let path = entry.path;
        if !scan.interest.at(path) {
            return Ok(());
        }
        let look = || place.map_or(Ok(None), |place| place.folder.look(place.rest(path)));
        let seen = scan
            .rules
            .compare(scan.index, &entry, look, || full(&scan.root, path))
            .with_context(|| format!("cannot look at {path}"))?;
        let is_other_version = |last: &Difference| last.seen == Status::Unmerged && last.path == path;
        if let Some(seen) = seen
            && !self.found.last().is_some_and(is_other_version)
        {
            self.tell(path, seen);
        }
        Ok(())
    }

    fn tell(&mut self, path: &BStr, seen: Status) {
        self.found.push(Difference { path: path.to_owned(), seen });
    }

    fn full(&self, path: &BStr) -> anyhow::Result<PathBuf> {
        full(&self.scan.root, path)
    }
}

/// Returns the names in precomposed Unicode.
fn composed(names: &Names) -> Names {
    let mut composed = Names::default();
    for name in names.iter() {
        composed.push(&gix::utils::str::precompose_bstr(names.of(name).into()), name.kind);
    }
    composed
}
