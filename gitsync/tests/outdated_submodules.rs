//! Tests submodules whose checkout stayed behind when upstream moved or removed them.
//!
//! The next run does not commit the old state, neither as a move back nor as a new submodule.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Output, Repo, Sections as _, World};

/// Two clones with the submodule `library`, whose commits are called `one`, `two` and `three`; both are at `one`.
fn clones() -> (World, [Repo; 2]) {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let library = world.init("library");
    for name in ["one", "two", "three"] {
        library.write("lib.md", name);
        library.commit_all(name);
        library.git(["tag", name]);
    }
    library.git(["switch", "--quiet", "--detach", "one"]);
    for repo in [&howard, &mike] {
        repo.program("cp").args(["-a", library.path().as_str(), "library"]).success();
    }
    howard.write(".gitmodules", "[submodule \"library\"]\n\tpath = library\n\turl = ../library\n");
    gitsync(&howard).success();
    gitsync(&mike).success();
    (world, [howard, mike])
}

fn check_out(repo: &Repo, commit: &str) {
    repo.git(["-C", "library", "switch", "--quiet", "--detach", commit]);
}

fn recorded(repo: &Repo, revision: &str) -> String {
    let id = repo.rev(&format!("{revision}:library"));
    repo.git(["-C", "library", "name-rev", "--name-only", "--tags", &id])
}

/// Howard moves it on, and the run that brings that in ends well.
fn moves_on(howard: &Repo, mike: &Repo, commit: &str) {
    check_out(howard, commit);
    gitsync(howard).success();
    gitsync(mike).success();
}

#[track_caller]
fn assert_warns(output: &Output) {
    let document = output.document();
    assert_eq!(document.main().committed, None);
    let warnings = &document.main().warnings;
    assert!(warnings.iter().any(|it| it.contains("library; `git submodule update`")), "{warnings:?}");
}

#[test]
fn it_is_named_and_not_committed_until_it_is_updated() {
    let (_world, [howard, mike]) = clones();
    moves_on(&howard, &mike, "two");
    for _ in 0..2 {
        assert_warns(&gitsync(&mike).success());
    }
    assert_warns(&gitsync(&mike).arg("--dry-run").success());
    mike.write("mine.md", "mine\n");
    let output = gitsync(&mike).success();
    assert_eq!(output.document().main().committed.as_ref().unwrap().modified, 0);
    assert_eq!(recorded(&mike, "origin/main"), "two");
    check_out(&mike, "two");
    assert_eq!(gitsync(&mike).success().document().main().warnings, [""; 0]);
}

#[test]
fn it_may_be_several_steps_behind() {
    let (_world, [howard, mike]) = clones();
    moves_on(&howard, &mike, "two");
    moves_on(&howard, &mike, "three");
    assert_warns(&gitsync(&mike).success());
    check_out(&mike, "two");
    assert_warns(&gitsync(&mike).success());
    assert_eq!(recorded(&mike, "origin/main"), "three");
}

#[test]
fn where_somebody_moves_it_that_is_committed() {
    let (_world, [howard, mike]) = clones();
    moves_on(&howard, &mike, "two");
    check_out(&mike, "three");
    gitsync(&mike).success();
    assert_eq!(recorded(&mike, "origin/main"), "three");
}

#[test]
fn moved_back_after_it_was_updated_it_is_committed() {
    let (_world, [howard, mike]) = clones();
    moves_on(&howard, &mike, "two");
    check_out(&mike, "two");
    gitsync(&mike).success();
    check_out(&mike, "one");
    gitsync(&mike).success();
    assert_eq!(recorded(&mike, "origin/main"), "one");
}

#[test]
fn added_by_hand_it_is_committed() {
    let (_world, [howard, mike]) = clones();
    moves_on(&howard, &mike, "two");
    mike.git(["add", "library"]);
    gitsync(&mike).success();
    assert_eq!(recorded(&mike, "origin/main"), "one");
}

#[test]
fn it_is_not_moved_back_by_a_replay_either() {
    let (_world, [howard, mike]) = clones();
    mike.write("mine.md", "mine\n");
    mike.commit_all("mine");
    moves_on(&howard, &mike, "two");
    assert_warns(&gitsync(&mike).success());
    assert_eq!(recorded(&mike, "origin/main"), "two");
}

/// Howard removes it, and the run that brings that in ends well.
fn removes_it(howard: &Repo, mike: &Repo) {
    howard.git(["rm", "--quiet", "--cached", "library"]);
    std::fs::remove_dir_all(howard.join("library")).unwrap();
    howard.write(".gitmodules", "");
    gitsync(howard).success();
    gitsync(mike).success();
}

#[track_caller]
fn assert_stays_removed(output: &Output) {
    let document = output.document();
    assert_eq!(document.main().committed, None);
    let warnings = &document.main().warnings;
    assert!(
        warnings.iter().any(|it| it.contains("not committed anew: library; remove the folder")),
        "{warnings:?}"
    );
}

#[test]
fn removed_by_what_came_in_it_is_named_and_not_committed_anew() {
    let (_world, [howard, mike]) = clones();
    removes_it(&howard, &mike);
    for _ in 0..2 {
        assert_stays_removed(&gitsync(&mike).success());
    }
    assert_stays_removed(&gitsync(&mike).arg("--dry-run").success());
    assert_eq!(mike.files("origin/main"), [".gitmodules", "README.md"]);
    std::fs::remove_dir_all(mike.join("library")).unwrap();
    assert_eq!(gitsync(&mike).success().document().main().warnings, [""; 0]);
}

#[test]
fn removed_after_it_was_moved_on_it_stays_removed_too() {
    let (_world, [howard, mike]) = clones();
    moves_on(&howard, &mike, "two");
    removes_it(&howard, &mike);
    assert_stays_removed(&gitsync(&mike).success());
}

#[test]
fn removed_by_what_came_in_and_added_by_hand_it_is_committed() {
    let (_world, [howard, mike]) = clones();
    removes_it(&howard, &mike);
    mike.git(["-c", "advice.addEmbeddedRepo=false", "add", "library"]);
    gitsync(&mike).success();
    assert_eq!(recorded(&mike, "origin/main"), "one");
}

#[test]
fn removed_by_what_came_in_and_worked_on_since_it_is_committed_and_said_to_be_without_a_source() {
    let (_world, [howard, mike]) = clones();
    removes_it(&howard, &mike);
    check_out(&mike, "three");
    let output = gitsync(&mike).success();
    assert_eq!(recorded(&mike, "origin/main"), "three");
    let document = output.document();
    let warnings = &document.main().warnings;
    assert!(
        warnings[0].contains("nothing but the commit that they are at is committed: library;"),
        "{warnings:?}"
    );
}
