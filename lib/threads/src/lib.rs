//! Starts threads so that they run at once if another processor is idle.
//!
//! Linux starts a thread on the processor of its creator, and wakes a thread on the processor of the one that it
//! waited for, unless it sees an idle one; as the guest of a hypervisor it often does not see that one is idle. The
//! two threads then share one processor, a time slice each, until the load is balanced: after some ten milliseconds,
//! or not at all before the work is done. Most work here takes no longer. So a thread that finds itself on the other
//! one's processor moves to another; its affinity stays unchanged. `benches/beside.rs` measures the effect on a
//! machine.

use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle, Scope, ScopedJoinHandle},
};

/// How many threads are working: the main one, and those that were started here.
static WORKING: AtomicUsize = AtomicUsize::new(1);

/// Returns how many processors this process may use. They are counted only once, since that reads files.
#[must_use]
pub fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Returns how many more threads can run at once, if there is work for `most`: each thread that is working, the main
/// one included, occupies a processor. More threads than that would wait for each other.
#[must_use]
pub fn free(most: usize) -> usize {
    if most == 0 {
        return 0;
    }
    processors().saturating_sub(WORKING.load(Ordering::Relaxed)).min(most)
}

/// Waits for another thread by `wait`; meanwhile the calling thread's processor counts as free.
pub fn waiting<T>(wait: impl FnOnce() -> T) -> T {
    /// Counts the thread as working again, even after a panic.
    struct Again;

    impl Drop for Again {
        fn drop(&mut self) {
            WORKING.fetch_add(1, Ordering::Relaxed);
        }
    }

    WORKING.fetch_sub(1, Ordering::Relaxed);
    let _again = Again;
    wait()
}

/// A thread that was started here, until it ends.
struct Working(());

impl Working {
    fn begin() -> Self {
        WORKING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        WORKING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts a thread for CPU-bound work within `scope`.
pub fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    let (here, working) = (processor::current(), Working::begin());
    let thread = scope.spawn(move || {
        let _working = working;
        processor::leave(here);
        work()
    });
    processor::give_way();
    thread
}

/// Starts a thread for CPU-bound work that may outlive its creator.
///
/// # Errors
/// The system cannot create another thread.
pub fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let (here, working) = (processor::current(), Working::begin());
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _working = working;
        processor::leave(here);
        work()
    })?;
    processor::give_way();
    Ok(thread)
}

/// Records the processor that a thread runs on, for another thread that works at the same time.
#[derive(Debug)]
pub struct ProcessorHint(AtomicUsize);

impl Default for ProcessorHint {
    /// No processor yet.
    fn default() -> Self {
        Self(AtomicUsize::new(usize::MAX))
    }
}

impl ProcessorHint {
    /// Records the processor of the calling thread.
    pub fn here(&self) {
        self.0.store(processor::current(), Ordering::Relaxed);
    }

    /// Moves the calling thread to another processor, if it runs on the recorded one.
    pub fn avoid(&self) {
        processor::leave(self.0.load(Ordering::Relaxed));
    }
}

#[cfg(target_os = "linux")]
mod processor {
    use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// Returns the processor of the calling thread.
    pub fn current() -> usize {
        sched_getcpu()
    }

    /// Moves the calling thread to another processor, if it runs on `processor`.
    pub fn leave(processor: usize) {
        if current() != processor {
            return;
        }
        let Ok(all) = sched_getaffinity(None) else { return };
        let mut others = all;
        others.unset(processor);
        if others.count() > 0 && sched_setaffinity(None, &others).is_ok() {
            // The thread stays on the new processor until the system has a reason to move it.
            let _ = sched_setaffinity(None, &all);
        }
    }

    /// Lets a thread that waits for this processor run, if only to move elsewhere.
    pub fn give_way() {
        std::thread::yield_now();
    }
}

#[cfg(not(target_os = "linux"))]
mod processor {
    pub fn current() -> usize {
        0
    }

    pub fn leave(_processor: usize) {}

    pub fn give_way() {}
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use std::sync::Mutex;

    use rustix::thread::{sched_getaffinity, sched_getcpu};

    use super::*;

    #[test]
    fn a_thread_leaves_the_processor_of_the_other_one_and_may_still_run_anywhere() {
        let all = sched_getaffinity(None).unwrap();
        let place = ProcessorHint::default();
        place.here();
        place.avoid();
        assert!(all.count() == 1 || sched_getcpu() != place.0.load(Ordering::Relaxed));
        assert_eq!(sched_getaffinity(None).unwrap(), all);
        // No processor is recorded.
        ProcessorHint::default().avoid();
        assert_eq!(sched_getaffinity(None).unwrap(), all);
    }

    /// The count is global, so only one test may run at a time.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn who_works_takes_a_processor_and_who_waits_gives_it_back() {
        let _alone = ALONE.lock().unwrap();
        let all = thread::available_parallelism().unwrap().get();
        assert_eq!(free(0), 0);
        assert_eq!(free(usize::MAX), all - 1);
        let beside = || thread::scope(|scope| spawn(scope, || free(usize::MAX)).join().unwrap());
        assert_eq!(beside(), all.saturating_sub(2));
        assert_eq!(waiting(beside), all - 1);
        assert!(thread::scope(|scope| spawn(scope, || waiting(|| panic!("on purpose"))).join()).is_err());
        assert_eq!(free(usize::MAX), all - 1);
    }

    #[test]
    fn both_kinds_of_threads_do_their_work_and_may_run_anywhere() {
        let _alone = ALONE.lock().unwrap();
        let all = sched_getaffinity(None).unwrap();
        let allowed = || sched_getaffinity(None).unwrap();
        assert_eq!(thread::scope(|scope| spawn(scope, allowed).join().unwrap()), all);
        assert_eq!(start("worker", allowed).unwrap().join().unwrap(), all);
    }
}
