//! `notes-sync`: fetches, merges and pushes notes refs.

fn main() {}
