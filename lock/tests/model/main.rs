//! Checks the lock's protocol in every possible order of its steps, with a crash after any of them.
//!
//! That the model can find errors is part of the test: without the guard file, without the pause before a stale lock
//! is taken over, or without the prior announcement of who takes it over, it finds the errors that these prevent.

#![allow(clippy::print_stdout, reason = "how many states were looked at is worth a line")]

mod protocol;
mod runs;
mod scripts;
mod state;

use protocol::Protocol;
use stateright::{Checker, Model as _};

/// The protocol as it is.
const AS_IT_IS: Protocol = Protocol {
    runs: 2,
    phases: 3,
    scripts: 0,
    guarded: true,
    whole: true,
    announces: true,
    lingers: true,
    stops: false,
};

fn holds(protocol: Protocol) {
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    println!("{protocol:?}: {} states", checker.unique_state_count());
    checker.assert_properties();
}

fn finds(protocol: Protocol, property: &'static str) {
    let checker = protocol.checker().spawn_dfs().join();
    assert!(checker.discovery(property).is_some(), "nothing found against: {property}");
}

#[test]
fn two_runs_that_may_be_killed_anywhere() {
    holds(AS_IT_IS);
}

#[test]
fn three_runs_that_may_be_killed_anywhere() {
    holds(Protocol { runs: 3, phases: 1, ..AS_IT_IS });
}

#[test]
fn owners_that_are_stopped_until_others_take_over() {
    holds(Protocol { stops: true, ..AS_IT_IS });
}

#[test]
fn two_runs_and_a_script_that_follows_todays_rules() {
    holds(Protocol { scripts: 1, phases: 2, ..AS_IT_IS });
}

#[test]
fn a_file_system_on_which_a_lock_is_made_step_by_step() {
    holds(Protocol { whole: false, ..AS_IT_IS });
    holds(Protocol { whole: false, scripts: 1, phases: 2, ..AS_IT_IS });
}

#[test]
fn without_the_guard_file_there_are_two_owners() {
    finds(Protocol { runs: 3, phases: 1, guarded: false, ..AS_IT_IS }, "never two owners");
}

#[test]
fn without_the_pause_a_script_clears_what_was_just_taken() {
    finds(Protocol { scripts: 1, phases: 1, lingers: false, ..AS_IT_IS }, "never two owners");
}

#[test]
fn without_a_word_beforehand_a_dead_taker_passes_for_the_owner_of_before() {
    finds(Protocol { announces: false, stops: true, ..AS_IT_IS }, "never a wait for a dead taker");
}
