//! Decides what to do about session logs, from facts and the user's options alone.

use std::collections::BTreeMap;

use contract::{Decision, Exit, FoundLog, LogState};
use gix::bstr::BString;
use phase::Fault;

use crate::{
    args::OnFound,
    ask::Answer,
    look::{Change, InIndex, InWorktree},
};

/// What the user wants, and whether the user can be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// What to do if logs are found; `None` if the user did not say.
    pub(crate) on_found: Option<OnFound>,
    /// The shell command that saves them.
    pub(crate) save_command: Option<String>,
    /// Whether somebody is at a terminal and sees the warning.
    pub(crate) someone_to_ask: bool,
}

/// What to do about the logs that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: there are none.
    Nothing,
    /// Stop the run, so that they can be saved.
    Stop,
    /// Let the automatic commit include them.
    Proceed,
    /// Ask the user.
    Ask {
        /// The command to run if the user wants them saved.
        save_command: Option<String>,
    },
    /// Run the save command, then end the run.
    Save(String),
    /// They should be saved, but no save command is configured.
    SaveUnconfigured,
}

/// Returns the logs that count as found.
///
/// # Errors
/// A fault if the path of one is not UTF-8, which the document cannot represent.
pub(crate) fn found(changes: BTreeMap<BString, Change>) -> Result<Vec<FoundLog>, Fault> {
    let mut found = Vec::new();
    let mut unnameable = Vec::new();
    for (path, change) in changes {
        let Some(state) = state(change) else { continue };
        match String::from_utf8(path.into()) {
            Ok(path) => found.push(FoundLog { path, state }),
            Err(error) => unnameable.push(format!("{:?}", BString::from(error.into_bytes()))),
        }
    }
    if unnameable.is_empty() {
        return Ok(found);
    }
    Err(Fault::failed(format!("session logs with names that are not UTF-8: {}", unnameable.join(", ")))
        .help("give them names that are UTF-8, then sync again")
        .ending_the_run())
}

/// Returns how a log differs from the last commit; `None` if there is nothing to save.
fn state(change: Change) -> Option<LogState> {
    match (change.index, change.worktree) {
        (_, Some(InWorktree::Removed)) | (None, None) => None,
        (_, Some(InWorktree::Untracked)) => Some(LogState::Untracked),
        (Some(InIndex::Renamed), _) => Some(LogState::Renamed),
        (Some(InIndex::Added), _) | (None, Some(InWorktree::IntendedToAdd)) => Some(LogState::Added),
        (Some(InIndex::Modified), _) | (None, Some(InWorktree::Modified)) => Some(LogState::Modified),
    }
}

/// Decides what to do about the logs that were found.
pub(crate) fn step(found: &[FoundLog], policy: &Policy) -> Step {
    if found.is_empty() {
        return Step::Nothing;
    }
    match policy.on_found.unwrap_or(OnFound::Ask) {
        OnFound::Stop => Step::Stop,
        OnFound::Proceed => Step::Proceed,
        OnFound::Ask if policy.someone_to_ask => Step::Ask { save_command: policy.save_command.clone() },
        OnFound::Ask => Step::Stop,
        OnFound::Save => policy.save_command.clone().map_or(Step::SaveUnconfigured, Step::Save),
    }
}

/// Decides what to do once the user has answered. Without a save command the run stops, so that the user can save by
/// hand.
pub(crate) fn answered(answer: Answer, save_command: Option<String>) -> Step {
    match answer {
        Answer::Proceed => Step::Proceed,
        Answer::Save => save_command.map_or(Step::Stop, Step::Save),
        Answer::Nothing => Step::Stop,
    }
}

/// Returns the decision for the document before anything was saved: unless the save command has succeeded, the run
/// stops.
pub(crate) fn decision(step: &Step) -> Decision {
    match step {
        Step::Nothing => Decision::None,
        Step::Proceed => Decision::Proceed,
        Step::Stop | Step::Ask { .. } | Step::Save(_) | Step::SaveUnconfigured => Decision::Stop,
    }
}

/// Returns the fault that stops the run so that logs can be saved.
pub(crate) fn unsaved(count: usize) -> Fault {
    Fault::new(Exit::Unsaved, format!("{} to be saved first", logs(count)))
        .help("run /save, or sync all the same with --on-found proceed")
}

/// Returns the fault for logs that should be saved without a configured save command.
pub(crate) fn no_save_command(count: usize) -> Fault {
    Fault::misconfigured(format!("{} to be saved, and no save command is configured", logs(count)))
        .help("give --save-command COMMAND, or set it once: git config lockstep.saveCommand COMMAND")
        .ending_the_run()
}

fn logs(count: usize) -> String {
    if count == 1 { "1 session log is".into() } else { format!("{count} session logs are") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Vec<FoundLog> {
        vec![FoundLog { path: "session-logs/a.md".into(), state: LogState::Untracked }]
    }

    fn change(index: Option<InIndex>, worktree: Option<InWorktree>) -> Change {
        Change { index, worktree }
    }

    #[test]
    fn a_log_that_is_gone_from_the_work_tree_is_not_found_whatever_the_index_says() {
        for index in [None, Some(InIndex::Added), Some(InIndex::Modified), Some(InIndex::Renamed)] {
            assert_eq!(state(change(index, Some(InWorktree::Removed))), None);
        }
    }

    #[test]
    fn what_the_index_says_goes_before_a_later_edit() {
        let edited = Some(InWorktree::Modified);
        assert_eq!(state(change(Some(InIndex::Added), edited)), Some(LogState::Added));
        assert_eq!(state(change(Some(InIndex::Renamed), edited)), Some(LogState::Renamed));
        assert_eq!(state(change(Some(InIndex::Modified), edited)), Some(LogState::Modified));
        assert_eq!(state(change(None, edited)), Some(LogState::Modified));
        assert_eq!(state(change(None, Some(InWorktree::IntendedToAdd))), Some(LogState::Added));
        assert_eq!(state(change(None, Some(InWorktree::Untracked))), Some(LogState::Untracked));
    }

    #[test]
    fn without_a_terminal_the_default_stops_and_with_one_it_asks() {
        let mut policy = Policy::default();
        assert_eq!(step(&one(), &policy), Step::Stop);
        policy.on_found = Some(OnFound::Ask);
        assert_eq!(step(&one(), &policy), Step::Stop);
        policy.someone_to_ask = true;
        assert_eq!(step(&one(), &policy), Step::Ask { save_command: None });
        policy.on_found = None;
        assert_eq!(step(&one(), &policy), Step::Ask { save_command: None });
    }

    #[test]
    fn where_nothing_is_found_nothing_is_done_under_any_policy() {
        for on_found in [OnFound::Stop, OnFound::Proceed, OnFound::Ask, OnFound::Save] {
            let policy = Policy { on_found: Some(on_found), save_command: None, someone_to_ask: true };
            assert_eq!(step(&[], &policy), Step::Nothing);
        }
    }

    #[test]
    fn to_save_without_a_command_neither_proceeds_nor_claims_to_have_saved() {
        let policy = Policy { on_found: Some(OnFound::Save), ..Default::default() };
        assert_eq!(step(&one(), &policy), Step::SaveUnconfigured);
        assert_eq!(decision(&Step::SaveUnconfigured), Decision::Stop);
        assert_eq!(no_save_command(1).exit(), Exit::Misconfigured);
        assert!(no_save_command(1).ends_run());
    }

    #[test]
    fn who_answers_save_without_a_save_command_saves_by_hand() {
        assert_eq!(answered(Answer::Save, None), Step::Stop);
        assert_eq!(answered(Answer::Save, Some("save".into())), Step::Save("save".into()));
        assert_eq!(answered(Answer::Proceed, Some("save".into())), Step::Proceed);
        assert_eq!(answered(Answer::Nothing, Some("save".into())), Step::Stop);
    }

    #[test]
    fn a_name_that_is_not_utf8_is_refused_by_name() {
        let changes = [
            (BString::from(b"session-logs/\xff.md".to_vec()), change(None, Some(InWorktree::Untracked))),
            ("session-logs/a.md".into(), change(None, Some(InWorktree::Untracked))),
        ];
        let fault = found(changes.into()).expect_err("it cannot be named in JSON");
        assert!(fault.message().contains(r"session-logs/\xff.md"), "{}", fault.message());
        assert!(fault.ends_run());
    }
}
