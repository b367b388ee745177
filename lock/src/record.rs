//! Defines the content of `owner.json`, the file that says who owns the lock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Life, Process, Token};

/// The version of `owner.json` that this crate writes and reads.
const VERSION: u32 = 1;

/// The owners of a lock and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the file format. A file of an unknown version counts as no readable owner.
    version: u32,
    /// The token of this acquisition.
    pub token: Token,
    /// What the lock was taken for, in its taker's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The machine on which it was taken.
    pub host: String,
    /// When it was taken, in RFC 3339 with offset.
    pub since: String,
    /// How long the lock outlasts its last sign of life while no process owns it, in milliseconds.
    pub lease_ms: u64,
    /// How long it lasts while a process owns it.
    pub term: Term,
    /// The process that it belongs to; null for a lease.
    pub owner: Option<Process>,
    /// The phases that work under it right now, the latest last: they own it too.
    #[serde(default)]
    pub workers: Vec<Process>,
}

/// How long a lock lasts while a process owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    /// As long as it gives signs of life: its owner checks the token before each change, so it can safely be
    /// overtaken.
    SignsOfLife,
    /// As long as an owner lives: a command that knows nothing of tokens must not be overtaken.
    OwnersLife,
}

impl Record {
    /// Returns the record of a lock that is taken now.
    pub fn new(token: Token, wish: &LockRequest) -> Self {
        Self {
            version: VERSION,
            token,
            name: wish.name.clone(),
            host: phase::host_name(),
            since: phase::clock::now(),
            lease_ms: u64::try_from(wish.lease.as_millis()).unwrap_or(u64::MAX),
            term: wish.term,
            owner: wish.owner.clone(),
            workers: wish.worker.iter().cloned().collect(),
        }
    }

    /// Parses `owner.json`; `None` if it is incomplete, foreign or of another version.
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().filter(|record: &Self| record.version == VERSION)
    }

    /// Returns the content of `owner.json`.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// Returns the number for the file `pid`: the pid of the latest owner, or 0 for a lease, so that a script's `kill
    /// -0` does not take it for dead.
    pub fn pid(&self) -> u32 {
        self.owners().last().map_or(0, |owner| owner.pid)
    }

    fn owners(&self) -> impl DoubleEndedIterator<Item = &Process> {
        self.owner.iter().chain(&self.workers)
    }

    /// Returns how long the lock outlasts its last sign of life while no process owns it.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    /// Returns whether any of its owners lives; `None` if it has none. It is dead once all of them are.
    pub fn life(&self) -> Option<Life> {
        let lives = self.owners().map(Process::life);
        lives.reduce(|one, other| match (one, other) {
            (Life::Alive, _) | (_, Life::Alive) => Life::Alive,
            (Life::Unknown, _) | (_, Life::Unknown) => Life::Unknown,
            (Life::Dead, Life::Dead) => Life::Dead,
        })
    }

    /// Returns the record with one more worker. Workers that were killed since are dropped: the run goes on without
    /// them.
    pub fn entered_by(mut self, process: &Process) -> Self {
        self = self.left_by(process);
        self.workers.push(process.clone());
        self
    }

    /// Returns the record without this worker, and without workers that were killed since.
    pub fn left_by(mut self, process: &Process) -> Self {
        self.workers.retain(|worker| worker != process && worker.life() != Life::Dead);
        self
    }

    /// Returns the record without the workers that were killed since, if the number for scripts is that of one of them
    /// although another owner lives: a script would clear the lock under that owner. If no owner lives, the dead
    /// workers stay, as they show that the lock is stale.
    pub fn naming_the_living(&self) -> Option<Self> {
        let latest = self.workers.last().filter(|worker| worker.life() == Life::Dead)?;
        let named = self.clone().left_by(latest);
        (named.life() == Some(Life::Alive)).then_some(named)
    }

    /// Returns the owner as the document has it.
    pub fn to_owner(&self) -> contract::Owner {
        contract::Owner {
            pid: self.pid(),
            host: Some(self.host.clone()),
            since: self.since.clone(),
            name: self.name.clone(),
        }
    }
}

/// What a process that takes the lock asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// The process that is to own it; `None` for a lease.
    pub owner: Option<Process>,
    /// A process that works under it from the beginning.
    pub worker: Option<Process>,
    /// How long it is to last while a process owns it.
    pub term: Term,
    /// How long it is to outlast its last sign of life while no process owns it.
    pub lease: Duration,
    /// What it is taken for.
    pub name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(owner: Option<Process>) -> Record {
        let lease = Duration::from_secs(600);
        Record::new(
            Token::fresh(),
            &LockRequest { owner, worker: None, term: Term::SignsOfLife, lease, name: None },
        )
    }

    fn ended(process: &Process) -> Process {
        Process { start: process.start.map(|start| start - 1), ..process.clone() }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let written = record(Some(Process::current()));
        assert_eq!(Record::parse(written.to_json().as_bytes()), Some(written));
    }

    #[test]
    fn what_is_torn_foreign_or_of_another_version_is_no_readable_owner() {
        let json = record(None).to_json();
        assert_eq!(Record::parse(&json.as_bytes()[..json.len() / 2]), None);
        assert_eq!(Record::parse(json.replace("\"version\":1", "\"version\":2").as_bytes()), None);
        assert_eq!(Record::parse(b"{}"), None);
        assert_eq!(Record::parse(b""), None);
    }

    #[test]
    fn a_lease_has_no_owner_and_the_number_0() {
        assert_eq!((record(None).pid(), record(None).life()), (0, None));
    }

    #[test]
    fn a_lock_is_dead_once_all_its_owners_are() {
        let me = Process::current();
        let dead = ended(&me);
        let elsewhere = Process { boot: Some("another".into()), ..me.clone() };
        let life = |owner: &Process, workers: &[&Process]| {
            let workers = workers.iter().copied().cloned().collect();
            Record { workers, ..record(Some(owner.clone())) }.life()
        };
        assert_eq!(life(&dead, &[]), Some(Life::Dead));
        assert_eq!(life(&dead, &[&me]), Some(Life::Alive));
        assert_eq!(life(&dead, &[&elsewhere]), Some(Life::Unknown));
        assert_eq!(life(&me, &[&elsewhere]), Some(Life::Alive));
    }

    #[test]
    fn a_run_goes_on_without_a_worker_that_was_killed_but_not_as_if_its_owner_still_lived() {
        let me = Process::current();
        let killed = record(None).entered_by(&ended(&me));
        assert_eq!(killed.life(), Some(Life::Dead));
        let next = killed.entered_by(&me);
        assert_eq!((next.life(), next.pid()), (Some(Life::Alive), me.pid));
        assert_eq!(next.left_by(&me).life(), None, "it is a lease again");

        let ownerless = record(Some(ended(&me))).entered_by(&me);
        assert_eq!(ownerless.life(), Some(Life::Alive));
        assert_eq!(ownerless.left_by(&me).life(), Some(Life::Dead));
    }

    #[test]
    fn a_living_owner_is_named_in_place_of_a_killed_worker_but_a_dead_run_stays_dead() {
        let me = Process::current();
        let killed = Process { pid: me.pid + 1, ..ended(&me) };
        let led_by = |owner: Option<&Process>, workers: &[&Process]| {
            let workers = workers.iter().copied().cloned().collect();
            Record { workers, ..record(owner.cloned()) }.naming_the_living()
        };
        assert_eq!(led_by(Some(&me), &[&killed]).map(|record| record.pid()), Some(me.pid));
        assert_eq!(led_by(None, &[&me, &killed]).map(|record| record.pid()), Some(me.pid));
        assert_eq!(led_by(None, &[&killed]), None, "it would be a lease, and outlast its run");
        assert_eq!(led_by(Some(&ended(&me)), &[&killed]), None);
        assert_eq!(led_by(Some(&me), &[&killed, &me]), None, "the number is a living one's");
    }
}
