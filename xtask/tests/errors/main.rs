//! Tests docs/errors.md against the programs: each row is produced by its real cause, with the exact message.
//!
//! A table of errors that is not tested is wrong a month later, and then sends people looking for messages that do
//! not exist.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod causes;
mod sources;
mod table;

use std::collections::BTreeSet;

use causes::{Cause, SECTIONS};
use table::NOT_MADE;

#[test]
fn what_every_phase_refuses() {
    happen("Every phase");
}

#[test]
fn what_is_said_of_the_lock() {
    happen("The lock");
}

#[test]
fn what_logcheck_says() {
    happen("logcheck");
}

#[test]
fn what_gitsync_refuses() {
    happen("gitsync: what it refuses");
}

#[test]
fn what_is_said_of_the_vault() {
    happen("gitsync: the vault");
}

#[test]
fn what_is_said_of_the_commit() {
    happen("gitsync: the commit");
}

#[test]
fn what_is_said_of_what_comes_in_and_goes_out() {
    happen("gitsync: what comes in and goes out");
}

mod real_servers {
    #[test]
    fn what_is_said_of_the_remote() {
        super::happen("The remote");
    }
}

#[test]
fn what_notes_sync_says() {
    happen("notes-sync");
}

#[test]
fn what_notesurface_says() {
    happen("notesurface");
}

#[test]
fn what_cmdcopy_says() {
    happen("cmdcopy");
}

#[test]
fn what_lockstep_says() {
    happen("lockstep");
}

#[test]
fn every_row_has_a_cause_and_every_cause_a_row() {
    let rows: BTreeSet<(String, String)> = table::rows()
        .into_iter()
        .filter(|row| row.section != NOT_MADE)
        .map(|row| (row.section, row.when))
        .collect();
    let of_section = |(section, causes): &(&str, &'static [Cause])| {
        let section = (*section).to_owned();
        causes.iter().map(move |cause| (section.clone(), cause.when.to_owned()))
    };
    let causes: BTreeSet<(String, String)> = SECTIONS.iter().flat_map(of_section).collect();
    assert_eq!(rows, causes);
}

#[test]
fn the_tables_hold_the_words_of_every_message_in_the_sources() {
    let known: String = table::rows()
        .iter()
        .map(|row| format!("{}\n{}\n", row.message, row.help.as_deref().unwrap_or_default()))
        .collect();
    let said = sources::words();
    assert!(said.len() > 150, "where are the messages? {said:#?}");
    let missing: Vec<_> = said.iter().filter(|said| !known.contains(&said.words)).collect();
    assert!(missing.is_empty(), "docs/errors.md lacks {missing:#?}");
}

/// Makes everything of a section happen, and compares.
#[track_caller]
fn happen(section: &str) {
    let rows = table::rows();
    let (_, causes) = SECTIONS.iter().find(|(title, _)| *title == section).unwrap();
    let mut wrong = Vec::new();
    for cause in *causes {
        let row = rows.iter().find(|row| row.section == section && row.when == cause.when);
        let row = row.unwrap_or_else(|| panic!("docs/errors.md has no row {:?} in {section:?}", cause.when));
        if let Some(output) = cause.happen()
            && let Err(why) = row.check(&output)
        {
            wrong.push(format!("{}: {why}", cause.when));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
