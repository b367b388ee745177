//! Shares work among threads that find more work as they go.
//!
//! Directories have very different sizes, which are not known beforehand. So each thread keeps the tasks that it
//! finds, and gives half of them away when another thread has run out: the threads contend only when one of them is
//! idle, and soon have equal amounts of work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an idle thread waits before it reports that it is alive.
const NAP: Duration = Duration::from_secs(1);

/// Tasks for several threads.
pub struct Pool<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    threads: usize,
    /// Whether more threads wait for a task than there are tasks.
    hungry: AtomicBool,
}

struct State<T> {
    tasks: Vec<T>,
    working: usize,
    stopped: bool,
}

impl<T> Pool<T> {
    /// Returns a pool for `threads`, each of which has to call [`Pool::take`] until there is nothing left.
    pub fn new(first: T, threads: usize) -> Self {
        let state = Mutex::new(State { tasks: vec![first], working: threads, stopped: false });
        Pool { state, changed: Condvar::new(), threads, hungry: AtomicBool::new(false) }
    }

    /// Returns the next task; `None` once all threads have run out of tasks, or one has failed. While it waits, it
    /// calls `nap` now and then.
    pub fn take(&self, nap: &mut dyn FnMut()) -> Option<T> {
        let mut state = self.state();
        state.working -= 1;
        loop {
            if state.stopped {
                return None;
            }
            if let Some(task) = state.tasks.pop() {
                state.working += 1;
                self.note_hunger(&state);
                return Some(task);
            }
            if state.working == 0 {
                state.stopped = true;
                self.changed.notify_all();
                return None;
            }
            self.note_hunger(&state);
            let waited = self.changed.wait_timeout(state, NAP);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            nap();
        }
    }

    /// Whether a thread waits for a task, and there is none for it.
    pub fn is_hungry(&self) -> bool {
        self.hungry.load(Ordering::Relaxed)
    }

    /// Gives tasks to the threads that wait, the first ones first.
    pub fn give(&self, tasks: impl DoubleEndedIterator<Item = T>) {
        let mut state = self.state();
        state.tasks.extend(tasks.rev());
        self.note_hunger(&state);
        self.changed.notify_all();
    }

    /// Ends the work of all threads; the remaining tasks do not matter any more.
    pub fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    fn note_hunger(&self, state: &State<T>) {
        self.hungry.store(self.threads - state.working > state.tasks.len(), Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the pool when a thread panics; otherwise the others would wait for its tasks for ever.
pub struct StopOnPanic<'a, T>(pub &'a Pool<T>);

impl<T> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn all_that_comes_up_is_done_once_and_then_everybody_stops() {
        let (pool, done) = (Pool::new(12_u32, 4), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut own = Vec::new();
                    while let Some(task) = own.pop().or_else(|| pool.take(&mut || ())) {
                        done.fetch_add(1, Ordering::Relaxed);
                        own.extend((task > 0).then(|| [task - 1, task - 1]).into_iter().flatten());
                        if pool.is_hungry() && own.len() > 1 {
                            pool.give(own.drain(..own.len() / 2));
                        }
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), (1 << 13) - 1);
    }

    #[test]
    fn who_still_waits_for_a_task_is_hungry_though_another_was_given_one() {
        let pool = Pool::new("the first", 3);
        assert_eq!(pool.take(&mut || ()), Some("the first"));
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..2).map(|_| scope.spawn(|| pool.take(&mut || ()))).collect();
            while pool.state().working > 1 {
                std::thread::yield_now();
            }
            pool.give(["the second"].into_iter());
            assert!(pool.is_hungry());
            pool.give(["the third"].into_iter());
            assert!(!pool.is_hungry());
            let mut got: Vec<_> = others.into_iter().map(|other| other.join().unwrap()).collect();
            got.sort_unstable();
            assert_eq!(got, [Some("the second"), Some("the third")]);
        });
    }

    #[test]
    fn the_first_task_that_is_given_is_the_next() {
        let pool = Pool::new(1, 1);
        pool.give([2, 3].into_iter());
        assert_eq!(pool.take(&mut || ()), Some(2));
    }
}
