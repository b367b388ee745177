//! Tests what a phase accepts as the document of its run, and when it begins.
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use serde_json::Value;
use testkit::{Invocation, Repo, World};

/// The phases that may come after the one that began a run.
const PHASES: [&[&str]; 6] =
    [&["logcheck"], &["gitsync"], &["notes-sync"], &["notesurface"], &["cmdcopy"], &["lock", "release"]];

fn phase(repo: &Repo, phase: &[&str]) -> Invocation {
    repo.binary(phase[0]).args(&phase[1..])
}

/// A script in which `$BIN` is where the binaries are.
fn script(repo: &Repo, script: &str) -> Invocation {
    let folder = testkit::binary("lock").parent().unwrap().to_owned();
    repo.program("bash").args(["-c", script]).env("BIN", folder)
}

#[test]
fn a_document_may_stand_in_one_line_or_in_several() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let line = mike.binary("logcheck").success().stdout;
    let several = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&line).unwrap()).unwrap();
    let run = &serde_json::from_str::<Value>(&line).unwrap()["run"];
    for text in [line.trim_end(), &several, &format!("\n {several}"), &format!("{line}\n \r\n\t")] {
        for name in PHASES {
            let output = phase(&mike, name).stdin(text).output();
            output.assert_success();
            assert_eq!(&output.json()["run"], run, "{name:?} {text:?}");
        }
    }
}

#[test]
fn a_document_with_something_behind_it_is_refused_and_nothing_is_done() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let line = mike.binary("logcheck").success().stdout;
    mike.write("new.txt", "new\n");
    let before = mike.snapshot();
    for behind in [line.as_bytes(), b"oops", b"{}\n", b"\0", b"\xff\n"] {
        let text = [line.as_bytes(), behind].concat();
        for name in PHASES {
            let output = phase(&mike, name).stdin(&text).output();
            output.assert_code(65);
            output.assert_says("line 2");
        }
    }
    assert_eq!(mike.snapshot(), before);
    mike.assert_unlocked();
}

#[test]
fn a_phase_begins_when_the_one_before_has_ended_and_not_with_its_document() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let late = "{ \"$BIN/logcheck\" -q; sleep 0.3; echo late >late.txt; } | \"$BIN/gitsync\" -q";
    let output = script(&mike, late).success();
    assert_eq!(output.json()["phases"]["gitsync"]["main"]["committed"]["added"], 1);

    mike.write("new.txt", "new\n");
    let before = mike.snapshot();
    script(&mike, "{ \"$BIN/logcheck\" -q; sleep 0.3; echo oops; } | \"$BIN/gitsync\"")
        .output()
        .assert_code(65);
    assert_eq!(mike.snapshot(), before);
}

#[test]
fn phases_that_take_the_lock_one_after_the_other_are_not_in_each_others_way() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for round in 0..5 {
        mike.write("new.txt", format!("{round}\n"));
        let ran = script(
            &mike,
            "\"$BIN/gitsync\" --fresh -q | \"$BIN/notes-sync\" --wait 0 -q | \"$BIN/cmdcopy\" --wait 0",
        );
        ran.success();
        mike.assert_unlocked();
    }
}

#[test]
fn a_phase_behind_the_release_takes_a_lock_of_its_own() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.txt", "new\n");
    let behind = "\"$BIN/lock\" acquire -q | \"$BIN/lock\" release -q | \"$BIN/gitsync\" -q";
    let output = script(&mike, behind).success();
    assert_eq!(output.json()["phases"]["gitsync"]["main"]["state"], "pushed");
    mike.assert_unlocked();
}

#[test]
fn a_document_of_a_repository_that_has_moved_is_refused() {
    let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    mike.write("new.txt", "new\n");
    let mut document = mike.binary("logcheck").success().json();
    document["repo"]["common_dir"] = howard.common_dir().as_str().into();
    for name in PHASES {
        let output = phase(&mike, name).stdin(document.to_string()).output();
        output.assert_code(65);
        output.assert_says("is the git directory");
    }
    howard.assert_unlocked();
    mike.assert_unlocked();
}
