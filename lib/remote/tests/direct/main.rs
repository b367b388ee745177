//! A remote in a folder of this machine, which is read and written without a server program: that this is done only
//! where such a program would do no more, and that what comes of it is the same.
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
