//! Tests the options that make a run skip some of its work.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::{Exit, SyncState};
use run::gitsync;
use testkit::{Sections as _, World};

#[test]
fn without_a_push_the_commits_stay_here() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    let before = origin.rev("main");
    mike.write("a", "1\n");
    let document = gitsync(&mike).arg("--no-push").success().document();
    assert_eq!(document.main().state, SyncState::Committed);
    assert_eq!(origin.rev("main"), before);
}

#[test]
fn without_a_commit_it_still_pulls_where_the_dirty_paths_are_others() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    mike.write("mine", "1\n");
    let document = gitsync(&mike).arg("--no-commit").success().document();
    assert_eq!(document.main().state, SyncState::Pulled);
    assert_eq!(mike.status(), "?? mine");

    howard.write("mine", "not yours\n");
    gitsync(&howard).success();
    let output = gitsync(&mike).arg("--no-commit").output();
    output.assert_code(Exit::Failed.code().into());
    output.assert_says("mine");
    assert_eq!(mike.read("mine"), "1\n");
    assert_eq!(mike.status(), "?? mine");
}

#[test]
fn no_pull_pushes_what_can_be_pushed_and_says_what_cannot() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    mike.write("a", "1\n");
    gitsync(&mike).arg("--no-pull").success();
    assert_eq!(origin.rev("main"), mike.head());
    howard.write("b", "1\n");
    let output = gitsync(&howard).arg("--no-pull").output();
    output.assert_code(Exit::Failed.code().into());
    output.assert_says("--no-pull");
    assert!(output.document().main().committed.is_some());
}

#[test]
fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    mike.write("mine", "1\n");
    let (before, theirs) = (mike.snapshot(), origin.snapshot());
    let objects = mike.git(["count-objects", "-v"]);
    let output = gitsync(&mike).arg("--dry-run").success();
    output.assert_says("would commit: 1 added, 0 modified, 0 deleted");
    output.assert_says("would pull what the remote has new");
    output.assert_says("would push 1 commit\n");
    assert!(!output.stderr.contains("nothing to do"), "{output}");
    assert_eq!(output.document().main().worktree, mike.path().canonicalize_utf8().unwrap().as_str());
    assert_eq!(mike.snapshot(), before);
    assert_eq!(origin.snapshot(), theirs);
    assert_eq!(mike.git(["count-objects", "-v"]), objects);
}
