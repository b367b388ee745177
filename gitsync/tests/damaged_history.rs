//! Tests repositories in which a part of the history is damaged or missing that a sync does not need: git goes on, too.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod run;

use run::gitsync;
use testkit::{Repo, World};

/// Removes a loose object.
fn lose(repo: &Repo, id: &str) {
    std::fs::remove_file(repo.git_dir().join("objects").join(&id[..2]).join(&id[2..])).unwrap();
}

/// Creates a history of two commits that has nothing in common with `main`, and returns them, the older one first.
fn history_of_its_own(repo: &Repo) -> [String; 2] {
    repo.git(["checkout", "--quiet", "--orphan", "old"]);
    let commits = ["1\n", "2\n"].map(|content| {
        repo.write("old.md", content);
        repo.commit_all("old")
    });
    repo.git(["checkout", "--quiet", "main"]);
    commits
}

/// Has both write `text`, and expects that a sync of the first brings all of it together.
#[track_caller]
fn assert_synced(origin: &Repo, mike: &Repo, howard: &Repo, text: &str) {
    howard.write("theirs.md", text);
    howard.commit_all("theirs");
    howard.git(["push", "--quiet", "origin", "main"]);
    mike.write("mine.md", text);
    gitsync(mike).success();
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(mike.git(["show", "HEAD:theirs.md", "HEAD:mine.md"]), [text, text].concat().trim_end());
}

#[test]
fn a_local_ref_that_leads_to_a_missing_commit_stops_no_sync() {
    let (_world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    let [older, _] = history_of_its_own(&mike);
    lose(&mike, &older);
    assert_synced(&origin, &mike, &howard, "text\n");
}

#[test]
fn a_branch_of_the_remote_that_is_here_without_its_beginning_stops_no_push() {
    let (_world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    let [older, _] = history_of_its_own(&mike);
    mike.git(["push", "--quiet", "origin", "old"]);
    // All that is left of it is its newest commit, to which no ref leads.
    mike.git(["branch", "--quiet", "-D", "old"]);
    mike.git(["update-ref", "-d", "refs/remotes/origin/old"]);
    mike.git(["config", "remote.origin.fetch", "+refs/heads/main:refs/remotes/origin/main"]);
    lose(&mike, &older);
    assert_synced(&origin, &mike, &howard, "text\n");
}

#[test]
fn a_commit_graph_that_was_cut_off_stops_no_sync() {
    let (_world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    mike.git(["commit-graph", "write", "--reachable"]);
    let path = mike.git_dir().join("objects/info/commit-graph");
    let whole = std::fs::read(&path).unwrap();
    for length in [0, whole.len() / 2] {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &whole[..length]).unwrap();
        howard.git(["pull", "--quiet", "--rebase", "origin", "main"]);
        assert_synced(&origin, &mike, &howard, &format!("{length}\n"));
    }
}
