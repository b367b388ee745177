//! Reports progress for work that reports none itself.
//!
//! While gix indexes a pack, or a server checks what it received, nothing calls us, and a caller's lock would take
//! that for a dead run. So a thread checks every second whether anything has advanced, and reports progress only
//! then: reports driven by the clock alone would keep a stalled run alive for ever.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering, mpsc},
    time::Duration,
};

use gix::progress::{Count, Id, MessageLevel, NestedProgress, Progress, Step as Steps, StepShared, Unit};

use crate::{Step, Watcher};

/// The interval between checks.
const EVERY: Duration = Duration::from_secs(1);

/// Runs `work`, and meanwhile reports `step` to `watcher` whenever the value of `moved` has changed.
pub(crate) fn during<T>(
    watcher: &dyn Watcher,
    step: Step,
    moved: &(dyn Fn() -> u64 + Sync),
    work: impl FnOnce() -> T,
) -> T {
    std::thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut last = moved();
            while ended.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                let now = moved();
                if now != last {
                    watcher.progress(step);
                    last = now;
                }
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// A progress sink for gix: counters, of which only the fact that they change matters here.
#[derive(Clone, Default)]
pub(crate) struct Ticks {
    /// Each has its own counter, since gix also reads it back.
    own: StepShared,
    all: Arc<Mutex<Vec<StepShared>>>,
}

impl Ticks {
    /// Returns the sum of all counters.
    pub fn count(&self) -> u64 {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().chain([&self.own]).map(|one| one.load(Ordering::Relaxed) as u64).sum()
    }

    fn child(&self) -> Self {
        let own = StepShared::default();
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&own));
        Self { own, all: Arc::clone(&self.all) }
    }
}

impl Count for Ticks {
    fn set(&self, step: Steps) {
        self.own.store(step, Ordering::Relaxed);
    }

    fn step(&self) -> Steps {
        self.own.load(Ordering::Relaxed)
    }

    fn inc_by(&self, step: Steps) {
        self.own.fetch_add(step, Ordering::Relaxed);
    }

    fn counter(&self) -> StepShared {
        Arc::clone(&self.own)
    }
}

impl Progress for Ticks {
    fn init(&mut self, _max: Option<Steps>, _unit: Option<Unit>) {}

    fn set_name(&mut self, _name: String) {}

    fn name(&self) -> Option<String> {
        None
    }

    fn id(&self) -> Id {
        gix::progress::UNKNOWN
    }

    fn message(&self, _level: MessageLevel, _message: String) {}
}

impl NestedProgress for Ticks {
    type SubProgress = Self;

    fn add_child(&mut self, _name: impl Into<String>) -> Self {
        self.child()
    }

    fn add_child_with_id(&mut self, _name: impl Into<String>, _id: Id) -> Self {
        self.child()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Watcher for Counting {
        fn progress(&self, _step: Step) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn work_that_does_not_move_gives_no_sign_of_life() {
        let watcher = Counting::default();
        let result = during(&watcher, Step::Indexing, &|| 7, || {
            std::thread::sleep(EVERY + EVERY / 2);
            "done"
        });
        assert_eq!((result, watcher.0.into_inner()), ("done", 0));
    }

    #[test]
    fn what_any_child_counts_is_a_movement() {
        let mut ticks = Ticks::default();
        let mut child = ticks.add_child("one");
        child.add_child("two").inc_by(3);
        child.set(2);
        assert_eq!(ticks.count(), 5);
    }
}
