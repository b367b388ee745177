//! Helpers that the tests of this crate share: they open repositories independently of the tester's environment.
#![allow(dead_code, unused_imports, reason = "each test file uses its part of it")]

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use remote::{Change, Remote, RemoteName, Step, Watcher};

#[path = "../../../store/tests/common/mod.rs"]
mod opened;

pub use opened::{id, name, open};

/// The remote `origin` of `repo`.
pub fn origin(repo: &gix::Repository) -> Remote<'_> {
    Remote::named(repo, &RemoteName::parse("origin").unwrap()).unwrap()
}

/// Says stop at the given change, and keeps what it saw.
#[derive(Default)]
pub struct Stopping {
    pub at_objects: bool,
    pub at_local_refs: bool,
    pub at_remote_refs: bool,
    pub steps: Mutex<Vec<Step>>,
}

impl Watcher for Stopping {
    fn progress(&self, step: Step) {
        self.steps.lock().unwrap().push(step);
    }

    fn may_change(&self, change: Change<'_>) -> anyhow::Result<()> {
        let stop = match change {
            Change::Objects => self.at_objects,
            Change::LocalRef(_) => self.at_local_refs,
            Change::RemoteRefs => self.at_remote_refs,
        };
        if stop { Err(anyhow::anyhow!("the lock is somebody else's")) } else { Ok(()) }
    }
}

/// Sees how often a server program is started: that is what a connection to a remote on this machine is.
#[derive(Default)]
pub struct Servers(AtomicUsize);

impl Servers {
    pub fn started(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Watcher for Servers {
    fn progress(&self, step: Step) {
        if step == Step::Connecting {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
