//! Tests that changes made in a merge commit itself are kept, or conflict, when both sides have moved on.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::{Exit, SyncState};
use run::gitsync;
use testkit::{Repo, Sections as _, World, assert_converged};

fn commit(repo: &Repo, path: &str, content: &str, message: &str) {
    repo.write(path, content);
    repo.commit_all(message);
}

/// Begins a merge of a branch that added a file; it is to be committed yet.
fn begin_merge(repo: &Repo) {
    repo.git(["switch", "--quiet", "-c", "topic"]);
    commit(repo, "topic", "topic\n", "on the topic");
    repo.git(["switch", "--quiet", "main"]);
    repo.git(["merge", "--quiet", "--no-ff", "--no-commit", "topic"]);
}

fn end_merge(repo: &Repo) {
    repo.git(["add", "-A"]);
    repo.git(["commit", "--quiet", "-m", "the merge", "-m", "and why", "--author", "Ann <ann@example.com>"]);
}

fn push(repo: &Repo, path: &str, content: &str) {
    commit(repo, path, content, "a colleague's");
    repo.git(["push", "--quiet"]);
}

fn subjects(repo: &Repo, range: &str) -> Vec<String> {
    repo.git(["log", "--format=%s", range]).lines().map(str::to_owned).collect()
}

#[test]
fn what_only_a_merge_holds_follows_what_was_replayed() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    begin_merge(&mike);
    mike.write("evil", "only in the merge\n");
    end_merge(&mike);
    commit(&mike, "after", "1\n", "after the merge");
    push(&howard, "theirs", "1\n");
    mike.git(["fetch", "--quiet"]);
    gitsync(&mike).arg("--dry-run").success().assert_says("would push 3 commits");

    let document = gitsync(&mike).success().document();
    let main = document.main();
    assert_eq!(main.state, SyncState::PulledPushed);
    assert_eq!(mike.read("evil"), "only in the merge\n");
    assert_eq!(origin.files("main"), ["README.md", "after", "evil", "theirs", "topic"]);
    let told = ["the merge", "after the merge", "on the topic"];
    assert_eq!(subjects(&mike, "HEAD~3..HEAD"), told);
    let pushed: Vec<_> = main.pushed.as_ref().unwrap().commits.iter().map(|commit| &commit.summary).collect();
    assert_eq!(pushed, told);
    assert_eq!(mike.git(["log", "-1", "--format=%an %ae %b"]).trim(), "Ann ann@example.com and why");
    assert_eq!(mike.git(["rev-list", "--merges", "HEAD"]), "");
    assert_eq!(gitsync(&mike).success().document().main().state, SyncState::Clean);
    gitsync(&howard).success();
    assert_converged(&[&howard, &mike]);
    mike.assert_sound();
}

#[test]
fn a_merge_that_holds_nothing_of_its_own_leaves_nothing_behind() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    begin_merge(&mike);
    end_merge(&mike);
    push(&howard, "theirs", "1\n");
    mike.git(["fetch", "--quiet"]);
    gitsync(&mike).arg("--dry-run").success().assert_says("would push 1 commit\n");
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().pushed.as_ref().unwrap().count, 1);
    assert_eq!(subjects(&mike, "HEAD~2..HEAD"), ["on the topic", "a colleague's"]);
}

#[test]
fn a_file_that_only_a_merge_removed_does_not_come_back() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    push(&howard, "old", "1\n");
    mike.pull();
    begin_merge(&mike);
    mike.remove("old");
    end_merge(&mike);
    push(&howard, "theirs", "1\n");
    gitsync(&mike).success();
    assert_eq!(origin.files("main"), ["README.md", "theirs", "topic"]);
    mike.assert_clean();
}

/// Tries, and does what the help says, which must work.
fn merge_as_advised(mike: &Repo, paths: &[&str]) {
    mike.git(["fetch", "--quiet"]);
    let before = mike.snapshot();
    let output = gitsync(mike).output();
    output.assert_code(Exit::Conflict.code().into());
    let document = output.document();
    assert_eq!(document.main().state, SyncState::Conflict);
    assert_eq!(document.main().conflicts, paths);
    assert_eq!(mike.snapshot(), before);
    let help = document.error.unwrap().help.unwrap();
    let command: Vec<&str> = help.split('`').nth(1).unwrap().split(' ').skip(1).collect();
    assert_eq!(command, ["merge", "origin/main"], "{help}");
    mike.try_git(["merge", "--quiet", "--no-edit", "origin/main"]);
}

#[test]
fn a_conflict_that_a_local_merge_has_resolved_is_told_with_the_merge_that_gets_on() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    commit(&mike, "README.md", "mike's\n", "mine");
    push(&howard, "README.md", "howard's\n");
    mike.git(["fetch", "--quiet"]);
    mike.try_git(["merge", "--quiet", "origin/main"]).assert_code(1);
    mike.write("README.md", "both\n");
    mike.commit_all("resolved");
    push(&howard, "theirs", "1\n");

    merge_as_advised(&mike, &["README.md"]);
    mike.assert_clean();
    gitsync(&mike).success();
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!((mike.read("README.md"), mike.read("theirs")), ("both\n".into(), "1\n".into()));
    gitsync(&howard).success();
    assert_converged(&[&howard, &mike]);
}

#[test]
fn what_only_a_merge_holds_can_be_in_conflict_too() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    begin_merge(&mike);
    mike.write("README.md", "in the merge\n");
    end_merge(&mike);
    let merge = mike.head();
    push(&howard, "README.md", "howard's\n");

    merge_as_advised(&mike, &["README.md"]);
    assert_eq!(mike.head(), merge);
    mike.write("README.md", "both\n");
    mike.commit_all("resolved");
    gitsync(&mike).success();
    assert_eq!(origin.rev("main"), mike.head());
    gitsync(&howard).success();
    assert_converged(&[&howard, &mike]);
}

#[test]
fn a_merge_of_a_branch_that_the_upstream_has_merged_too_is_judged_by_what_both_began_with() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    commit(&mike, "mine", "1\n", "mine");
    mike.git(["push", "--quiet", "origin", "main:side"]);
    push(&howard, "theirs", "1\n");
    howard.git(["fetch", "--quiet"]);
    mike.git(["fetch", "--quiet"]);
    // Each merges the other: there are two commits that both began with.
    mike.git(["merge", "--quiet", "--no-ff", "--no-commit", "origin/main"]);
    mike.write("evil", "only in the merge\n");
    end_merge(&mike);
    howard.git(["merge", "--quiet", "--no-edit", "origin/side"]);
    howard.git(["push", "--quiet"]);
    gitsync(&mike).success();
    assert_eq!(origin.files("main"), ["README.md", "evil", "mine", "theirs"]);
    mike.assert_clean();
    mike.assert_sound();
}
