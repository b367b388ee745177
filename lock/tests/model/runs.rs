//! A run's process on its way to the lock and back: the steps of the code, under their names there.

use std::time::Duration;

use lock::{Claim, Facts, Life, Term, Verdict, judge};

use crate::{
    protocol::Protocol,
    scripts::Script,
    state::{Directory, Owner, PATIENCE, State, Who},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Run {
    pub at: At,
    /// Which process of the run works: a run has several phases, and one that was killed may be followed by another.
    pub process: u8,
    pub alive: bool,
}

/// Where a run's process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// It wants the lock, to do this with it.
    Wants(Aim),
    /// It has the guard file.
    Guarded(Aim),
    /// It has the directory open, and seen when it was last changed.
    SeenAge(Aim, u8, bool),
    /// It has seen all.
    Looked(Aim, Seen),
    WritesPid(Aim, u8, Seen),
    Lingers(Aim, u8, Seen),
    WritesOwner(Aim, u8, Seen),
    /// Its lock has just been written, or given back, and the guard file is still its.
    Done(After),
    Holds,
    /// The lock is the run's, and none of its processes works.
    Leased,
    Ended,
}

/// What a process wants of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aim {
    Take,
    Enter,
    Leave,
    Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum After {
    Holds,
    Leased,
    Ended,
    WantsAgain,
}

/// What a process saw of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    Free,
    Held,
    /// It is stale, and had this token.
    Stale(u8, Option<usize>),
    /// It is its own; whether a script may find it stale (`Taken::may_look_stale`).
    Ours(u8, bool),
}

impl Protocol {
    /// The next step of a run's process on its way through the guard file and back; `None` where there is none now.
    pub fn step(&self, state: &mut State, run: usize) -> Option<()> {
        if !state.runs[run].alive {
            return None;
        }
        let me = Who::Run(run, state.runs[run].process);
        state.runs[run].at = match state.runs[run].at {
            // Guarded::enter
            At::Wants(aim) => {
                if self.guarded {
                    if state.guard.is_some() {
                        return None;
                    }
                    state.guard = Some(run);
                }
                At::Guarded(aim)
            }
            // Sight::look: Dir::open, and its age
            At::Guarded(aim) => match state.lock {
                None => At::Looked(aim, Seen::Free),
                Some(lock) => At::SeenAge(aim, lock.id, lock.silent),
            },
            // Sight::look: what it says of itself
            At::SeenAge(aim, id, silent) => At::Looked(aim, state.judge(run, id, silent)),
            At::Looked(Aim::Take, Seen::Free) => match state.make() {
                Some(id) => At::WritesPid(Aim::Take, id, Seen::Free),
                None => At::Done(After::WantsAgain),
            },
            At::Looked(Aim::Take, Seen::Stale(id, token)) => {
                At::WritesPid(Aim::Take, id, Seen::Stale(id, token))
            }
            At::Looked(Aim::Take, Seen::Held | Seen::Ours(..)) => At::Done(After::WantsAgain),
            At::Looked(aim @ (Aim::Enter | Aim::Leave), seen @ Seen::Ours(id, _)) => {
                At::WritesPid(aim, id, seen)
            }
            At::Looked(Aim::Release, Seen::Ours(..)) => {
                state.set_aside(run);
                At::Done(After::Ended)
            }
            // The token is no longer the lock's.
            At::Looked(Aim::Enter | Aim::Leave | Aim::Release, _) => At::Done(After::Ended),
            At::WritesPid(aim, id, seen) => {
                let pid = if aim == Aim::Leave { Who::Nobody } else { me };
                match state.directory(id) {
                    None => At::Done(given_up(aim)),
                    Some(lock) => {
                        (lock.pid, lock.silent) = (Some(pid), false);
                        match seen {
                            Seen::Stale(..) | Seen::Ours(_, true) if self.lingers => {
                                At::Lingers(aim, id, seen)
                            }
                            _ => At::WritesOwner(aim, id, seen),
                        }
                    }
                }
            }
            // Scripts get from their first look to the end of what follows from it within the pause.
            At::Lingers(aim, id, seen) => {
                if state.scripts.iter().any(Script::is_about_to_clear) {
                    return None;
                }
                At::WritesOwner(aim, id, seen)
            }
            At::WritesOwner(aim, id, seen) => {
                let worker = if aim == Aim::Leave { None } else { Some(me) };
                if state.directory(id).is_none() {
                    At::Done(given_up(aim))
                } else {
                    state.mind_whose_it_was(id, seen);
                    if let Some(lock) = state.directory(id) {
                        lock.owner = Some(Owner { token: run, worker });
                        lock.silent = false;
                    }
                    At::Done(if aim == Aim::Leave { After::Leased } else { After::Holds })
                }
            }
            At::Done(after) => {
                if state.guard == Some(run) {
                    state.guard = None;
                }
                match after {
                    After::Holds => At::Holds,
                    After::Leased => At::Leased,
                    After::Ended => At::Ended,
                    After::WantsAgain => At::Wants(Aim::Take),
                }
            }
            At::Holds => At::Wants(Aim::Release),
            At::Leased => {
                state.runs[run].process += 1;
                At::Wants(Aim::Enter)
            }
            At::Ended => return None,
        };
        Some(())
    }

    pub fn has_another_phase(&self, run: &Run) -> bool {
        run.process + 1 < self.phases
    }

    pub fn leave(&self, state: &mut State, run: usize) -> Option<()> {
        let me = &mut state.runs[run];
        if !me.alive || me.at != At::Holds || !self.has_another_phase(me) {
            return None;
        }
        me.at = At::Wants(Aim::Leave);
        Some(())
    }

    pub fn next_phase(&self, state: &mut State, run: usize) -> Option<()> {
        let me = &mut state.runs[run];
        let has_its_token = matches!(me.at, At::Holds | At::Leased | At::Wants(Aim::Enter | Aim::Leave));
        if me.alive || !has_its_token || !self.has_another_phase(me) {
            return None;
        }
        *me = Run { at: At::Wants(Aim::Enter), process: me.process + 1, alive: true };
        Some(())
    }
}

fn given_up(aim: Aim) -> After {
    match aim {
        Aim::Take => After::WantsAgain,
        Aim::Enter | Aim::Leave | Aim::Release => After::Ended,
    }
}

impl State {
    /// The code's own decision on what there is to see.
    pub fn judge(&self, run: usize, id: u8, silent: bool) -> Seen {
        let Some(lock) = self.lock.filter(|lock| lock.id == id) else { return Seen::Held };
        let claim = match lock.owner {
            None => Claim::Unreadable,
            Some(Owner { worker: None, .. }) => Claim::Lease { length: PATIENCE },
            Some(Owner { worker, .. }) => {
                let life = if self.is_alive(worker) { Life::Alive } else { Life::Dead };
                Claim::Owned { life, term: Term::SignsOfLife }
            }
        };
        let silence = if silent { PATIENCE * 2 } else { Duration::ZERO };
        let verdict = judge(&Facts { silence, claim }, PATIENCE);
        match (lock.owner, verdict) {
            (Some(owner), verdict) if owner.token == run => {
                let its_number = owner.worker.unwrap_or(Who::Nobody);
                Seen::Ours(id, verdict != Verdict::Held || lock.pid != Some(its_number))
            }
            (_, Verdict::Held) => Seen::Held,
            (owner, Verdict::Stale(_)) => Seen::Stale(id, owner.map(|owner| owner.token)),
        }
    }

    /// A lock that changed hands since it was looked at must not change hands again. (That a script emptied it
    /// meanwhile is all right: a directory that the script has removed and made anew has another id.)
    pub fn mind_whose_it_was(&mut self, id: u8, seen: Seen) {
        let token = self.directory(id).and_then(|lock| lock.owner).map(|owner| owner.token);
        if let Seen::Stale(_, then) = seen
            && token.is_some()
            && token != then
        {
            self.broken = Some("a lock that had been taken meanwhile was taken over");
        }
    }

    pub fn set_aside(&mut self, run: usize) {
        match self.lock.take() {
            Some(Directory { owner: Some(owner), .. }) if owner.token == run => {}
            _ => self.broken = Some("somebody else's lock was released"),
        }
    }

    /// `check`, and the change that it allows. Where the lock is another's, the run ends instead.
    pub fn change(&mut self, run: usize) -> Option<()> {
        if !self.runs[run].alive || self.runs[run].at != At::Holds {
            return None;
        }
        match &mut self.lock {
            Some(lock) if lock.owner.is_some_and(|owner| owner.token == run) => lock.silent = false,
            _ => self.runs[run].at = At::Ended,
        }
        Some(())
    }

    pub fn kill(&mut self, run: usize) -> Option<()> {
        if !self.runs[run].alive || matches!(self.runs[run].at, At::Ended) {
            return None;
        }
        self.runs[run].alive = false;
        if self.guard == Some(run) {
            // The kernel gives a dead process's file locks back.
            self.guard = None;
        }
        Some(())
    }
}
