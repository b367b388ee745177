#![no_main]

#[path = "../bodies/tree_path.rs"]
mod tree_path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tree_path::body(bytes));
