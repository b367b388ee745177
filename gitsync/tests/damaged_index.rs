//! Tests that an index with flipped bits is refused or does no harm: no commit contains what git could not read.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;
mod run;

use common::{age, repo_with, stage_all};
use run::gitsync;
use testkit::{Repo, World};

/// Puts `now` in the place of `before`, which the index holds once: it is long enough that no stat data look like it.
fn damage(repo: &Repo, before: &str, now: &str) {
    let path = repo.git_dir().join("index");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(before.len()).rposition(|window| window == before.as_bytes()).unwrap();
    bytes[at..at + now.len()].copy_from_slice(now.as_bytes());
    std::fs::write(&path, bytes).unwrap();
}

/// Makes the index forget which trees it has.
fn forget_trees(repo: &Repo) {
    repo.git(["rm", "-r", "--quiet", "--cached", "."]);
    repo.git(["add", "--all"]);
}

/// Runs it and expects that it fails with `words` and leaves the branch alone.
#[track_caller]
fn assert_not_committed(repo: &Repo, words: &str) {
    let before = repo.rev("HEAD");
    let output = gitsync(repo).output();
    output.assert_code(1);
    output.assert_says(words);
    assert_eq!(repo.rev("HEAD"), before);
}

#[test]
fn one_whose_paths_are_out_of_order_is_refused() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for path in ["apple", "berry", "cherry"] {
        mike.write(path, path);
    }
    mike.commit_all("three files");
    mike.write("new", "new");
    for version in ["2", "4"] {
        mike.git(["update-index", "--index-version", version]);
        damage(&mike, "berry\0", "zebra\0");
        assert_not_committed(&mike, "should order after");
        damage(&mike, "zebra\0", "berry\0");
    }
}

#[test]
fn one_with_a_path_that_names_no_file_is_not_committed() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("d/e/f", "1");
    mike.commit_all("a file");
    mike.write("d/g", "2");
    for (name, words) in
        [("d///f", "is no path of a file"), ("d/./f", "d/./"), ("d/../", "error:"), (".git/", "error:")]
    {
        forget_trees(&mike);
        mike.git(["update-index", "--assume-unchanged", "d/e/f"]);
        damage(&mike, "d/e/f", name);
        assert_not_committed(&mike, words);
        std::fs::remove_file(mike.git_dir().join("index")).unwrap();
        mike.git(["reset", "--quiet"]);
    }
}

#[test]
fn one_with_a_name_for_both_a_file_and_a_folder_is_not_committed() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("loan", "1");
    mike.write("logs/e", "1");
    mike.commit_all("a file and a folder");
    forget_trees(&mike);
    mike.git(["update-index", "--assume-unchanged", "loan"]);
    damage(&mike, "loan\0", "logs\0");
    mike.write("new", "new");
    assert_not_committed(&mike, "logs is both a file and a folder in it");
}

#[test]
fn one_that_has_other_paths_than_the_trees_it_names_is_committed_as_the_work_tree_is() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n"), ("d/f9", "1\n")]);
    damage(&repo, "d/f9", "d/f0");
    repo.remove("d/f9");
    let staged = stage_all(&repo).ok().unwrap();
    assert_eq!(repo.files(&staged.tree), ["a"]);
}

#[test]
fn one_with_a_file_whose_content_was_lost_is_not_committed_until_the_file_is_added_anew() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new file", "what a power cut took\n");
    age(&mike, "new file");
    mike.git(["add", "new file"]);
    let id = mike.git(["rev-parse", ":new file"]);
    let object = mike.git_dir().join("objects").join(&id[..2]).join(&id[2..]);
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, "").unwrap();
    assert_not_committed(&mike, "missing or damaged");
    mike.git(["rm", "--quiet", "--cached", "--", "new file"]);
    gitsync(&mike).success();
    assert_eq!(origin.git(["show", "main:new file"]), "what a power cut took");
}
