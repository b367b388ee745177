//! Tests failures caused by other people and machines, and that they leave nothing behind.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use common::{full_run, identity, sync};
use contract::{Outcome, SyncState};
use testkit::{Sections as _, World, assert_converged};

#[test]
fn a_conflict_leaves_everything_as_it_was_after_the_local_commit() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("README.md", "# Howard's tools\n");
    howard.commit_all("README: whose tools");
    howard.push();
    mike.write("README.md", "# Mike's tools\n");
    mike.write("other.md", "other\n");
    let files = mike.snapshot().files;

    let output = full_run(&mike).arg("--json").output();

    output.assert_code(4);
    let document = output.document();
    assert_eq!(document.outcome, Outcome::Conflict);
    assert_eq!(document.main().state, SyncState::Conflict);
    assert_eq!(document.main().conflicts, ["README.md"]);
    assert_eq!(mike.snapshot().files, files, "no file was touched");
    mike.assert_clean();
    assert_eq!(mike.log("HEAD").len(), 2, "the local change is committed");
    assert_eq!(mike.rev("HEAD~1"), howard.rev("HEAD~1"), "and stands where it stood");
    assert_eq!(origin.head(), howard.head());
    assert!(!mike.git_dir().join("rebase-merge").exists());
    mike.assert_unlocked();
    mike.assert_sound();

    let before = mike.snapshot();
    full_run(&mike).output().assert_code(4);
    assert_eq!(mike.snapshot(), before, "a second run changes nothing either");

    // The user does what the message says, and the next run goes through.
    mike.try_git(["pull", "--rebase"]).assert_code(1);
    mike.write("README.md", "# Howard's and Mike's tools\n");
    mike.git(["add", "README.md"]);
    mike.git(["-c", "core.editor=true", "rebase", "--continue"]);
    sync(&mike);
    sync(&howard);
    assert_converged(&[&howard, &mike, &origin]);
}

#[test]
fn a_lost_push_race_is_run_again() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("from-howard.md", "hello\n");
    howard.commit_all("from Howard, in between");
    // Mike's run has fetched when this hook runs, and loses the race by it.
    mike.hook(
        "pre-push",
        &format!(
            "#!/bin/sh\ncat >/dev/null\ntest -e '{0}/lost' || {{ touch '{0}/lost'; exec git -C '{1}' push --quiet origin HEAD; }}\n",
            mike.git_dir(),
            howard.path()
        ),
    );
    mike.write("from-mike.md", "hello\n");

    let document = sync(&mike).document();

    assert_eq!(document.main().attempts, 2);
    assert_eq!(document.main().pulled.as_ref().unwrap().count, 1);
    assert_eq!(mike.log("HEAD")[1], "from Howard, in between");
    sync(&howard);
    assert_converged(&[&howard, &mike, &origin]);
}

#[test]
fn an_unreachable_remote_leaves_the_commit_here_until_it_is_back() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let away = world.path().join("away.git");
    std::fs::rename(origin.path(), &away).unwrap();
    mike.write("new.md", "new\n");

    let output = full_run(&mike).arg("--json").output();

    output.assert_code(69);
    let document = output.document();
    assert_eq!(document.main().state, SyncState::Offline);
    assert_eq!(document.main().committed.as_ref().unwrap().id, mike.head());
    assert_eq!(document.error.as_ref().unwrap().phase, "gitsync");
    assert!(document.error.as_ref().unwrap().help.is_some());
    assert!(document.phases.cmdcopy.is_some(), "the phases after it did what they can");
    mike.assert_clean();
    mike.assert_unlocked();

    std::fs::rename(&away, origin.path()).unwrap();
    sync(&mike);
    assert_converged(&[&mike, &origin]);
}

#[test]
fn a_failed_vault_does_not_hide_that_the_repository_was_synced() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    identity(&mike, r#"{"user": "mike", "vault_path": "../nowhere"}"#);
    mike.write("new.md", "new\n");

    let output = full_run(&mike).arg("--json").output();

    output.assert_code(78);
    assert_eq!(output.document().main().state, SyncState::Pushed);
    assert_eq!(origin.head(), mike.head());
    mike.assert_unlocked();

    let report = full_run(&mike).output();
    report.assert_code(78);
    assert!(report.stdout.contains("error: the vault is missing"), "{report}");
    assert!(report.stdout.contains("\nfailed in the vault: main is at "), "{report}");
}

#[test]
fn a_lock_that_somebody_holds_defers_the_run() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.md", "new\n");
    // A shell script of the team holds the lock, and lives.
    let lock = mike.common_dir().join("claudetools-sync.lock");
    std::fs::create_dir(&lock).unwrap();
    std::fs::write(lock.join("pid"), std::process::id().to_string()).unwrap();
    let before = mike.snapshot();

    let output = full_run(&mike).args(["--json", "--wait", "100ms"]).output();

    output.assert_code(75);
    assert_eq!(output.document().outcome, Outcome::Deferred);
    assert_eq!(mike.snapshot(), before);
    assert!(lock.exists(), "it is not this run's to remove");

    std::fs::remove_dir_all(&lock).unwrap();
    sync(&mike);
}

#[test]
fn a_wrong_option_is_2_and_leaves_no_lock() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for option in ["--stall", "--strategy", "--wait"] {
        let output = full_run(&mike).args([option, "nonsense"]).output();
        output.assert_code(2);
        output.assert_says(option);
        mike.assert_unlocked();
    }
}

#[test]
fn without_a_repository_the_report_says_where_it_was_looked_for() {
    let world = World::new();
    let output = world.program(env!("CARGO_BIN_EXE_lockstep")).arg("full-run").output();
    output.assert_code(78);
    assert!(output.stdout.contains("there is no git repository"), "{output}");
    assert!(output.stdout.contains("--repo"), "{output}");
}
