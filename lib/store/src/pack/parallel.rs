//! Encodes the objects of a pack on all cores, in order and with limited memory.
//!
//! They are read, compared and compressed in parallel, and only those that are being worked on are in memory.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use gix::{ObjectId, hashtable, object::Kind};

use super::{
    Item,
    delta_bases::{Plan, PlannedEntry, SMALLEST},
    encode::{Encoded, Encoder},
    prepared::given_up,
    write::{Failure, Options},
};
use crate::objects::Reader;

/// Returns the sizes of the blobs among `items`, and those of their previous versions where the blob is large enough
/// to become a delta.
pub(super) fn sizes(
    repo: &gix::Repository,
    items: &[Item],
    threads: usize,
) -> gix::Result<hashtable::HashMap<ObjectId, u64>> {
    let files: Vec<&Item> = items.iter().filter(|item| item.kind == Kind::Blob).collect();
    let threads = 1 + threads::free(threads.saturating_sub(1));
    let share = files.len().div_ceil(threads).max(256);
    let shared = repo.clone().into_sync();
    let measured = |repo: gix::Repository, files: &[&Item]| {
        let mut reader = Reader::new(repo);
        let mut sizes = Vec::with_capacity(files.len() * 2);
        for file in files {
            let size = file.size.map_or_else(|| reader.size(file.id), Ok)?;
            sizes.push((file.id, size));
            let before = file.before.filter(|_| size >= SMALLEST);
            if let Some(before) = before.and_then(|id| Some((id, reader.size(id).ok()?))) {
                sizes.push(before);
            }
        }
        Ok(sizes)
    };
    let (here, others) = files.split_at(share.min(files.len()));
    let results: Vec<gix::Result<Vec<(ObjectId, u64)>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = others
            .chunks(share)
            .map(|files| {
                let (repo, measured) = (shared.to_thread_local(), &measured);
                threads::spawn(scope, move || measured(repo, files))
            })
            .collect();
        let mut results = vec![measured(repo.clone(), here)];
        results.extend(workers.into_iter().map(join));
        results
    });
    let mut sizes = hashtable::HashMap::default();
    for result in results {
        sizes.extend(result?);
    }
    Ok(sizes)
}

fn join<T>(worker: std::thread::ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Divides the objects into runs, each of which is encoded in order by one thread.
fn runs(placed: &[PlannedEntry]) -> Vec<&[PlannedEntry]> {
    const MOST: usize = 512;
    const HEAVIEST: u64 = 16 * 1024 * 1024;
    let mut runs = Vec::new();
    let (mut start, mut weight) = (0, 0);
    for (at, one) in placed.iter().enumerate() {
        let own = if one.plan == Plan::Streamed { 0 } else { one.size };
        if at > start && (at - start >= MOST || weight + own > HEAVIEST) {
            runs.push(&placed[start..at]);
            (start, weight) = (at, 0);
        }
        weight += own;
    }
    if start < placed.len() {
        runs.push(&placed[start..]);
    }
    runs
}

/// Encodes `placed` on all cores and hands the results over in order. At most one run more than there are threads is
/// in progress or waiting, so that a slow receiver does not fill the memory.
pub(super) fn encode(
    repo: &gix::Repository,
    items: &[Item],
    placed: &[PlannedEntry],
    options: Options,
    take: impl FnMut(Vec<Encoded>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let runs = &*runs(placed);
    let shared = repo.clone().into_sync();
    let helpers = threads::free(options.threads.min(runs.len()).saturating_sub(1));
    let workers = (0..=helpers).map(|_| {
        let mut encoder = Encoder::new(shared.to_thread_local(), items, options);
        move |run: usize| encoder.run(runs[run])
    });
    in_order(runs.len(), workers.collect(), take)
}

/// What the threads share: the number of the next job, and the results that wait for their turn.
struct Board<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    next: usize,
    taken: usize,
    done: HashMap<usize, gix::Result<T>>,
    stop: bool,
}

impl<T> Board<T> {
    fn new() -> Self {
        let state = State { next: 0, taken: 0, done: HashMap::new(), stop: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, job: usize, result: gix::Result<T>) {
        self.lock().done.insert(job, result);
        self.changed.notify_all();
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job in progress. It delivers a result even if a panic ends it, so that nothing waits for it forever.
struct Job<'a, T> {
    board: &'a Board<T>,
    number: usize,
    is_done: bool,
}

impl<T> Job<'_, T> {
    fn done(mut self, result: gix::Result<T>) {
        self.is_done = true;
        self.board.done(self.number, result);
    }
}

impl<T> Drop for Job<'_, T> {
    fn drop(&mut self) {
        if !self.is_done {
            self.board.done(self.number, Err(given_up("a thread that wrote a pack has died")));
        }
    }
}

/// Stops all workers when it is dropped, also if the thread that takes the results panics.
struct Stop<'a, T>(&'a Board<T>);

impl<T> Drop for Stop<'_, T> {
    fn drop(&mut self) {
        self.0.lock().stop = true;
        self.0.changed.notify_all();
    }
}

/// Runs the jobs `0..jobs` on the workers, each in its own thread unless there is only one, and hands the results
/// over in order.
pub(super) fn in_order<T: Send, W: FnMut(usize) -> gix::Result<T> + Send>(
    jobs: usize,
    mut workers: Vec<W>,
    mut take: impl FnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let threads = workers.len();
    let Some(mut last) = workers.pop() else { return Ok(()) };
    if jobs == 1 || threads == 1 {
        return (0..jobs).try_for_each(|job| take(last(job).map_err(Failure::Source)?));
    }
    let board = Board::new();
    let work = |mut worker: W| {
        loop {
            let mut state = board.lock();
            while !state.stop && state.next < jobs && state.next > state.taken + threads {
                state = board.wait(state);
            }
            if state.stop || state.next == jobs {
                return;
            }
            let job = Job { board: &board, number: state.next, is_done: false };
            state.next += 1;
            drop(state);
            let result = worker(job.number);
            job.done(result);
        }
    };
    let work = &work;
    std::thread::scope(|scope| {
        for worker in workers {
            threads::spawn(scope, move || work(worker));
        }
        // This thread only waits, so the last worker can use its processor.
        scope.spawn(move || work(last));
        let _stop = Stop(&board);
        (0..jobs).try_for_each(|turn| {
            let mut state = board.lock();
            let done = loop {
                match state.done.remove(&turn) {
                    Some(done) => break done,
                    None => state = board.wait(state),
                }
            };
            drop(state);
            take(done.map_err(Failure::Source)?)?;
            board.lock().taken = turn + 1;
            board.changed.notify_all();
            Ok(())
        })
    })
}

#[cfg(test)]
#[allow(clippy::panic, clippy::unwrap_used, reason = "what a panic leads to is tested")]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// Sixty jobs for three threads.
    fn sixty(work: impl Fn(usize) -> usize + Sync, take: impl FnMut(usize) -> Result<(), Failure>) -> bool {
        let worker = |_| |job: usize| Ok(work(job));
        catch_unwind(AssertUnwindSafe(|| in_order(60, (0..3).map(worker).collect(), take))).is_ok()
    }

    #[test]
    fn results_come_in_order_and_a_panic_anywhere_ends_it_all() {
        let mut taken = Vec::new();
        assert!(sixty(
            |job| job,
            |job| {
                taken.push(job);
                Ok(())
            }
        ));
        assert!(taken.into_iter().eq(0..60));
        for bad in [0, 30, 59] {
            assert!(!sixty(|job| if job == bad { panic!("job {job}") } else { job }, |_| Ok(())));
            assert!(!sixty(|job| job, |job| if job == bad { panic!("after {job}") } else { Ok(()) }));
        }
    }
}
