//! Tests a rewritten upstream: the commits that were dropped from it do not come back.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::SyncState;
use run::gitsync;
use testkit::{Sections as _, World};

#[test]
fn commits_that_a_rewritten_upstream_threw_out_do_not_come_back() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("mistake", "secret\n");
    gitsync(&howard).success();
    gitsync(&mike).success();
    howard.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    howard.write("better", "1\n");
    howard.commit_all("better");
    howard.git(["push", "--quiet", "--force"]);
    mike.write("mine", "1\n");
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().state, SyncState::PulledPushed);
    assert_eq!(origin.files("main"), ["README.md", "better", "mine"]);
    mike.assert_clean();
}

#[test]
fn commits_that_a_rewritten_upstream_threw_out_are_named_with_what_keeps_them() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    mike.write("kept", "1\n");
    mike.commit_all("only its words change");
    for number in 1..=7 {
        mike.write("gone", format!("{number}\n"));
        mike.commit_all(&format!("gone {number}"));
    }
    gitsync(&mike).success();
    let tip = mike.head();
    howard.pull();
    howard.git(["reset", "--quiet", "--hard", "HEAD~7"]);
    howard.git(["commit", "--quiet", "--amend", "-m", "other words"]);
    howard.git(["push", "--quiet", "--force"]);
    mike.write("mine", "1\n");

    let short = |revision: &str| mike.rev(revision)[..10].to_owned();
    let warning = format!(
        "origin/main was rewritten without 7 commits that it had, and so is the branch here: {} (gone 7), {} (gone 6), ",
        short("HEAD"),
        short("HEAD~1"),
    );
    let rest = format!("(gone 3) and 2 more; `git branch NAME {}` keeps them", short("HEAD"));
    assert_eq!(
        gitsync(&mike).arg("--dry-run").success().document().main().warnings,
        [""; 0],
        "it is not here yet"
    );
    mike.git(["fetch", "--quiet"]);
    let dry = gitsync(&mike).arg("--dry-run").success();
    dry.assert_says("would push 1 commit\n");
    let output = gitsync(&mike).success();
    for output in [&dry, &output] {
        let warnings = output.document().main().warnings.clone();
        assert!(warnings[0].starts_with(&warning) && warnings[0].ends_with(&rest), "{warnings:?}");
        output.assert_says("warning: origin/main was rewritten without 7 commits");
    }
    assert_eq!(origin.files("main"), ["README.md", "kept", "mine"]);
    mike.git(["branch", "before", &tip[..10]]);
    assert_eq!(gitsync(&mike).success().document().main().warnings, [""; 0]);
}

#[test]
fn a_commit_that_was_only_taken_back_upstream_is_not_pushed_again() {
    for has_a_commit_of_his_own in [false, true] {
        let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
        howard.write("mistake", "secret\n");
        gitsync(&howard).success();
        gitsync(&mike).success();
        howard.git(["reset", "--quiet", "--hard", "HEAD~1"]);
        howard.git(["push", "--quiet", "--force"]);
        if has_a_commit_of_his_own {
            mike.write("mine", "1\n");
        }

        let document = gitsync(&mike).success().document();

        let expected = if has_a_commit_of_his_own { SyncState::Pushed } else { SyncState::Pulled };
        assert_eq!(document.main().state, expected);
        assert_eq!(document.main().warnings.len(), 1);
        assert!(document.main().warnings[0].contains("was rewritten without 1 commit"));
        assert!(!origin.files("main").contains(&"mistake".to_owned()));
        assert_eq!(mike.files("HEAD"), origin.files("main"));
        mike.assert_clean();
        assert_eq!(gitsync(&mike).success().document().main().state, SyncState::Clean);
    }
}

#[test]
fn a_dry_run_says_what_was_only_taken_back_upstream() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("mistake", "secret\n");
    gitsync(&howard).success();
    gitsync(&mike).success();
    howard.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    howard.git(["push", "--quiet", "--force"]);
    let output = gitsync(&mike).arg("--dry-run").success();
    output.assert_says("would push nothing");
    assert_eq!(output.document().main().warnings.len(), 1);
}

#[test]
fn a_merge_keeps_what_the_upstream_once_had() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("taken-back", "1\n");
    gitsync(&howard).success();
    gitsync(&mike).success();
    howard.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    howard.write("other", "1\n");
    howard.commit_all("other");
    howard.git(["push", "--quiet", "--force"]);
    mike.git(["fetch", "--quiet"]);
    mike.git(["merge", "--quiet", "-m", "both", "origin/main"]);
    gitsync(&mike).success();
    assert_eq!(origin.files("main"), ["README.md", "other", "taken-back"]);
}
