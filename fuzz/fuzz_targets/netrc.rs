#![no_main]

#[path = "../bodies/logins.rs"]
mod logins;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| logins::body(bytes));
