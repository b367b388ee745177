//! Helpers that tests share: they open repositories independently of the tester's environment.
#![allow(dead_code, reason = "each test file uses its part of it")]

use testkit::Repo;

/// Opens a repository with its own configuration only.
pub fn open(repo: &Repo) -> gix::Repository {
    gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap()
}

/// An object id.
pub fn id(hex: &str) -> gix::ObjectId {
    gix::ObjectId::from_hex(hex.as_bytes()).unwrap()
}

/// A ref's name.
pub fn name(full: &str) -> gix::refs::FullName {
    full.try_into().unwrap()
}
