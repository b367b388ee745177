//! Defines the model's state: the lock as it is on disk, and all processes that use it.

use std::time::Duration;

use crate::{
    runs::{At, Run},
    scripts::Script,
};

/// A directory that is, or was, the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Directory {
    pub id: u8,
    pub pid: Option<Who>,
    pub owner: Option<Owner>,
    pub silent: bool,
}

/// `owner.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    pub token: usize,
    /// The process that works under it; none while it is a lease.
    pub worker: Option<Who>,
}

/// A process: a run's or a script's, and which of its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The number 0 of a lease, which always counts as alive.
    Nobody,
    Run(usize, u8),
    Script(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub lock: Option<Directory>,
    pub made: u8,
    pub guard: Option<usize>,
    pub runs: Vec<Run>,
    pub scripts: Vec<Script>,
    /// What should never have happened.
    pub broken: Option<&'static str>,
}

pub const PATIENCE: Duration = Duration::from_secs(600);

impl State {
    /// How many believe that the lock is theirs, and live.
    pub fn holders(&self) -> usize {
        let runs = self.runs.iter().filter(|run| run.alive && matches!(run.at, At::Holds | At::Leased));
        let scripts = self.scripts.iter().filter(|script| matches!(script, Script::Holds));
        runs.count() + scripts.count()
    }

    pub fn was_taken_over(&self) -> bool {
        let dead = self.runs.iter().any(|run| !run.alive);
        let holds_the_first =
            self.lock.is_some_and(|lock| lock.id == 1 && lock.owner.is_some_and(|o| self.is_alive(o.worker)));
        dead && holds_the_first && self.runs.iter().any(|run| !run.alive && run.process == 0)
    }

    pub fn is_alive(&self, who: Option<Who>) -> bool {
        match who {
            None => false,
            Some(Who::Nobody) => true,
            Some(Who::Run(run, process)) => self.runs[run].alive && self.runs[run].process == process,
            Some(Who::Script(script)) => {
                self.scripts[script] != Script::Killed && self.scripts[script] != Script::Ended
            }
        }
    }

    /// The directory with this id, where it is still the lock: a handle on one that was removed writes nothing.
    pub fn directory(&mut self, id: u8) -> Option<&mut Directory> {
        self.lock.as_mut().filter(|lock| lock.id == id)
    }

    pub fn make(&mut self) -> Option<u8> {
        if self.lock.is_some() {
            return None;
        }
        self.made += 1;
        self.lock = Some(Directory { id: self.made, pid: None, owner: None, silent: false });
        Some(self.made)
    }

    /// Whether somebody lives who gives the lock its signs of life.
    pub fn is_looked_after(&self) -> bool {
        let Some(lock) = self.lock else { return false };
        let by_run = |token: usize| self.runs[token].alive;
        let being_made = self.runs.iter().any(|run| {
            run.alive && matches!(run.at, At::Announces(_, id, _) | At::WritesPid(_, id, _) | At::Lingers(_, id, _) | At::WritesOwner(_, id, _) if id == lock.id)
        });
        let by_script = self.scripts.iter().any(|script| {
            matches!(
                script,
                Script::Made | Script::Holds | Script::Unlocks | Script::Emptied | Script::Clears
            )
        });
        being_made
            || lock.owner.is_some_and(|owner| by_run(owner.token))
            || (lock.owner.is_none() && by_script)
    }
}
