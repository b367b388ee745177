//! Settings that say what is committed, and as what: they mean what they mean to git, wherever a run is started.

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
