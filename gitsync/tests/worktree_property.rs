//! Tests updates between arbitrary trees against `git read-tree -m -u`.
//!
//! The working tree and the index become the same, and the user's own files are either left alone or the update is
//! refused.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use common::{assert_same_index, snapshot, twin, update};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use testkit::{Repo, World};

const NAMES: [&str; 12] =
    [".gitattributes", "a", "a/b", "a/b/c", "a.txt", "a-b", "d/x.txt", "d/y", "d/e/z", "sp ace", "ü/ñ", "d"];

#[derive(Debug, Clone, PartialEq)]
enum Thing {
    File(u8),
    Tool(u8),
    Link(u8),
}

type Files = BTreeMap<usize, Thing>;

fn files() -> impl Strategy<Value = Files> {
    let thing = prop_oneof![
        4 => (0..3u8).prop_map(Thing::File),
        1 => (0..2u8).prop_map(Thing::Tool),
        1 => (0..2u8).prop_map(Thing::Link),
    ];
    prop::collection::btree_map(0..NAMES.len(), thing, 0..9)
}

/// What a user does before the update.
fn edits() -> impl Strategy<Value = Files> {
    prop::collection::btree_map(0..NAMES.len(), (3..5u8).prop_map(Thing::File), 0..3)
}

/// Write those files that fit; of two that get into each other's way the first stays.
fn write(repo: &Repo, files: &Files) {
    for (name, thing) in files {
        let path = repo.join(NAMES[*name]);
        let parent = path.parent().unwrap();
        if std::fs::create_dir_all(parent).is_err() || path.is_dir() {
            continue;
        }
        let _ = std::fs::remove_file(&path);
        match thing {
            Thing::File(n) | Thing::Tool(n) if NAMES[*name] == ".gitattributes" => {
                repo.write(
                    NAMES[*name],
                    ["*.txt eol=crlf\n", "* text=auto\n", "* ident\n", "x y\n", "z y\n"][usize::from(*n)],
                );
            }
            Thing::File(n) | Thing::Tool(n) => repo.write(NAMES[*name], format!("line {n}\n$Id$\n")),
            Thing::Link(n) => symlink(format!("to {n}"), &path).unwrap(),
        }
        if matches!(thing, Thing::Tool(_)) {
            repo.set_executable(NAMES[*name], true);
        }
    }
}

fn commit(repo: &Repo, files: &Files, name: &str) {
    repo.try_git(["rm", "--quiet", "-r", "--force", "."]);
    repo.git(["clean", "-ffdqx"]);
    write(repo, files);
    repo.commit_all(name);
    repo.git(["tag", name]);
}

#[test]
fn any_tree_becomes_any_other_and_nothing_of_the_users_is_lost() {
    let cases = std::env::var("LOCKSTEP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(16);
    let persistence = FileFailurePersistence::Off;
    let config = Config {
        cases,
        max_shrink_iters: 200,
        failure_persistence: Some(Box::new(persistence)),
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&(files(), files(), edits()), |(old, new, edits)| {
            let world = World::new();
            let repo = world.init("mike");
            commit(&repo, &new, "new");
            commit(&repo, &old, "old");
            repo.git(["checkout", "--quiet", "--force", "old"]);
            write(&repo, &edits);
            let before = snapshot(&repo);
            let judge = twin(&world, &repo);
            judge.try_git(["update-index", "-q", "--refresh"]);
            let gits = judge.try_git(["read-tree", "-m", "-u", "HEAD", "new"]);
            match update(&repo, "HEAD", "new") {
                Ok(done) => {
                    done.pending.finish().unwrap();
                    repo.git(["update-ref", "HEAD", "new"]);
                    if gits.code == 0 {
                        judge.git(["update-ref", "HEAD", "new"]);
                        prop_assert_eq!(snapshot(&repo), snapshot(&judge));
                        assert_same_index(&repo, &judge);
                    }
                    // Git refuses some that it need not: then at least nothing may be gone.
                    let after = snapshot(&repo);
                    for name in edits.keys().map(|name| NAMES[*name]) {
                        let lost =
                            before.get(name).filter(|was| was.contains("line 3") || was.contains("line 4"));
                        prop_assert!(lost.is_none_or(|was| after.get(name) == Some(was)), "{name} is gone");
                    }
                }
                Err(refused) => {
                    prop_assert_eq!(snapshot(&repo), before);
                    prop_assert!(gits.code != 0, "git did it, and here it was refused: {}", refused[0]);
                }
            }
            Ok(())
        })
        .unwrap();
}
