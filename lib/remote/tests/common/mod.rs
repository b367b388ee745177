//! Helpers that the tests of this crate share: they open repositories independently of the tester's environment.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use remote::{Change, Remote, RemoteName, Step, Watcher};
use testkit::Repo;

/// Opens a repository with its own configuration only.
pub fn open(repo: &Repo) -> gix::Repository {
    gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap()
}

/// The remote `origin` of `repo`.
pub fn origin(repo: &gix::Repository) -> Remote<'_> {
    Remote::named(repo, &RemoteName::parse("origin").unwrap()).unwrap()
}

/// An object id.
pub fn id(hex: &str) -> gix::ObjectId {
    gix::ObjectId::from_hex(hex.as_bytes()).unwrap()
}

/// A ref's name.
pub fn name(full: &str) -> gix::refs::FullName {
    full.try_into().unwrap()
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
