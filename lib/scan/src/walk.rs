//! The scan as a whole: what it needs to know, and how many threads walk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc;

use anyhow::Context as _;
use gix::bstr::{BStr, BString};
use gix::index::{AccelerateLookup, State};

use crate::compare::Rules;
use crate::folder::Folder;
use crate::index::Index;
use crate::memory::{Learnt, Memory, Record};
use crate::pool::{Pool, StopOnPanic};
use crate::task::Task;
use crate::worker::Worker;
use crate::{Difference, Interest};

/// Entries of the index that are worth a thread of their own.
const SHARE: usize = 1_000;

/// What a scan came to.
#[derive(Debug)]
pub struct Scanned {
    /// What differs, or may: sorted by path, each path once.
    pub differences: Vec<Difference>,
    /// What is worth remembering for the next scan, if that is wanted.
    pub learnt: Option<Learnt>,
}

/// Looks for all that is of interest and that differs from `index`, or may.
///
/// `alive` is called whenever something was looked at, from the calling thread, with the number of files that all
/// threads have looked at so far.
///
/// # Errors
/// A folder cannot be read, or the configuration is wrong; the error names it.
pub fn scan(
    repo: &gix::Repository,
    index: &Index,
    interest: &dyn Interest,
    alive: &dyn Fn(usize),
) -> anyhow::Result<Scanned> {
    scan_before(repo, index, interest, alive, None)
}

/// The same, for somebody who may not want it yet: until they have `asked` for it, whoever wants the processor gets it
/// after each folder.
pub fn scan_before(
    repo: &gix::Repository,
    index: &Index,
    interest: &dyn Interest,
    alive: &dyn Fn(usize),
    asked: Option<&AtomicBool>,
) -> anyhow::Result<Scanned> {
    let root = repo.workdir().context("a bare repository has no work tree")?;
    let options = repo.filesystem_options()?;
    let folder = Folder::root(root).with_context(|| format!("cannot read {}", root.display()))?;
    let composes = options.precompose_unicode && TAKES_LETTERS_APART;
    let is_plain = !options.ignore_case && !composes;
    let memory = if is_plain { Memory::of(repo, &folder) } else { Memory::off() };
    let scan = Scan {
        repo: repo.clone().into_sync(),
        root: root.to_owned(),
        git_dir: repo.git_dir().to_owned(),
        index,
        rules: Rules::of(repo)?,
        interest,
        folded: if options.ignore_case { Some(Folded::of(index.decoded()?)) } else { None },
        composes,
        memory,
        looked_at: AtomicUsize::new(0),
        asked,
    };
    let first = Task::root(folder, index.len());
    let most = index.len().div_ceil(SHARE).max(1);
    let threads = threads::processors().min(most);
    let (mut found, records) = walk(&scan, first, threads, alive)?;
    found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    // Where names are folded, a folder may have been read under two spellings.
    found.dedup_by(|later, first| later.path == first.path);
    Ok(Scanned { differences: found, learnt: scan.memory.after(records) })
}

/// Whether there are file systems here that store a name otherwise than it was given. Elsewhere a name that was put
/// together leads to no file, and git takes no notice of the setting, which a repository may bring along from a Mac.
const TAKES_LETTERS_APART: bool = cfg!(target_vendor = "apple");

/// What all threads need to know.
pub struct Scan<'a> {
    /// For the ignore rules; each thread takes a handle of its own when it needs them.
    pub repo: gix::ThreadSafeRepository,
    /// The work tree's folder.
    pub root: PathBuf,
    /// The repository's own folder, which is none of the work tree wherever it lies.
    pub git_dir: PathBuf,
    /// What is tracked.
    pub index: &'a Index,
    /// How entries are compared.
    pub rules: Rules,
    /// What is wanted.
    pub interest: &'a dyn Interest,
    /// The index by names whose case does not matter, where the file system does not tell it.
    pub folded: Option<Folded<'a>>,
    /// Whether the file system takes letters apart that git keeps whole (`core.precomposeUnicode`).
    pub composes: bool,
    /// What is known of folders from before.
    pub memory: Memory,
    /// How many files were looked at.
    pub looked_at: AtomicUsize,
    /// Whether somebody waits for the result; none where somebody always does.
    pub asked: Option<&'a AtomicBool>,
}

/// The index by names whose case does not matter.
pub struct Folded<'a> {
    index: &'a State,
    lookup: AccelerateLookup<'a>,
}

impl<'a> Folded<'a> {
    fn of(index: &'a State) -> Self {
        Folded { index, lookup: index.prepare_icase_backing() }
    }

    /// Whether the index has this path, however it is spelled.
    pub fn has(&self, path: &BStr) -> bool {
        self.index.entry_by_path_icase(path, true, &self.lookup).is_some()
    }

    /// The length of a path that the index has at or below this folder, however that is spelled.
    pub fn length_below(&self, folder: &BStr) -> Option<usize> {
        let found = self.index.entry_closest_to_directory_or_directory_icase(folder, true, &self.lookup)?;
        Some(found.path(self.index).len())
    }
}

/// Walks with as many threads, of which the calling one is the first.
fn walk(
    scan: &Scan<'_>,
    first: Task,
    threads: usize,
    alive: &dyn Fn(usize),
) -> anyhow::Result<(Vec<Difference>, Vec<Record>)> {
    let pool = Pool::new(first, threads);
    let work = |alive: &dyn Fn(usize)| {
        let _stop = StopOnPanic(&pool);
        let mut worker = Worker::new(scan);
        let done = worker.work(&pool, alive);
        if done.is_err() {
            pool.stop();
        }
        done.map(|()| (worker.found, worker.records))
    };
    std::thread::scope(|scope| {
        // What a thread found is there before the thread is gone, which takes a while. The scope tells of a panic.
        let (results, all) = mpsc::channel();
        for _ in 1..threads {
            let (results, work) = (results.clone(), &work);
            threads::spawn(scope, move || results.send(work(&|_| ())));
        }
        let own = work(alive);
        drop(results);
        let (mut found, mut records) = (Vec::new(), Vec::new());
        for result in std::iter::once(own).chain(all) {
            let (mut more, mut to_remember) = result?;
            found.append(&mut more);
            records.append(&mut to_remember);
        }
        Ok((found, records))
    })
}

/// A path below the folder `path`.
pub fn below(path: &BStr, name: &[u8]) -> BString {
    let mut whole = BString::new(Vec::with_capacity(path.len() + 1 + name.len()));
    whole.extend_from_slice(path);
    if !path.is_empty() {
        whole.push(b'/');
    }
    whole.extend_from_slice(name);
    whole
}
