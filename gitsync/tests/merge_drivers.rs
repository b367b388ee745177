//! Tests that the user's merge drivers get the same arguments as from git, and that no temporary file is left behind.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;
mod twin;

use run::gitsync;
use testkit::{Output, Repo, Sections as _, World};
use twin::{LINES, Result, Twin};

/// Both sides changed the file at `path`, which is merged by `command`.
fn both_changed(path: &str, command: &str) -> Twin {
    let twin = Twin::new(|repo| {
        repo.write(".gitattributes", "*.lock merge=mine\n");
        repo.write(path, LINES);
        repo.git(["config", "merge.mine.driver", command]);
    });
    let change = |repo: &Repo, from: &str, to: &str| {
        repo.write(path, LINES.replace(from, to));
        repo.commit_all(to);
    };
    twin.theirs(|repo| change(repo, "one", "theirs"));
    twin.ours(|repo| change(repo, "ten", "ours"));
    twin
}

#[test]
fn they_are_told_what_git_tells_them_and_run_where_git_runs_them() {
    let command =
        "{ cat %O %A '%B'; echo %L %P %% %Z \"$PWD\"; env | grep ^GIT_DIR; } >\"%A\".new; mv %A.new %A";
    let twin = both_changed("sub dir/it's 5%.lock", command);
    assert!(matches!(twin.assert_same(), Result::History(_)));
    assert!(twin.repo.read("sub dir/it's 5%.lock").contains("ours"));
    twin.theirs(|repo| {
        repo.write(".gitattributes", "*.lock merge=mine conflict-marker-size=12\n");
        repo.commit_all("longer markers");
    });
    assert!(matches!(twin.assert_same(), Result::History(_)));
}

#[test]
fn a_file_that_was_renamed_is_merged_by_the_driver_of_its_new_name() {
    for one_renames in [true, false] {
        let twin = Twin::new(|repo| {
            repo.write(".gitattributes", "*.lock merge=mine\n");
            repo.write("plain.txt", LINES);
            repo.git(["config", "merge.mine.driver", "cat %B >>%A; echo %P >>%A"]);
        });
        let change = |repo: &Repo, line: &str, renames: bool| {
            repo.write("plain.txt", LINES.replace("five", line));
            if renames {
                repo.rename("plain.txt", "sub/new.lock");
            }
            repo.commit_all(line);
        };
        twin.theirs(|repo| change(repo, "theirs", one_renames));
        twin.ours(|repo| change(repo, "ours", !one_renames));
        assert!(matches!(twin.assert_same(), Result::History(_)), "{one_renames}");
    }
}

#[test]
fn a_file_that_both_sides_renamed_alike_or_added_is_merged_from_what_each_has() {
    let twin = Twin::new(|repo| {
        repo.write(".gitattributes", "*.lock merge=mine\n");
        repo.write("a.lock", LINES);
        repo.git(["config", "merge.mine.driver", "cat %O %A %B >%A.new; mv %A.new %A"]);
    });
    let change = |repo: &Repo, line: &str| {
        repo.write("a.lock", LINES.replace("five", line));
        repo.rename("a.lock", "b.lock");
        repo.write("new.lock", line);
        repo.commit_all(line);
    };
    twin.theirs(|repo| change(repo, "theirs"));
    twin.ours(|repo| change(repo, "ours"));
    assert!(matches!(twin.assert_same(), Result::History(_)));
}

#[test]
fn the_default_driver_merges_what_no_attribute_speaks_of() {
    let twin = both_changed("a.txt", "cat %B >>%A");
    twin.repo.git(["config", "merge.default", "mine"]);
    assert!(matches!(twin.assert_same(), Result::History(_)));
}

#[test]
fn a_code_up_to_128_is_a_conflict_as_with_git() {
    for command in ["exit 1", "no-such-program %A", "exit 128"] {
        let twin = both_changed("a.lock", command);
        assert_eq!(twin.assert_same(), Result::Conflict(vec!["a.lock".into()]), "{command}");
    }
}

/// A clone in which a run has to merge `a.lock` by `command`.
fn about_to_merge(command: &str) -> (World, Repo, Repo) {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write(".gitattributes", "*.lock merge=mine\n");
    howard.write("a.lock", LINES);
    gitsync(&howard).success();
    gitsync(&mike).success();
    howard.write("a.lock", LINES.replace("one", "theirs"));
    gitsync(&howard).success();
    mike.write("a.lock", LINES.replace("ten", "ours"));
    mike.git(["config", "merge.mine.driver", command]);
    (world, origin, mike)
}

#[test]
fn a_conflict_of_a_driver_lists_its_path() {
    let (_world, _origin, mike) = about_to_merge("false");
    let output = gitsync(&mike).output();
    output.assert_code(4);
    assert_eq!(output.document().main().conflicts, ["a.lock"]);
    mike.assert_clean();
}

#[test]
fn a_driver_that_breaks_down_is_told_with_its_path_and_words() {
    let told = |command: &str| -> Output {
        let (_world, _origin, mike) = about_to_merge(command);
        let output = gitsync(&mike).output();
        output.assert_code(1);
        output.assert_says("the merge driver mine broke down on a.lock");
        mike.assert_clean();
        output
    };
    told("echo lost the thread >&2; exit 129").assert_says("exit code 129: lost the thread");
    told("kill -9 $$").assert_says("signal: 9");
    told("rm %A").assert_says("it left no result");
}

#[test]
fn what_a_driver_says_does_not_get_into_the_document() {
    let (_world, _origin, mike) = about_to_merge("echo merging %P; git merge-file %A %O %B");
    let output = gitsync(&mike).success();
    assert!(output.stdout.starts_with('{') && !output.stdout.contains("merging"), "{output}");
}

#[test]
fn somebody_who_adds_all_files_meanwhile_adds_none_of_a_driver_s() {
    let command = "git status --porcelain --untracked-files=all >.git/seen; git merge-file %A %O %B";
    let (_world, _origin, mike) = about_to_merge(command);
    gitsync(&mike).success();
    assert_eq!(mike.read(".git/seen"), "");
}

#[test]
fn a_run_that_is_killed_meanwhile_leaves_nothing_for_the_next_one_to_commit() {
    let (_world, origin, mike) = about_to_merge("touch .git/reached; kill -9 $PPID; sleep 1");
    assert_eq!(gitsync(&mike).output().code, 137);
    mike.read(".git/reached");
    mike.assert_clean();
    mike.git(["config", "merge.mine.driver", "git merge-file %A %O %B"]);
    gitsync(&mike).success();
    assert_eq!(mike.files("HEAD"), [".gitattributes", "README.md", "a.lock"]);
    assert_eq!(origin.rev("main"), mike.head());
    let left = mike.program("find").arg(mike.common_dir()).args(["-name", "*tmp*"]).success().stdout;
    assert_eq!(left, "");
}
