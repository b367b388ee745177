//! Models a run's process that acquires and releases the lock: the steps of the code, under their names there.

use std::time::Duration;

use contract::ReclaimReason;
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
    /// It says beforehand who takes a silent lock over.
    Announces(Aim, u8, Seen),
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
    /// It is stale, and had this token; whether that is for its owner's death.
    Stale(u8, Option<usize>, bool),
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
            // make: the directory comes with its files
            At::Looked(Aim::Take, Seen::Free) if self.whole => match state.make() {
                Some(_) => {
                    state.fill(me, run);
                    At::Done(After::Holds)
                }
                None => At::Done(After::WantsAgain),
            },
            // make_step_by_step
            At::Looked(Aim::Take, Seen::Free) => match state.make() {
                Some(id) => At::WritesOwner(Aim::Take, id, Seen::Free),
                None => At::Done(After::WantsAgain),
            },
            At::Looked(Aim::Take, seen @ Seen::Stale(id, _, owner_dead)) => {
                if self.announces && !owner_dead {
                    At::Announces(Aim::Take, id, seen)
                } else {
                    At::WritesPid(Aim::Take, id, seen)
                }
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
            At::Announces(aim, id, seen) => {
                if state.directory(id).is_none() {
                    At::Done(given_up(aim))
                } else {
                    state.change_hands(id, seen, Owner { token: run, worker: Some(me) });
                    At::WritesPid(aim, id, seen)
                }
            }
            At::WritesPid(aim, id, seen) => {
                let pid = if aim == Aim::Leave { Who::Nobody } else { me };
                match state.directory(id) {
                    None => At::Done(given_up(aim)),
                    Some(lock) => {
                        (lock.pid, lock.silent) = (Some(pid), false);
                        match seen {
                            // make_step_by_step: whose it is stands there already
                            Seen::Free => At::Done(After::Holds),
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
                    state.change_hands(id, seen, Owner { token: run, worker });
                    match (aim, seen) {
                        (_, Seen::Free) => At::WritesPid(aim, id, seen),
                        (Aim::Leave, _) => At::Done(After::Leased),
                        _ => At::Done(After::Holds),
                    }
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
            (owner, Verdict::Stale(reason)) => {
                Seen::Stale(id, owner.map(|owner| owner.token), reason == ReclaimReason::OwnerDead)
            }
        }
    }

    /// A lock that changed hands since it was looked at must not change hands again. (That a script emptied it
    /// meanwhile is all right: a directory that the script has removed and made anew has another id.)
    fn change_hands(&mut self, id: u8, seen: Seen, to: Owner) {
        let Some(lock) = self.directory(id) else { return };
        let token = lock.owner.map(|owner| owner.token);
        (lock.owner, lock.silent) = (Some(to), false);
        if let Seen::Stale(_, then, _) = seen
            && token.is_some()
            && token != then
            && token != Some(to.token)
        {
            self.broken = Some("a lock that had been taken meanwhile was taken over");
        }
    }

    /// The directory that has just been made came with its files.
    fn fill(&mut self, me: Who, token: usize) {
        if let Some(lock) = &mut self.lock {
            (lock.pid, lock.owner) = (Some(me), Some(Owner { token, worker: Some(me) }));
        }
    }

    /// Whether the lock has the number of a run that was killed while it took it, and is not stale by that alone.
    pub fn a_dead_taker_passes_for_alive(&self) -> bool {
        let Some(lock) = self.lock else { return false };
        let Some(Who::Run(run, process)) = lock.pid else { return false };
        let taker = &self.runs[run];
        let was_taking = matches!(
            taker.at,
            At::Announces(Aim::Take, id, _)
                | At::WritesPid(Aim::Take, id, _)
                | At::Lingers(Aim::Take, id, _)
                | At::WritesOwner(Aim::Take, id, _)
                if id == lock.id
        );
        let nobody = self.runs.len();
        !taker.alive
            && taker.process == process
            && was_taking
            && self.judge(nobody, lock.id, false) == Seen::Held
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
