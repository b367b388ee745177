#![no_main]

#[path = "../bodies/note_records.rs"]
mod note_records;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| note_records::body(bytes));
