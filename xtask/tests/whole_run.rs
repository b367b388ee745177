//! Tests the seven steps on real repositories: what a user does, and what they find afterwards.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use common::{full_run, identity, pipeline, sync};
use contract::{Outcome, SyncState};
use testkit::{Sections as _, World, assert_converged, assert_same_tree};

#[test]
fn a_change_on_each_side_meets_in_both_clones() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("wiki/clients/acme.md", "# Acme\n");
    howard.commit_all("wiki: Acme");
    howard.push();
    mike.write("wiki/systems/mail.md", "# Mail\n");

    let document = sync(&mike).document();

    let main = document.main();
    assert_eq!(main.state, SyncState::PulledPushed);
    let pulled = main.pulled.as_ref().unwrap();
    assert_eq!((pulled.count, pulled.authors.as_slice()), (1, ["Howard".to_owned()].as_slice()));
    assert_eq!(pulled.commits[0].summary, "wiki: Acme");
    assert_eq!(main.wiki.clients[0].path, "wiki/clients/acme.md");
    let pushed = main.pushed.as_ref().unwrap();
    assert_eq!(pushed.commits[0].id, mike.head());
    assert_eq!(main.committed.as_ref().unwrap().id, mike.head());
    assert!(pushed.commits[0].summary.starts_with("sync: auto-sync from "), "{:?}", pushed.commits[0]);
    assert!(document.lock().released);

    sync(&howard);
    assert_converged(&[&howard, &mike, &origin]);
}

#[test]
fn the_pipeline_typed_by_hand_does_what_the_full_run_does() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("from-howard.md", "hello\n");
    sync(&howard);
    mike.write("from-mike.md", "hello\n");

    let ran = pipeline(&mike);

    for part in &ran.parts {
        part.assert_success();
    }
    let document = ran.last().document();
    assert_eq!(document.main().state, SyncState::PulledPushed);
    assert!(document.lock().released);
    mike.assert_unlocked();
    sync(&howard);
    assert_converged(&[&howard, &mike, &origin]);
}

#[test]
fn the_pipeline_works_in_bash_with_pipefail() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.md", "new\n");
    let folder = testkit::binary("lock").parent().unwrap().to_owned();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let line = "set -o pipefail
        lock acquire | logcheck | gitsync | notes-sync | notesurface | cmdcopy | lock release > result.json
        code=$?; mv result.json ..; exit $code";
    let output = mike.program("bash").args(["-c", line]).env("PATH", &path).output();
    output.assert_success();
    assert_eq!(origin.head(), mike.head());

    let dead = "set -o pipefail; false | logcheck | gitsync | lock release";
    let output = mike.program("bash").args(["-c", dead]).env("PATH", &path).output();
    output.assert_code(65);
}

#[test]
fn each_phase_alone_syncs_its_part() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.md", "new\n");
    mike.note("refs/notes/mem/facts", "HEAD", "a fact");
    for name in ["logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"] {
        mike.binary(name).success();
        mike.assert_unlocked();
    }
    assert_eq!(origin.head(), mike.head());
    assert_eq!(origin.notes("refs/notes/mem/facts"), mike.notes("refs/notes/mem/facts"));
}

#[test]
fn nothing_to_do_changes_nothing() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    sync(&mike);
    let before = mike.snapshot();
    let document = sync(&mike).document();
    assert_eq!(document.main().state, SyncState::Clean);
    assert_eq!(mike.snapshot(), before);
}

#[test]
fn no_phase_calls_git() {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let vault_remote = world.bare("vault.git");
    let vault = world.clone_of(&vault_remote, "vault");
    vault.write("one.md", "one\n");
    vault.commit_all("the vault");
    vault.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
    vault.write("two.md", "two\n");
    identity(&mike, r#"{"user": "mike", "vault_path": "../vault"}"#);
    howard.write("from-howard.md", "hello\n");
    howard.write(".claude/commands/sync.md", "sync\n");
    howard.note("refs/notes/mem/facts", "HEAD", "Howard's fact");
    howard.commit_all("from Howard");
    howard.push();
    howard.git(["push", "--quiet", "origin", "refs/notes/*"]);
    mike.write("from-mike.md", "hello\n");
    mike.note("refs/notes/mem/facts", "HEAD", "Mike's fact");

    let recorder = world.recorder();
    full_run(&mike).recorded_by(&recorder).success();

    assert_eq!(recorder.calls(), Vec::<String>::new());
    assert_eq!(origin.head(), mike.head());
    assert_eq!(vault_remote.head(), vault.head());
    let notes = mike.notes("refs/notes/mem/facts");
    assert_eq!(notes.values().next().map(String::as_str), Some("Howard's fact\nMike's fact"));
}

#[test]
fn an_empty_remote_gets_its_first_branch() {
    let world = World::new();
    let origin = world.bare("origin.git");
    let mike = world.clone_of(&origin, "mike");
    mike.write("first.md", "first\n");

    let document = sync(&mike).document();

    assert_eq!(document.main().state, SyncState::Pushed);
    assert_eq!(origin.head(), mike.head());
    assert_eq!(mike.git(["rev-parse", "--abbrev-ref", "main@{upstream}"]), "origin/main");
    assert_converged(&[&mike, &origin]);
}

#[test]
fn a_linked_work_tree_syncs_its_own_branch() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    let branch = mike.linked_work_tree("experiment");
    branch.write("idea.md", "an idea\n");
    mike.write("untouched.md", "not committed by the other's run\n");

    let document = sync(&branch).document();

    assert_eq!(document.main().branch, "experiment");
    assert_eq!(document.repo.unwrap().common_dir, mike.common_dir().as_str());
    assert_eq!(origin.rev("experiment"), branch.head());
    branch.assert_clean();
    assert_eq!(mike.status(), "?? untouched.md");
    mike.assert_unlocked();
    branch.assert_sound();
}

#[test]
fn two_work_trees_of_one_repository_take_turns() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    let branch = mike.linked_work_tree("experiment");
    mike.write("one.md", "one\n");
    branch.write("two.md", "two\n");
    let runs = [&mike, &branch].map(|repo| full_run(repo).arg("--json").spawn());
    for run in runs {
        run.wait().assert_success();
    }
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(origin.rev("experiment"), branch.head());
    mike.assert_unlocked();
    mike.assert_sound();
}

#[test]
fn the_vault_is_synced_after_the_repository() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let remote = world.bare("vault.git");
    let laptop = world.clone_of(&remote, "laptop");
    laptop.write("one.md", "one\n");
    laptop.commit_all("the vault");
    laptop.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
    let vault = world.clone_of(&remote, "vault");
    laptop.write("two.md", "two\n");
    laptop.commit_all("from the laptop");
    laptop.push();
    vault.write("three.md", "three\n");
    identity(&mike, r#"{"user": "mike", "vault_path": "../vault"}"#);

    let document = sync(&mike).document();

    assert_eq!(document.vault().state, SyncState::PulledPushed);
    assert_eq!(remote.head(), vault.head());
    laptop.pull();
    assert_same_tree(&laptop, &vault);
    vault.assert_unlocked();
    vault.assert_sound();
}

#[test]
fn sections_that_nobody_knows_travel_through_every_phase() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let mut document = mike.binary("lock").arg("acquire").success().json();
    document["phases"]["weather"] = serde_json::json!({"outlook": "sunny", "degrees": 21.50});
    document["asked_by"] = "a script".into();
    document["identity"]["shoe_size"] = 46.into();
    let mut text = document.to_string();
    for name in ["logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"] {
        text = mike.binary(name).stdin(&text).success().stdout;
    }
    let last = mike.binary("lock").arg("release").stdin(&text).success();
    let json = last.json();
    assert_eq!(json["phases"]["weather"], document["phases"]["weather"]);
    assert!(last.stdout.contains("21.50") || last.stdout.contains("21.5"), "{last}");
    assert_eq!(json["asked_by"], "a script");
    assert_eq!(json["identity"]["shoe_size"], 46);
    assert_eq!(last.document().outcome, Outcome::Ok);
    assert!(last.document().lock().released);
}

#[test]
fn uncommitted_session_logs_stop_the_run_before_anything_is_changed() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("session-logs/2026-06-05-a1b2.md", "# What I did\n");
    mike.write("other.md", "other\n");
    let before = mike.snapshot();

    let output = full_run(&mike).arg("--json").output();

    output.assert_code(3);
    assert_eq!(output.document().outcome, Outcome::Unsaved);
    assert_eq!(mike.snapshot(), before);
    mike.assert_unlocked();

    full_run(&mike).arg("--proceed").success();
    assert_eq!(origin.head(), mike.head());
    mike.assert_clean();
}

#[test]
fn a_save_command_may_sync_inside_the_run() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("session-logs/2026-06-05-a1b2.md", "# What I did\n");
    let save = format!(
        "git add -A && git commit -qm 'session: what I did' && '{}' full-run",
        env!("CARGO_BIN_EXE_lockstep")
    );

    let output = full_run(&mike).args(["--json", "--on-found", "save", "--save-command", &save]).success();

    assert_eq!(output.document().outcome, Outcome::Saved);
    assert_eq!(mike.log("HEAD")[0], "session: what I did");
    assert_eq!(origin.head(), mike.head());
    mike.assert_unlocked();
}

#[test]
fn a_dry_run_tells_each_plan_and_changes_nothing() {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("from-howard.md", "hello\n");
    howard.commit_all("from Howard");
    howard.push();
    mike.write("from-mike.md", "hello\n");
    mike.write(".claude/commands/sync.md", "sync\n");
    let before = mike.snapshot();

    let output = full_run(&mike).arg("--dry-run").success();

    assert!(output.stdout.ends_with("dry run: nothing was changed\n"), "{output}");
    for phase in ["lock", "logcheck", "main", "notes", "notesurface", "cmdcopy"] {
        assert!(output.stdout.contains(phase), "{phase} tells no plan: {output}");
    }
    assert_eq!(output.stderr, "");
    assert_eq!(mike.snapshot(), before);
    mike.assert_unlocked();
    assert!(!world.home().join(".claude").exists());
}
