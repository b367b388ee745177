//! Tests a remote in a local directory, which is read and written without a server program.
//!
//! It is done only where a server program would do nothing more, and with the same result.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod story;

#[path = "../common/mod.rs"]
mod common;
mod damage;
mod generated;
mod plain;
mod races;
mod rules_of_pushes;
mod rules_of_servers;
mod same_as_server;
mod whole_packs;
