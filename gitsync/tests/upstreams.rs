//! Tests upstreams that do not exist yet, or have another name or an unrelated history.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::SyncState;
use run::gitsync;
use testkit::{Sections as _, World, assert_converged};

#[test]
fn histories_that_had_nothing_in_common_are_joined_by_what_is_advised_and_then_pushed() {
    let (world, origin, [howard]) = World::with_clones(["howard"]);
    howard.write("README.md", "howard's\n");
    gitsync(&howard).success();
    let mike = world.init("mike");
    mike.git(["remote", "add", "origin", origin.path().as_str()]);
    mike.write("README.md", "mike's\n");
    let output = gitsync(&mike).output();
    output.assert_code(1);
    let help = output.document().error.unwrap().help.unwrap();
    let command = help.split('`').nth(1).unwrap();
    assert!(mike.program("sh").args(["-c", command]).output().stdout.contains("CONFLICT"), "{command}");
    mike.write("README.md", "both\n");
    mike.commit_all("joined");

    let joined = mike.head();
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().state, SyncState::Pushed);
    assert_eq!((mike.head(), origin.rev("main")), (joined.clone(), joined));
    mike.assert_sound();
}

#[test]
fn a_first_push_to_an_empty_remote_sets_up_the_upstream() {
    let world = World::new();
    let origin = world.bare("origin.git");
    let mike = world.init("mike");
    mike.git(["remote", "add", "origin", origin.path().as_str()]);
    std::fs::write(
        mike.git_dir().join("config"),
        std::fs::read_to_string(mike.git_dir().join("config")).unwrap() + "# a comment that stays\n",
    )
    .unwrap();
    mike.write("a", "1\n");
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().state, SyncState::Pushed);
    assert_eq!(document.main().upstream.as_deref(), Some("refs/remotes/origin/main"));
    assert_eq!(mike.git(["rev-parse", "--abbrev-ref", "@{upstream}"]), "origin/main");
    assert_eq!(origin.rev("main"), mike.head());
    let config = std::fs::read_to_string(mike.git_dir().join("config")).unwrap();
    assert!(config.contains("# a comment that stays\n"), "{config}");
    assert_eq!(mike.git(["status", "-sb"]), "## main...origin/main");
}

#[test]
fn an_upstream_of_another_name_is_pushed_to_under_that_name() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["push", "--quiet", "origin", "main:shared"]);
    mike.git(["switch", "--quiet", "-c", "mine", "--track", "origin/shared"]);
    mike.write("a", "1\n");
    gitsync(&mike).success();
    assert_eq!(origin.rev("shared"), mike.head());
    assert!(origin.try_rev("refs/heads/mine").is_none());
}

#[test]
fn the_same_change_on_both_sides_is_there_once() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for repo in [&howard, &mike] {
        repo.write("same", "1\n");
    }
    gitsync(&howard).success();
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().state, SyncState::Pulled);
    assert_eq!(document.main().committed, None);
    assert_eq!(origin.rev("main"), mike.head());
    assert_converged(&[&howard, &mike]);
}

#[test]
fn a_new_branch_without_a_commit_of_its_own_is_told_as_pushed() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["switch", "--quiet", "-c", "topic"]);
    gitsync(&mike).args(["--dry-run"]).success().assert_says("would push the branch, which is new there");
    assert!(origin.try_rev("refs/heads/topic").is_none());

    let document = gitsync(&mike).success().document();
    assert_eq!(origin.rev("topic"), mike.head());
    assert_eq!(document.main().state, SyncState::Pushed);
    assert_eq!(document.main().pushed.as_ref().unwrap().count, 0);

    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().state, SyncState::Clean);
}
