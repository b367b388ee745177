//! Tests updates to malicious trees: nothing is written outside of the working tree or into `.git`.
//!
//! The run reports what it refused.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use common::{open, snapshot};
use gitsync::path::Hostile;
use gitsync::worktree::{Refused, Why, look, plan};
use gix::ObjectId;
use testkit::{Repo, World};

const FILE: &str = "100644";
const LINK: &str = "120000";
const FOLDER: &str = "40000";

/// A tree object with just these entries, whatever git thinks of them.
fn tree(repo: &Repo, entries: &[(&str, &[u8], &str)]) -> String {
    let mut data = Vec::new();
    for (mode, name, id) in entries {
        data.extend_from_slice(mode.as_bytes());
        data.push(b' ');
        data.extend_from_slice(name);
        data.push(0);
        data.extend_from_slice(ObjectId::from_hex(id.as_bytes()).unwrap().as_slice());
    }
    object(repo, "tree", data)
}

fn blob(repo: &Repo, content: &str) -> String {
    object(repo, "blob", content.as_bytes().to_vec())
}

fn object(repo: &Repo, kind: &str, data: Vec<u8>) -> String {
    let hash = repo.git_invocation().args(["hash-object", "-t", kind, "--literally", "-w", "--stdin"]);
    let output = hash.stdin(data).output();
    output.assert_success();
    output.stdout.trim().to_owned()
}

fn repo(world: &World) -> Repo {
    let repo = world.init("mike");
    repo.write("honest", "1\n");
    repo.commit_all("the beginning");
    repo
}

/// What is refused on the way from `HEAD` to the tree `to`, which must be something.
#[track_caller]
fn refusals(repo: &Repo, to: &str) -> Vec<Refused> {
    let before = snapshot(repo);
    let gix = open(repo);
    let index = gitsync::index::open(&gix).unwrap();
    let to = ObjectId::from_hex(to.as_bytes()).unwrap();
    let facts = look(&gix, &index, common::head_tree(&gix), to, &()).unwrap();
    let refused = plan(&facts).expect_err("it was not refused");
    assert_eq!(snapshot(repo), before);
    refused
}

#[test]
fn every_name_that_leads_into_git_or_out_of_the_work_tree_is_refused() {
    let world = World::new();
    let repo = repo(&world);
    let evil = blob(&repo, "evil\n");
    let names: [&[u8]; 14] = [
        b".git",
        b".GIT",
        b".Git",
        b"git~1",
        b"GIT~1",
        b".git ",
        b".git.",
        b".git::$INDEX_ALLOCATION",
        ".g\u{200c}it".as_bytes(),
        b"..",
        b".",
        b"a/b",
        b"/etc",
        b".git\\config",
    ];
    for name in names {
        let here = tree(&repo, &[(FILE, name, &evil)]);
        let config = tree(&repo, &[(FILE, b"config", &evil)]);
        let folder = tree(&repo, &[(FOLDER, name, &config)]);
        let below = tree(&repo, &[(FOLDER, b"below", &folder)]);
        for to in [&here, &folder, &below] {
            let refused = refusals(&repo, to);
            assert!(
                matches!(refused[0].why, Why::Hostile(Hostile::Name(_))),
                "{}: {refused:?}",
                String::from_utf8_lossy(name)
            );
        }
    }
}

#[test]
fn a_link_that_stands_for_the_list_of_submodules_is_refused() {
    let world = World::new();
    let repo = repo(&world);
    let target = blob(&repo, "../../outside");
    let to = tree(&repo, &[(LINK, b".gitmodules", &target)]);
    assert_eq!(refusals(&repo, &to)[0].path, ".gitmodules");
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let world = World::new();
    let repo = repo(&world);
    let outside = blob(&repo, world.path().as_str());
    let evil = blob(&repo, "evil\n");
    let below = tree(&repo, &[(FILE, b"planted", &evil)]);
    // A link, and a folder of the same name whose file would be written through it.
    for kind in [FOLDER, FILE] {
        let id = if kind == FOLDER { &below } else { &evil };
        let to = tree(&repo, &[(LINK, b"a", &outside), (kind, b"a", id)]);
        let refused = refusals(&repo, &to);
        assert_eq!(
            (refused[0].path.to_string().as_str(), &refused[0].why),
            ("a", &Why::Hostile(Hostile::Twice))
        );
    }
    assert!(!world.path().join("planted").exists());
}

#[test]
fn thousands_of_levels_are_refused_without_harm() {
    let world = World::new();
    let repo = repo(&world);
    let file = blob(&repo, "deep\n");
    let mut to = tree(&repo, &[(FILE, b"f", &file)]);
    // Written by the library: a process for each of them would take long.
    let gix = open(&repo);
    for _ in 0..5_000 {
        let mut data = b"40000 d\0".to_vec();
        data.extend_from_slice(ObjectId::from_hex(to.as_bytes()).unwrap().as_slice());
        to = gix::objs::Write::write_buf(&gix.objects, gix::objs::Kind::Tree, &data).unwrap().to_string();
    }
    let refused = refusals(&repo, &to);
    assert_eq!(refused[0].why, Why::Hostile(Hostile::TooLong));
}

#[test]
fn a_name_longer_than_a_file_system_can_hold_is_refused() {
    let world = World::new();
    let repo = repo(&world);
    let file = blob(&repo, "x\n");
    let to = tree(&repo, &[(FILE, "x".repeat(300).as_bytes(), &file)]);
    assert_eq!(refusals(&repo, &to)[0].why, Why::Hostile(Hostile::TooLong));
}

#[test]
fn old_names_that_are_not_allowed_may_go() {
    let world = World::new();
    let repo = repo(&world);
    let gix = open(&repo);
    let evil = blob(&repo, "evil\n");
    let from = tree(&repo, &[(FILE, b"git~1", &evil), (FILE, b"honest", &blob(&repo, "1\n"))]);
    let index = gitsync::index::open(&gix).unwrap();
    let from = ObjectId::from_hex(from.as_bytes()).unwrap();
    let facts = look(&gix, &index, from, common::head_tree(&gix), &()).unwrap();
    assert_eq!(plan(&facts).unwrap().ops, []);
}
