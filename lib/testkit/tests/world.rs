//! Tests the properties of a world that the other tests rely on.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use testkit::{Pipeline, World, assert_converged, assert_same_tree};

#[test]
fn two_clones_of_a_remote_meet_there() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("wiki/clients/acme.md", "# Acme\n");
    howard.commit_all("acme");
    howard.push();
    mike.pull();
    assert_same_tree(&howard, &mike);
    assert_converged(&[&howard, &mike, &origin]);
    assert_eq!(mike.git(["log", "-1", "--format=%an"]), "Howard");
}

#[test]
fn the_same_story_has_the_same_ids_every_time() {
    let head = || World::with_clones(["mike"]).2[0].commit_all("more");
    assert_eq!(head(), head());
}

#[test]
fn nothing_of_the_testers_environment_gets_in() {
    let world = World::new();
    let output = world.program("env").success();
    let home = format!("HOME={}", world.home());
    assert!(output.stdout.lines().any(|line| line == home), "{output}");
    assert!(!output.stdout.contains("CARGO"), "{output}");
}

#[test]
fn a_recorder_sees_the_calls_of_git_and_hands_them_over() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let recorder = world.recorder();
    let output = mike.program("sh").args(["-c", "git rev-parse HEAD"]).recorded_by(&recorder).success();
    assert_eq!(output.stdout.trim(), mike.head());
    assert_eq!(recorder.calls(), ["git rev-parse HEAD"]);
}

#[test]
fn a_pipeline_gives_each_programs_code_and_the_last_ones_words() {
    let world = World::new();
    let shell = |script: &str| world.program("sh").args(["-c", script]);
    let ran = Pipeline::new().then(shell("echo one; exit 3")).then(shell("cat; echo two >&2")).output();
    assert_eq!((ran.part(0).code, ran.last().code), (3, 0));
    assert_eq!((ran.last().stdout.as_str(), ran.last().stderr.as_str()), ("one\n", "two\n"));
}

#[test]
fn stdin_can_hold_a_text_or_be_closed() {
    let world = World::new();
    assert_eq!(world.program("cat").stdin("words").success().stdout, "words");
    let closed = world.program("sh").args(["-c", "exec 3<&0"]).with_closed_stdin().output();
    assert_ne!(closed.code, 0, "{closed}");
}

#[test]
fn a_snapshot_notices_every_kind_of_change() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let before = mike.snapshot();
    assert_eq!(before, mike.snapshot());
    mike.append("README.md", "more\n");
    assert_ne!(before.files, mike.snapshot().files);
    mike.git(["add", "README.md"]);
    assert_ne!(before.index, mike.snapshot().index);
    mike.commit_all("more");
    assert_ne!(before.refs, mike.snapshot().refs);
}

#[test]
fn notes_are_listed_by_their_objects() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    assert!(mike.notes("refs/notes/mem/facts").is_empty());
    let head = mike.head();
    mike.note("refs/notes/mem/facts", "HEAD", "the sky is blue");
    assert_eq!(mike.notes("refs/notes/mem/facts")[&head], "the sky is blue");
    mike.remove_note("refs/notes/mem/facts", "HEAD");
    assert!(mike.notes("refs/notes/mem/facts").is_empty());
}
