//! Helpers that the tests of `lock` share.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    fs,
    time::{Duration, SystemTime},
};

use camino::Utf8PathBuf;
use contract::LockSection;
use testkit::{Invocation, Output, Repo, Sections as _, World};

/// A world with one repository.
pub fn repository() -> (World, Repo) {
    let world = World::new();
    let repo = world.init("mike");
    (world, repo)
}

/// `lock` with these arguments.
pub fn lock<const N: usize>(repo: &Repo, args: [&str; N]) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_lock")).args(args)
}

/// `lock acquire` without waiting.
pub fn acquire(repo: &Repo) -> Output {
    lock(repo, ["acquire", "--wait", "0"]).output()
}

/// `lock release` for this document.
pub fn release(repo: &Repo, acquired: &Output) -> Output {
    lock(repo, ["release"]).stdin(acquired.stdout.as_str()).output()
}

/// The section of `lock` in the document that a program wrote.
pub fn section(output: &Output) -> LockSection {
    output.document().lock().clone()
}

/// The lock directory.
pub fn path(repo: &Repo) -> Utf8PathBuf {
    repo.common_dir().join("claudetools-sync.lock")
}

/// The number that scripts see.
pub fn pid(repo: &Repo) -> String {
    fs::read_to_string(path(repo).join("pid")).unwrap().trim().to_owned()
}

/// Lets the lock's last sign of life be that long ago.
pub fn silence_for(repo: &Repo, silence: Duration) {
    set_sign_of_life(repo, SystemTime::now() - silence);
}

pub fn set_sign_of_life(repo: &Repo, time: SystemTime) {
    fs::File::open(path(repo)).unwrap().set_modified(time).unwrap();
}

/// Waits until something holds, which it does sooner or later.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "still not: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
