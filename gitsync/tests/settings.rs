//! Tests that settings for what is committed, and how, mean the same as in git, wherever a run is started.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Invocation, Repo, World};

/// A clone, in which a file is to be ignored and another one to be committed.
fn with_objects() -> (World, Repo) {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("a.o", "1\n");
    mike.write("a.c", "1\n");
    (world, mike)
}

/// What a run commits besides what was there.
#[track_caller]
fn committed(repo: &Repo, run: Invocation) -> Vec<String> {
    run.success();
    let mut files = repo.files("HEAD");
    files.retain(|file| file != "README.md");
    files
}

#[test]
fn files_that_are_named_relative_to_the_work_tree_are_found_from_anywhere() {
    let (world, mike) = with_objects();
    mike.write("rules", "*.o\nrules\nattributes\n");
    mike.write("attributes", "*.c eol=crlf\n");
    mike.write("a.c", "1\r\n");
    mike.git(["config", "core.excludesFile", "rules"]);
    mike.git(["config", "core.attributesFile", "attributes"]);
    let elsewhere = gitsync(&mike).args(["--repo", mike.path().as_str()]).in_dir(world.home());
    assert_eq!(committed(&mike, elsewhere), ["a.c"]);
    assert_eq!(mike.git(["cat-file", "-p", "HEAD:a.c"]), "1");
}

#[test]
fn an_empty_name_of_the_file_with_ignore_rules_names_none() {
    let (world, mike) = with_objects();
    let folder = world.home().join(".config/git");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ignore"), "*.o\n").unwrap();
    mike.git(["config", "core.excludesFile", ""]);
    assert_eq!(committed(&mike, gitsync(&mike)), ["a.c", "a.o"]);
}

#[test]
fn an_empty_variable_does_not_hide_the_users_own_ignore_rules() {
    let (world, mike) = with_objects();
    let folder = world.home().join(".config/git");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ignore"), "*.o\n").unwrap();
    assert_eq!(committed(&mike, gitsync(&mike).env("XDG_CONFIG_HOME", "")), ["a.c"]);
}

#[test]
fn a_line_of_nothing_but_a_slash_ignores_nothing() {
    let (_world, mike) = with_objects();
    mike.write(".git/info/exclude", "*.o\n/\n");
    assert_eq!(committed(&mike, gitsync(&mike)), ["a.c"]);
}

#[test]
fn ignore_rules_that_are_a_folder_are_refused_as_by_git() {
    let (world, mike) = with_objects();
    mike.git(["config", "core.excludesFile", world.home().as_str()]);
    gitsync(&mike).output().assert_code(1);
    assert_ne!(mike.try_git(["add", "--all"]).code, 0);
}

#[test]
fn autocrlf_may_be_written_in_any_case() {
    let (_world, mike) = with_objects();
    mike.git(["config", "core.autocrlf", "Input"]);
    mike.write("a.c", "1\r\n");
    gitsync(&mike).success();
    assert_eq!(mike.git(["cat-file", "-p", "HEAD:a.c"]), "1");
}

#[test]
fn encodings_that_are_to_be_checked_may_be_any_that_git_knows() {
    let (_world, mike) = with_objects();
    mike.git(["config", "core.checkRoundTripEncoding", "UTF-16LE-BOM, SHIFT-JIS UTF-32"]);
    mike.write(".gitattributes", "*.txt working-tree-encoding=UTF-16LE-BOM\n");
    mike.write("a.txt", b"\xff\xfea\0");
    gitsync(&mike).success();
    assert_eq!(mike.git(["cat-file", "-p", "HEAD:a.txt"]), "a");
}

#[test]
fn what_git_is_told_for_one_command_counts_for_a_run_that_it_starts() {
    let (_world, mike) = with_objects();
    mike.git(["config", "core.excludesFile", "/nowhere"]);
    mike.write("../rules", "*.o\n");
    let alias = format!("alias.sync=!{} --fresh", env!("CARGO_BIN_EXE_gitsync"));
    let told = ["-c", "core.excludesFile=../rules", "-c", "user.name=Mike 'the' O'Neil!", "-c", &alias];
    assert_eq!(committed(&mike, mike.program("git").args(told).args(["sync"])), ["a.c"]);
    assert_eq!(mike.git(["log", "-1", "--format=%an"]), "Mike 'the' O'Neil!");
    gitsync(&mike).env("GIT_CONFIG_PARAMETERS", "user.name=x").output().assert_code(78);
}

#[test]
fn names_and_addresses_lose_what_git_takes_out_of_them() {
    let (_world, mike) = with_objects();
    let who = [("GIT_AUTHOR_NAME", "\"Mike <Miller>\" "), ("GIT_AUTHOR_EMAIL", "<mike@example.com>")];
    let with = |run: Invocation| who.iter().fold(run, |run, (name, value)| run.env(name, value));
    let of_git = with(mike.program("git").args(["var", "GIT_AUTHOR_IDENT"])).success().stdout;
    with(gitsync(&mike)).success();
    let author = mike.git(["log", "-1", "--format=%an <%ae>"]);
    assert_eq!(author, "Mike Miller <mike@example.com>");
    assert!(of_git.starts_with(&author), "{of_git}");
}

#[test]
fn what_is_neither_yes_nor_no_is_refused_as_by_git() {
    let (_world, mike) = with_objects();
    let before = mike.head();
    for key in ["commit.gpgSign", "core.autocrlf", "core.fileMode", "core.ignoreCase", "core.symlinks"] {
        mike.git(["config", key, "perhaps"]);
        let output = gitsync(&mike).output();
        output.assert_code(78);
        output.assert_says(&format!("{key} is 'perhaps', which is neither true nor false"));
        let name = ["-c", "user.name=M", "-c", "user.email=m@example.com"];
        let commit =
            mike.try_git(name.into_iter().chain(["commit", "--quiet", "--all", "--allow-empty", "-m", "x"]));
        assert_ne!(commit.code, 0, "{key}");
        mike.git(["config", "--unset", key]);
    }
    assert_eq!(mike.head(), before);
}
