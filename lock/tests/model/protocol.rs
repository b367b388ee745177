//! The protocol of the lock as a state machine: every step of the code that others can see the effect of is one action,
//! under the name that it has in the code, and between any two of them anything else may happen.
//!
//! What is left out: file contents are whole or absent (the code renames them into place), and looking whether the token
//! is still the lock's is one step with the change that follows it, as the time between them is nothing beside the time
//! after which a lock counts as silent; and a script gets from its first look at a stale lock to the end of clearing it
//! within the pause that a taker makes.

use std::time::Duration;

use lock::{Claim, Facts, Life, Term, Verdict, judge};
use stateright::{Model, Property};

/// What is modelled.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    /// How many runs want the lock, each once.
    pub runs: usize,
    /// How many processes a run may have, one after the other: its phases.
    pub phases: u8,
    /// How many shell scripts want the lock.
    pub scripts: usize,
    /// Whether the guard file keeps takers apart; without it, the model is to find what goes wrong.
    pub guarded: bool,
    /// Whether who takes over lets a script that is about to clear the lock finish first.
    pub lingers: bool,
    /// Whether owners may be stopped for so long that their lock counts as silent while they live.
    pub stops: bool,
}

/// A directory that is, or was, the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Directory {
    id: u8,
    pid: Option<Who>,
    owner: Option<Owner>,
    silent: bool,
}

/// `owner.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    token: usize,
    /// The process that works under it; none while it is a lease.
    worker: Option<Who>,
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
    lock: Option<Directory>,
    made: u8,
    guard: Option<usize>,
    runs: Vec<Run>,
    scripts: Vec<Script>,
    /// What should never have happened.
    pub broken: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Run {
    at: At,
    /// Which process of the run works: a run has several phases, and one that was killed may be followed by another.
    process: u8,
    alive: bool,
}

/// Where a run's process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
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
enum Aim {
    Take,
    Enter,
    Leave,
    Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum After {
    Holds,
    Leased,
    Ended,
    WantsAgain,
}

/// What a process saw of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Seen {
    Free,
    Held,
    /// It is stale, and had this token.
    Stale(u8, Option<usize>),
    /// It is its own; whether a script may find it stale (`Taken::may_look_stale`).
    Ours(u8, bool),
}

/// A script that follows today's rules: `mkdir`, and `rm -rf` of a lock whose process is dead or whose age is too great.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Script {
    Wants,
    /// It has made the directory, and not yet written its number.
    Made,
    Holds,
    /// It has found this number's process dead, or the lock too old.
    SeenStale(Option<Who>),
    /// It has found the same number at its second look, and `rm -rf` is about to empty the directory.
    Clears,
    /// It has emptied the directory, and is about to remove it.
    Emptied,
    /// The same at the end of its work.
    Unlocks,
    Ended,
    Killed,
}

/// One step of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The next step of a run's process.
    Step(usize),
    /// A run that holds the lock leaves it to its next phase.
    Leave(usize),
    /// It gives a sign of life, and changes something.
    Change(usize),
    /// A run's process is killed.
    Kill(usize),
    /// A run goes on with its next process, after the last one was killed.
    NextPhase(usize),
    /// The next step of a script.
    ScriptStep(usize),
    /// A script is killed.
    KillScript(usize),
    /// The lock has given no sign of life for too long.
    FallSilent,
}

const PATIENCE: Duration = Duration::from_secs(600);

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            lock: None,
            made: 0,
            guard: None,
            runs: vec![Run { at: At::Wants(Aim::Take), process: 0, alive: true }; self.runs],
            scripts: vec![Script::Wants; self.scripts],
            broken: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for run in 0..self.runs {
            actions.extend([Action::Step(run), Action::Leave(run), Action::Change(run)]);
            actions.extend([Action::Kill(run), Action::NextPhase(run)]);
        }
        for script in 0..self.scripts {
            actions.extend([Action::ScriptStep(script), Action::KillScript(script)]);
        }
        if state.lock.is_some() {
            actions.push(Action::FallSilent);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Step(run) => self.step(&mut state, run),
            Action::Leave(run) => self.leave(&mut state, run),
            Action::Change(run) => state.change(run),
            Action::Kill(run) => state.kill(run),
            Action::NextPhase(run) => self.next_phase(&mut state, run),
            Action::ScriptStep(script) => state.script_step(script),
            Action::KillScript(script) => state.kill_script(script),
            Action::FallSilent => self.fall_silent(&mut state),
        }?;
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("never two owners", |model: &Self, state: &State| {
                model.stops || state.holders() <= 1
            }),
            Property::always("never a fresh lock cleared", |_, state: &State| state.broken.is_none()),
            Property::always("always progress once the holder is dead", |model: &Self, state: &State| {
                state.holders() > 0 || model.somebody_gets_it(state)
            }),
            Property::sometimes("a dead owner's lock is taken over", |_, state: &State| {
                state.was_taken_over()
            }),
        ]
    }
}

impl Protocol {
    /// The next step of a run's process on its way through the guard file and back; `None` where there is none now.
    fn step(&self, state: &mut State, run: usize) -> Option<()> {
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

    fn has_another_phase(&self, run: &Run) -> bool {
        run.process + 1 < self.phases
    }

    fn leave(&self, state: &mut State, run: usize) -> Option<()> {
        let me = &mut state.runs[run];
        if !me.alive || me.at != At::Holds || !self.has_another_phase(me) {
            return None;
        }
        me.at = At::Wants(Aim::Leave);
        Some(())
    }

    fn next_phase(&self, state: &mut State, run: usize) -> Option<()> {
        let me = &mut state.runs[run];
        let has_its_token = matches!(me.at, At::Holds | At::Leased | At::Wants(Aim::Enter | Aim::Leave));
        if me.alive || !has_its_token || !self.has_another_phase(me) {
            return None;
        }
        *me = Run { at: At::Wants(Aim::Enter), process: me.process + 1, alive: true };
        Some(())
    }

    fn fall_silent(&self, state: &mut State) -> Option<()> {
        if !self.stops && state.is_looked_after() {
            return None;
        }
        let lock = state.lock.as_mut()?;
        if lock.silent {
            return None;
        }
        lock.silent = true;
        Some(())
    }

    /// Whether somebody who wants the lock gets it, where nobody is killed any more and time goes on: first whoever has
    /// the guard file gets on with it, then one after the other tries by itself, and once more.
    fn somebody_gets_it(&self, state: &State) -> bool {
        let wants = |run: &Run| run.alive && !matches!(run.at, At::Ended | At::Leased);
        if !state.runs.iter().any(wants) {
            return true;
        }
        let mut state = state.clone();
        // Scripts that are in the middle of something finish it.
        for script in 0..self.scripts {
            while state.scripts[script].is_busy() {
                if state.script_step(script).is_none() {
                    return false;
                }
            }
        }
        let with_the_guard = state.guard.into_iter();
        let all = (0..self.runs).chain(0..self.runs);
        let order: Vec<usize> = with_the_guard.chain(all.filter(|run| wants(&state.runs[*run]))).collect();
        for run in order {
            // Whatever was silent for long enough by now counts as silent.
            let _ = self.fall_silent(&mut state);
            while self.step(&mut state, run).is_some() {
                if state.holders() > 0 {
                    return true;
                }
                if state.guard != Some(run) && matches!(state.runs[run].at, At::Wants(_)) {
                    break;
                }
            }
        }
        !state.runs.iter().any(wants)
    }
}

impl Script {
    fn is_about_to_clear(&self) -> bool {
        matches!(self, Self::SeenStale(_) | Self::Clears | Self::Emptied)
    }

    fn is_busy(&self) -> bool {
        self.is_about_to_clear() || matches!(self, Self::Made | Self::Unlocks)
    }
}

fn given_up(aim: Aim) -> After {
    match aim {
        Aim::Take => After::WantsAgain,
        Aim::Enter | Aim::Leave | Aim::Release => After::Ended,
    }
}

impl State {
    /// How many believe that the lock is theirs, and live.
    pub fn holders(&self) -> usize {
        let runs = self.runs.iter().filter(|run| run.alive && matches!(run.at, At::Holds | At::Leased));
        let scripts = self.scripts.iter().filter(|script| matches!(script, Script::Holds));
        runs.count() + scripts.count()
    }

    fn was_taken_over(&self) -> bool {
        let dead = self.runs.iter().any(|run| !run.alive);
        let holds_the_first =
            self.lock.is_some_and(|lock| lock.id == 1 && lock.owner.is_some_and(|o| self.is_alive(o.worker)));
        dead && holds_the_first && self.runs.iter().any(|run| !run.alive && run.process == 0)
    }

    fn is_alive(&self, who: Option<Who>) -> bool {
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
    fn directory(&mut self, id: u8) -> Option<&mut Directory> {
        self.lock.as_mut().filter(|lock| lock.id == id)
    }

    fn make(&mut self) -> Option<u8> {
        if self.lock.is_some() {
            return None;
        }
        self.made += 1;
        self.lock = Some(Directory { id: self.made, pid: None, owner: None, silent: false });
        Some(self.made)
    }

    /// The code's own decision on what there is to see.
    fn judge(&self, run: usize, id: u8, silent: bool) -> Seen {
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

    /// A lock that changed hands since it was looked at must not change hands again. (That a script emptied it meanwhile is
    /// all right: a directory that the script has removed and made anew has another id.)
    fn mind_whose_it_was(&mut self, id: u8, seen: Seen) {
        let token = self.directory(id).and_then(|lock| lock.owner).map(|owner| owner.token);
        if let Seen::Stale(_, then) = seen
            && token.is_some()
            && token != then
        {
            self.broken = Some("a lock that had been taken meanwhile was taken over");
        }
    }

    fn set_aside(&mut self, run: usize) {
        match self.lock.take() {
            Some(Directory { owner: Some(owner), .. }) if owner.token == run => {}
            _ => self.broken = Some("somebody else's lock was released"),
        }
    }

    /// `check`, and the change that it allows. Where the lock is another's, the run ends instead.
    fn change(&mut self, run: usize) -> Option<()> {
        if !self.runs[run].alive || self.runs[run].at != At::Holds {
            return None;
        }
        match &mut self.lock {
            Some(lock) if lock.owner.is_some_and(|owner| owner.token == run) => lock.silent = false,
            _ => self.runs[run].at = At::Ended,
        }
        Some(())
    }

    fn kill(&mut self, run: usize) -> Option<()> {
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

    /// Whether somebody lives who gives the lock its signs of life.
    fn is_looked_after(&self) -> bool {
        let Some(lock) = self.lock else { return false };
        let by_run = |token: usize| self.runs[token].alive;
        let being_made = self.runs.iter().any(|run| {
            run.alive && matches!(run.at, At::WritesPid(_, id, _) | At::Lingers(_, id, _) | At::WritesOwner(_, id, _) if id == lock.id)
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

    fn script_step(&mut self, script: usize) -> Option<()> {
        self.scripts[script] = match self.scripts[script] {
            Script::Wants => match self.lock {
                None => {
                    self.make();
                    Script::Made
                }
                Some(lock) => {
                    let dead = lock.pid.is_some() && !self.is_alive(lock.pid);
                    if !dead && !lock.silent {
                        return None;
                    }
                    Script::SeenStale(lock.pid)
                }
            },
            Script::Made => {
                if let Some(lock) = &mut self.lock {
                    (lock.pid, lock.silent) = (Some(Who::Script(script)), false);
                }
                Script::Holds
            }
            Script::SeenStale(pid) => {
                if self.lock.is_some_and(|lock| lock.pid == pid) {
                    Script::Clears
                } else {
                    Script::Wants
                }
            }
            Script::Clears => {
                self.empty();
                Script::Emptied
            }
            Script::Emptied => {
                self.remove_empty();
                Script::Wants
            }
            Script::Holds => {
                self.empty();
                Script::Unlocks
            }
            Script::Unlocks => {
                self.remove_empty();
                Script::Ended
            }
            Script::Ended | Script::Killed => return None,
        };
        Some(())
    }

    fn empty(&mut self) {
        if let Some(lock) = &mut self.lock {
            (lock.pid, lock.owner, lock.silent) = (None, None, false);
        }
    }

    fn remove_empty(&mut self) {
        if self.lock.is_some_and(|lock| lock.pid.is_none() && lock.owner.is_none()) {
            self.lock = None;
        }
    }

    fn kill_script(&mut self, script: usize) -> Option<()> {
        match self.scripts[script] {
            Script::Ended | Script::Killed | Script::Wants => None,
            _ => {
                self.scripts[script] = Script::Killed;
                Some(())
            }
        }
    }
}
