//! Tests that the rebase in memory gives the same result as `git rebase`, and stops at the same conflicts.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use testkit::Repo;
use twin::{LINES, Result, Twin, commit, count};

#[test]
fn changes_of_different_files_are_put_one_after_the_other() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "theirs.md", "1\n", "theirs"));
    twin.ours(|repo| {
        commit(repo, "ours.md", "1\n", "ours 1");
        commit(repo, "ours.md", "2\n", "ours 2\n\nwith a body\n\n\nand trailing lines");
    });
    assert_eq!(count(&twin.assert_same()), 2);
}

#[test]
fn changes_of_different_lines_are_merged() {
    let twin = Twin::new(|repo| repo.write("a.txt", LINES));
    twin.theirs(|repo| commit(repo, "a.txt", &LINES.replace("one", "ONE"), "theirs"));
    twin.ours(|repo| commit(repo, "a.txt", &LINES.replace("nine", "NINE"), "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn changes_of_the_same_line_are_a_conflict_that_names_the_path() {
    let twin = Twin::new(|repo| repo.write("dir/ä b.txt", LINES));
    twin.theirs(|repo| commit(repo, "dir/ä b.txt", &LINES.replace("one", "ONE"), "theirs"));
    twin.ours(|repo| commit(repo, "dir/ä b.txt", &LINES.replace("one", "uno"), "ours"));
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["dir/ä b.txt".into()]));
}

#[test]
fn a_commit_that_the_upstream_picked_is_dropped() {
    let twin = Twin::new(|repo| repo.write("a.txt", LINES));
    twin.ours(|repo| {
        commit(repo, "a.txt", &LINES.replace("one", "ONE"), "picked");
        commit(repo, "b.txt", "b\n", "kept");
    });
    twin.theirs(|repo| {
        commit(repo, "c.txt", "c\n", "before");
        repo.git(["cherry-pick", "main~1"]);
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn a_change_that_was_picked_and_then_changed_again_upstream_is_dropped_and_no_conflict() {
    let twin = Twin::new(|repo| repo.write("a.txt", LINES));
    twin.ours(|repo| commit(repo, "a.txt", &LINES.replace("one", "ONE"), "picked"));
    twin.theirs(|repo| {
        repo.git(["cherry-pick", "main"]);
        commit(repo, "a.txt", &LINES.replace("one", "first"), "changed again");
    });
    assert_eq!(count(&twin.assert_same()), 0);
}

#[test]
fn the_same_line_elsewhere_is_another_change() {
    let twin = Twin::new(|repo| repo.write("a.txt", "a\na\na\na\n--\nb\nb\nb\nb\n"));
    twin.ours(|repo| commit(repo, "a.txt", "a\na\nnew\na\na\n--\nb\nb\nb\nb\n", "ours"));
    twin.theirs(|repo| commit(repo, "a.txt", "a\na\na\na\n--\nb\nb\nnew\nb\nb\n", "theirs"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn white_space_makes_no_difference_to_what_was_picked() {
    let twin = Twin::new(|repo| repo.write("a.txt", LINES));
    twin.ours(|repo| commit(repo, "a.txt", &LINES.replace("one", "o n e"), "ours"));
    twin.theirs(|repo| commit(repo, "a.txt", &LINES.replace("one", "  one  "), "theirs"));
    twin.assert_same();
}

#[test]
fn a_commit_that_becomes_empty_is_dropped_and_one_that_always_was_stays() {
    let twin = Twin::new(|_| {});
    twin.ours(|repo| {
        repo.git(["commit", "--quiet", "--allow-empty", "-m", "empty on purpose"]);
        commit(repo, "a.txt", "1\n2\n", "becomes empty");
    });
    twin.theirs(|repo| {
        commit(repo, "a.txt", "1\n", "half");
        commit(repo, "a.txt", "1\n2\n", "other half");
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn merges_are_linearised_in_git_s_order() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "theirs.md", "1\n", "theirs"));
    twin.ours(|repo| {
        repo.git(["switch", "--quiet", "-c", "side"]);
        commit(repo, "side 1", "1\n", "side 1");
        repo.git(["switch", "--quiet", "main"]);
        commit(repo, "main 1", "1\n", "main 1");
        repo.git(["switch", "--quiet", "side"]);
        commit(repo, "side 2", "1\n", "side 2");
        repo.git(["switch", "--quiet", "main"]);
        commit(repo, "main 2", "1\n", "main 2");
        repo.git(["merge", "--quiet", "--no-edit", "side"]);
        commit(repo, "main 3", "1\n", "main 3");
    });
    assert_eq!(count(&twin.assert_same()), 5);
}

#[test]
fn an_upstream_that_was_merged_before_is_not_replayed() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "theirs 1", "1\n", "theirs 1"));
    twin.ours(|repo| {
        commit(repo, "ours 1", "1\n", "ours 1");
        repo.git(["merge", "--quiet", "--no-edit", "upstream"]);
        commit(repo, "ours 2", "1\n", "ours 2");
    });
    twin.assert_same();
    twin.theirs(|repo| commit(repo, "theirs 2", "1\n", "theirs 2"));
    assert_eq!(count(&twin.assert_same()), 2);
}

#[test]
fn a_file_that_one_side_renamed_gets_the_other_side_s_change() {
    let twin = Twin::new(|repo| repo.write("old.txt", LINES));
    twin.theirs(|repo| {
        repo.rename("old.txt", "new.txt");
        repo.commit_all("renamed");
    });
    twin.ours(|repo| commit(repo, "old.txt", &LINES.replace("nine", "NINE"), "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn a_file_that_one_side_changed_and_the_other_deleted_is_a_conflict() {
    for deleted_by_us in [true, false] {
        let twin = Twin::new(|repo| repo.write("a.txt", LINES));
        let delete = |repo: &Repo| {
            repo.remove("a.txt");
            repo.commit_all("deleted");
        };
        let change = |repo: &Repo| commit(repo, "a.txt", &LINES.replace("one", "ONE"), "changed");
        twin.theirs(|repo| if deleted_by_us { change(repo) } else { delete(repo) });
        twin.ours(|repo| if deleted_by_us { delete(repo) } else { change(repo) });
        assert_eq!(twin.assert_same(), Result::Conflict(vec!["a.txt".into()]));
    }
}

#[test]
fn both_added_the_same_file_with_other_content() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "new.txt", "theirs\n", "theirs"));
    twin.ours(|repo| commit(repo, "new.txt", "ours\n", "ours"));
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["new.txt".into()]));
}

#[test]
fn union_and_other_merge_attributes_count_also_when_they_arrive_with_the_change() {
    let twin = Twin::new(|repo| repo.write("log.md", "start\n"));
    twin.theirs(|repo| {
        repo.write(".gitattributes", "*.md merge=union\n");
        commit(repo, "log.md", "start\ntheirs\n", "theirs");
    });
    twin.ours(|repo| commit(repo, "log.md", "start\nours\n", "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn attributes_that_a_local_commit_brings_count_from_the_next_commit_on() {
    let twin = Twin::new(|repo| repo.write("sub/log.md", "start\n"));
    twin.theirs(|repo| commit(repo, "sub/log.md", "start\ntheirs\n", "theirs"));
    twin.ours(|repo| {
        commit(repo, "sub/.gitattributes", "*.md merge=union\n", "attributes");
        commit(repo, "sub/log.md", "start\nours\n", "ours");
    });
    assert_eq!(count(&twin.assert_same()), 2);
}

#[test]
fn a_merge_driver_of_the_user_s_own_is_used() {
    let twin = Twin::new(|repo| {
        repo.write(".gitattributes", "*.lock merge=newest\n");
        repo.write("a.lock", "1\n");
        repo.git(["config", "merge.newest.driver", "sort -n %A %B | tail -n 1 > %A.new && mv %A.new %A"]);
    });
    twin.theirs(|repo| commit(repo, "a.lock", "3\n", "theirs"));
    twin.ours(|repo| commit(repo, "a.lock", "2\n", "ours"));
    twin.assert_same();
}

#[test]
fn binary_files_are_not_merged_line_by_line() {
    let twin = Twin::new(|repo| repo.write("a.bin", b"a\0b\nc\nd\ne\nf\n"));
    twin.theirs(|repo| {
        repo.write("a.bin", b"A\0b\nc\nd\ne\nf\n");
        repo.commit_all("theirs");
    });
    twin.ours(|repo| {
        repo.write("a.bin", b"a\0b\nc\nd\ne\nF\n");
        repo.commit_all("ours");
    });
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["a.bin".into()]));
}

#[test]
fn modes_and_links_go_along() {
    let twin = Twin::new(|repo| repo.write("tool.sh", "#!/bin/sh\n"));
    twin.theirs(|repo| commit(repo, "tool.sh", "#!/bin/sh\necho\n", "theirs"));
    twin.ours(|repo| {
        repo.set_executable("tool.sh", true);
        std::os::unix::fs::symlink("tool.sh", repo.join("link")).unwrap();
        repo.commit_all("ours");
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn the_same_content_on_both_sides_is_no_conflict_where_one_of_them_changes_the_mode_too() {
    for ours_has_mode in [true, false] {
        for was_program in [true, false] {
            let twin = Twin::new(|repo| {
                repo.write("tool.sh", "#!/bin/sh\n");
                repo.set_executable("tool.sh", was_program);
                repo.write("a.txt", LINES);
            });
            let side = |repo: &Repo, line: &str, has_mode: bool| {
                repo.write("tool.sh", "#!/bin/sh\necho\n");
                repo.set_executable("tool.sh", was_program != has_mode);
                // Something that takes more than a look at the entries.
                repo.write("a.txt", LINES.replace(line, "changed"));
                repo.commit_all(line);
            };
            twin.theirs(|repo| side(repo, "one", !ours_has_mode));
            twin.ours(|repo| side(repo, "nine", ours_has_mode));
            assert_eq!(count(&twin.assert_same()), 1, "{ours_has_mode} {was_program}");
        }
    }
}

#[test]
fn with_nothing_new_upstream_nothing_changes() {
    let twin = Twin::new(|_| {});
    twin.ours(|repo| commit(repo, "ours", "1\n", "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}
