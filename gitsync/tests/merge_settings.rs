//! Tests that the settings for merges have the same effect as in git.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use twin::{LINES, Result, Twin, commit};

#[test]
fn renames_are_followed_and_copies_are_not() {
    for value in ["true", "copies"] {
        for key in ["diff.renames", "merge.renames"] {
            let twin = Twin::new(|repo| {
                repo.write("old.txt", LINES);
                repo.git(["config", key, value]);
            });
            twin.theirs(|repo| {
                repo.rename("old.txt", "sub/new.txt");
                commit(repo, "copy.txt", LINES, "copy.txt");
            });
            twin.ours(|repo| commit(repo, "old.txt", &LINES.replace("five", "FIVE"), "old.txt"));
            assert!(matches!(twin.assert_same(), Result::History(_)), "{key}={value}");
        }
    }
}

#[test]
fn the_limit_of_renames_counts() {
    let twin = Twin::new(|repo| {
        for name in ["a", "b", "c"] {
            repo.write(&format!("old/{name}.txt"), LINES.replace("one", name));
        }
        repo.git(["config", "merge.renameLimit", "1"]);
    });
    twin.theirs(|repo| {
        for name in ["a", "b", "c"] {
            repo.rename(&format!("old/{name}.txt"), &format!("new-{name}.md"));
            repo.append(&format!("new-{name}.md"), "eleven\n");
        }
        repo.commit_all("renamed");
    });
    twin.ours(|repo| {
        commit(repo, "old/a.txt", &LINES.replace("five", "FIVE").replace("one", "a"), "old/a.txt")
    });
    assert!(matches!(twin.assert_same(), Result::Conflict(_)));
}

#[test]
fn a_text_is_merged_by_lines_however_long_it_is() {
    let twin = Twin::new(|repo| {
        repo.write("a.txt", LINES);
        repo.git(["config", "core.bigFileThreshold", "16"]);
    });
    twin.theirs(|repo| commit(repo, "a.txt", &LINES.replace("one", "ONE"), "a.txt"));
    twin.ours(|repo| commit(repo, "a.txt", &LINES.replace("ten", "TEN"), "a.txt"));
    assert!(matches!(twin.assert_same(), Result::History(_)));
}

#[test]
fn a_block_that_both_sides_added_comes_once_in_a_union() {
    let twin = Twin::new(|repo| {
        repo.write(".gitattributes", "*.log merge=union\n");
        repo.write("x.log", "head\n");
    });
    let shared = "shared 1\nshared 2\nshared 3\nshared 4\nshared 5\n";
    twin.theirs(|repo| commit(repo, "x.log", &format!("head\nA\n{shared}B\n"), "theirs"));
    twin.ours(|repo| commit(repo, "x.log", &format!("head\nC\n{shared}D\n"), "ours"));
    assert!(matches!(twin.assert_same(), Result::History(_)));
}
