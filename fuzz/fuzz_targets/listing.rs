#![no_main]

#[path = "../bodies/listing.rs"]
mod listing;
#[path = "../bodies/talk.rs"]
mod talk;

thread_local!(static TALK: talk::Talk = talk::Talk::over_git());

libfuzzer_sys::fuzz_target!(init: talk::forgive_gix(), |bytes: &[u8]| TALK.with(|talk| listing::body(talk, bytes)));
