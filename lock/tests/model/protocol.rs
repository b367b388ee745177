//! Models the lock's protocol as a state machine.
//!
//! Every step of the code whose effect is visible to others is one action, under the name that it has in the code,
//! and between any two of them anything else may happen.
//!
//! Simplifications: file contents are complete or absent (the code renames files into place). Checking that the token
//! is still the lock's is one step with the change that follows, as the time between them is negligible compared with
//! the time after which a lock counts as silent. And a script gets from its first look at a stale lock to the end of
//! clearing it within the pause that a taker makes.

use stateright::{Model, Property};

use crate::{
    runs::{Aim, At, Run},
    scripts::Script,
    state::State,
};

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
    /// Whether a lock comes to its name with its files in it; else the file that says whose it is comes first.
    pub whole: bool,
    /// Whether who takes over a silent lock says beforehand who it is.
    pub announces: bool,
    /// Whether who takes over lets a script that is about to clear the lock finish first.
    pub lingers: bool,
    /// Whether owners may be stopped for so long that their lock counts as silent while they live.
    pub stops: bool,
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
            // A script that is just clearing the lock may remove what says that its taker is dead.
            Property::always("never a wait for a dead taker", |model: &Self, state: &State| {
                model.scripts > 0 || !state.a_dead_taker_passes_for_alive()
            }),
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
