//! All cores at work on one pack: objects are looked up, compared and compressed in parallel and come out in order,
//! with no more of them in memory than is being worked on.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use gix::{ObjectId, object::Kind};

use super::{
    Item,
    encode::{Encoded, Encoder},
    order::{Placed, Plan},
    write::{Failure, Options},
};

/// The sizes of `items` and of what they were before.
pub(super) fn sizes(
    repo: &gix::Repository,
    items: &[Item],
    threads: usize,
) -> gix::Result<HashMap<ObjectId, u64>> {
    let share = items.len().div_ceil(threads.max(1)).max(256);
    let shared = repo.clone().into_sync();
    let results: Vec<gix::Result<Vec<(ObjectId, u64)>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(share)
            .map(|items| {
                let repo = shared.to_thread_local();
                scope.spawn(move || {
                    let mut sizes = Vec::with_capacity(items.len() * 2);
                    for item in items.iter().filter(|item| !matches!(item.kind, Kind::Commit | Kind::Tag)) {
                        sizes.push((item.id, repo.find_header(item.id)?.size()));
                        if let Some(header) =
                            item.before.and_then(|id| Some((id, repo.find_header(id).ok()?)))
                        {
                            sizes.push((header.0, header.1.size()));
                        }
                    }
                    Ok(sizes)
                })
            })
            .collect();
        workers.into_iter().map(join).collect()
    });
    let mut sizes = HashMap::new();
    for result in results {
        sizes.extend(result?);
    }
    Ok(sizes)
}

fn join<T>(worker: std::thread::ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Cuts the objects into runs that are encoded one after the other, each by one thread.
fn runs(placed: &[Placed]) -> Vec<&[Placed]> {
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

/// What the threads share: which run is next, and those that are done and wait for their turn to be written.
struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: usize,
    written: usize,
    done: HashMap<usize, gix::Result<Vec<Encoded>>>,
    stop: bool,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Encodes `placed` on all cores and hands it over in order. No thread gets ahead by more than a run, so that
/// a slow receiver does not fill our memory.
pub(super) fn encode(
    repo: &gix::Repository,
    placed: &[Placed],
    options: Options,
    mut take: impl FnMut(Vec<Encoded>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let runs = &*runs(placed);
    let board = Board { state: Mutex::default(), changed: Condvar::new() };
    let threads = options.threads.clamp(1, runs.len().max(1));
    let shared = repo.clone().into_sync();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let mut encoder = Encoder::new(shared.to_thread_local(), options.limits, options.level);
            let board = &board;
            scope.spawn(move || {
                loop {
                    let mut state = board.lock();
                    while !state.stop && state.next < runs.len() && state.next > state.written + threads {
                        state = board.wait(state);
                    }
                    if state.stop || state.next == runs.len() {
                        return;
                    }
                    let mine = state.next;
                    state.next += 1;
                    drop(state);
                    let encoded = encoder.run(runs[mine]);
                    board.lock().done.insert(mine, encoded);
                    board.changed.notify_all();
                }
            });
        }
        let result = (0..runs.len()).try_for_each(|turn| {
            let mut state = board.lock();
            let encoded = loop {
                match state.done.remove(&turn) {
                    Some(encoded) => break encoded,
                    None => state = board.wait(state),
                }
            };
            drop(state);
            take(encoded.map_err(Failure::Source)?)?;
            board.lock().written = turn + 1;
            board.changed.notify_all();
            Ok(())
        });
        board.lock().stop = true;
        board.changed.notify_all();
        result
    })
}
