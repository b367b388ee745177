#![no_main]

#[path = "../bodies/push_report.rs"]
mod push_report;
#[path = "../bodies/talk.rs"]
mod talk;

thread_local!(static TALK: talk::Talk = talk::Talk::over_git());

libfuzzer_sys::fuzz_target!(init: talk::forgive_gix(), |bytes: &[u8]| TALK.with(|talk| push_report::body(talk, bytes)));
