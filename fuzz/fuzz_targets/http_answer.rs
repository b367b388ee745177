#![no_main]

#[path = "../bodies/http_answer.rs"]
mod http_answer;
#[path = "../bodies/talk.rs"]
mod talk;

thread_local!(static TALK: talk::Talk = talk::Talk::over_http());

libfuzzer_sys::fuzz_target!(init: talk::forgive_gix(), |bytes: &[u8]| TALK.with(|talk| http_answer::body(talk, bytes)));
