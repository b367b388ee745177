//! Runs a scan: collects its settings, and starts its threads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc;

use anyhow::Context as _;
use gix::bstr::{BStr, BString};
use gix::index::{AccelerateLookup, State};

use crate::compare::Rules;
use crate::folder::Folder;
use crate::index::Index;
use crate::pool::{Pool, StopOnPanic};
use crate::task::Task;
use crate::untracked_cache::{CacheUpdate, Record, UntrackedCache};
use crate::worker::Worker;
use crate::{Difference, Interest};

/// The number of index entries that is worth a separate thread.
const SHARE: usize = 1_000;

/// The result of a scan.
#[derive(Debug)]
pub struct Scanned {
    /// What differs or may differ: sorted by path, each path once.
    pub differences: Vec<Difference>,
    /// The new cache for the next scan, if it is worth writing.
    pub learnt: Option<CacheUpdate>,
}

/// Looks for all that is of interest and that differs from `index`, or may differ.
///
/// `alive` is called from the calling thread whenever something was examined, with the number of files that all
/// threads have examined so far.
///
/// # Errors
/// A directory cannot be read, or the configuration is wrong; the error names it.
pub fn scan(
    repo: &gix::Repository,
    index: &Index,
    interest: &dyn Interest,
    alive: &dyn Fn(usize),
) -> anyhow::Result<Scanned> {
    scan_before(repo, index, interest, alive, None)
}

/// Like [`scan`], for a caller that may not need the result yet: until `asked` is true, the threads yield the
/// processor after each directory.
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
    let memory = if is_plain { UntrackedCache::of(repo, &folder) } else { UntrackedCache::off() };
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
    // Where case is ignored, a directory may have been read under two spellings.
    found.dedup_by(|later, first| later.path == first.path);
    Ok(Scanned { differences: found, learnt: scan.memory.after(records) })
}

/// Whether file systems on this platform may store a name in another form than it was given. Elsewhere, a precomposed
/// name would not lead to the file, and git ignores the setting, which a repository may bring along from a Mac.
const TAKES_LETTERS_APART: bool = cfg!(target_vendor = "apple");

/// What all threads of a scan share.
pub struct Scan<'a> {
    /// For the ignore rules; each thread creates its own handle when it needs them.
    pub repo: gix::ThreadSafeRepository,
    /// The top directory of the working tree.
    pub root: PathBuf,
    /// The git directory, which is not part of the working tree wherever it is.
    pub git_dir: PathBuf,
    /// The index.
    pub index: &'a Index,
    /// How entries are compared.
    pub rules: Rules,
    /// The paths that are wanted.
    pub interest: &'a dyn Interest,
    /// For lookups that ignore case, if the file system does.
    pub folded: Option<Folded<'a>>,
    /// Whether the file system decomposes Unicode that git keeps precomposed (`core.precomposeUnicode`).
    pub composes: bool,
    /// The cache of directories.
    pub memory: UntrackedCache,
    /// How many files were examined.
    pub looked_at: AtomicUsize,
    /// Whether a caller waits for the result; `None` if one always does.
    pub asked: Option<&'a AtomicBool>,
}

/// The index, for lookups that ignore case.
pub struct Folded<'a> {
    index: &'a State,
    lookup: AccelerateLookup<'a>,
}

impl<'a> Folded<'a> {
    fn of(index: &'a State) -> Self {
        Folded { index, lookup: index.prepare_icase_backing() }
    }

    /// Whether the index has this path, in any case.
    pub fn has(&self, path: &BStr) -> bool {
        self.index.entry_by_path_icase(path, true, &self.lookup).is_some()
    }

    /// Returns the length of a path that the index has at or below this directory, in any case.
    pub fn length_below(&self, folder: &BStr) -> Option<usize> {
        let found = self.index.entry_closest_to_directory_or_directory_icase(folder, true, &self.lookup)?;
        Some(found.path(self.index).len())
    }
}

/// Walks with `threads` threads, of which the calling one is the first.
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
        // A channel delivers a thread's result before the thread has exited, which takes a while. The scope reports a
        // panic.
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

/// Returns the path of `name` in the directory `path`.
pub fn below(path: &BStr, name: &[u8]) -> BString {
    let mut whole = BString::new(Vec::with_capacity(path.len() + 1 + name.len()));
    whole.extend_from_slice(path);
    if !path.is_empty() {
        whole.push(b'/');
    }
    whole.extend_from_slice(name);
    whole
}
