//! Tests the early scan of a run in a pipeline: whatever changes after it, the commit matches the working tree.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]
#![cfg(unix)]

use std::time::Duration;

use testkit::{Output, Pipeline, Repo, Sections as _, World};

/// `gitsync` behind a step that does `meanwhile` in the work tree before it hands the document on.
fn gitsync_after(repo: &Repo, meanwhile: &str) -> Output {
    let gitsync = repo.program(env!("CARGO_BIN_EXE_gitsync")).args(["--repo", ".", "--json"]);
    let mut ran = Pipeline::after(repo, meanwhile).then(gitsync).output();
    let gitsync = ran.parts.pop().unwrap();
    gitsync.assert_success();
    gitsync
}

/// A clone with files in it, of which all, the configuration too, are so old that nobody doubts them.
fn settled() -> (World, Repo, Repo) {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    for name in ["a", "b", "c", "d/e"] {
        mike.write(name, "1\n");
    }
    std::thread::sleep(Duration::from_secs(2));
    mike.commit_all("four files");
    mike.push();
    std::thread::sleep(Duration::from_secs(4));
    (world, origin, mike)
}

/// That the remote has what is in the work tree, and nobody sees a difference.
fn assert_synced(origin: &Repo, mike: &Repo, files: &[&str]) {
    mike.assert_clean();
    mike.assert_sound();
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(mike.files("HEAD"), files);
}

#[test]
fn what_was_there_before_is_committed() {
    let (_world, origin, mike) = settled();
    mike.write("a", "2\n");
    mike.write("new", "new\n");
    mike.remove("b");
    let document = gitsync_after(&mike, ":").document();
    let committed = document.main().committed.clone().unwrap();
    assert_eq!((committed.added, committed.modified, committed.deleted), (1, 1, 1));
    assert_synced(&origin, &mike, &["README.md", "a", "c", "d/e", "new"]);
}

#[test]
fn what_changes_once_more_is_committed_as_it_is() {
    let (_world, origin, mike) = settled();
    mike.write("a", "2\n");
    mike.write("new", "new\n");
    mike.remove("b");
    mike.write("c", "2\n");
    let document = gitsync_after(&mike, "echo 3 >a; rm new; echo 1 >b; echo 1 >c").document();
    let committed = document.main().committed.clone().unwrap();
    assert_eq!((committed.added, committed.modified, committed.deleted), (0, 1, 0));
    assert_eq!(mike.git(["show", "HEAD:a"]), "3");
    assert_synced(&origin, &mike, &["README.md", "a", "b", "c", "d/e"]);
}

#[test]
fn what_somebody_commits_meanwhile_is_pushed_and_not_committed_again() {
    let (_world, origin, mike) = settled();
    mike.write("a", "2\n");
    let document = gitsync_after(&mike, "git commit -qam mine; echo 2 >d/e").document();
    let committed = document.main().committed.clone().unwrap();
    assert_eq!((committed.added, committed.modified, committed.deleted), (0, 1, 0));
    assert_eq!(document.main().pushed.clone().unwrap().count, 2);
    assert_synced(&origin, &mike, &["README.md", "a", "b", "c", "d/e"]);
}
