//! Tests submodules: only the commits that they are at matter, and these are rebased as git rebases them.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use testkit::{Repo, World};
use twin::{Result, Twin};

/// A repository with the submodule `library`, whose commits are called `old`, `new`, `newer` and `other`; `other` and
/// `new` come after `old`.
fn with_a_submodule() -> Twin {
    Twin::new(|repo| {
        let source = World::new();
        let library = source.init("library");
        for (name, after) in
            [("old", None), ("new", Some("old")), ("newer", Some("new")), ("other", Some("old"))]
        {
            if let Some(after) = after {
                library.git(["switch", "--quiet", "--detach", after]);
            }
            library.write("lib.md", name);
            library.commit_all(name);
            library.git(["tag", name]);
        }
        library.git(["switch", "--quiet", "--detach", "old"]);
        repo.program("cp").args(["-a", library.path().as_str(), "library"]).success();
        repo.git(["-c", "advice.addEmbeddedRepo=false", "add", "library"]);
    })
}

/// Commits that the submodule is at `commit`, and nothing else but what is written already.
fn bump(repo: &Repo, commit: &str) {
    let id = repo.git(["-C", "library", "rev-parse", commit]);
    repo.git(["update-index", "--cacheinfo", &format!("160000,{id},library")]);
    repo.git(["commit", "--quiet", "-m", commit]);
}

fn rebased(theirs: &str, ours: &str) -> Result {
    let twin = with_a_submodule();
    twin.theirs(|repo| bump(repo, theirs));
    twin.ours(|repo| bump(repo, ours));
    twin.assert_same()
}

#[test]
fn moved_alike_on_both_sides_the_local_commit_is_dropped() {
    assert_eq!(rebased("new", "new"), Result::History(Vec::new()));
}

#[test]
fn moved_apart_they_are_a_conflict_that_names_the_path() {
    assert_eq!(rebased("new", "other"), Result::Conflict(vec!["library".into()]));
}

#[test]
fn where_one_side_contains_the_other_its_commit_is_taken() {
    assert!(matches!(rebased("new", "newer"), Result::History(commits) if commits.len() == 1));
    assert_eq!(rebased("newer", "new"), Result::History(Vec::new()));
}

#[test]
fn a_submodule_that_is_not_checked_out_is_a_conflict() {
    let twin = with_a_submodule();
    twin.theirs(|repo| bump(repo, "new"));
    twin.ours(|repo| bump(repo, "newer"));
    std::fs::remove_dir_all(twin.repo.join("library/.git")).unwrap();
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["library".into()]));
}

#[test]
fn what_became_a_submodule_on_both_sides_alike_is_dropped_too() {
    let twin = with_a_submodule();
    let replace = |repo: &Repo| {
        let id = repo.git(["-C", "library", "rev-parse", "new"]);
        repo.git(["rm", "--quiet", "--cached", "README.md"]);
        repo.git(["update-index", "--add", "--cacheinfo", &format!("160000,{id},README.md")]);
        repo.git(["commit", "--quiet", "-m", "a submodule now"]);
        repo.remove("README.md");
    };
    twin.theirs(|repo| {
        replace(repo);
        repo.git(["commit", "--quiet", "--allow-empty", "-m", "another"]);
    });
    twin.ours(replace);
    assert_eq!(twin.assert_same(), Result::History(Vec::new()));
}
