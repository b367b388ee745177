//! Tests the rules for stdin, stdout, stderr and the exit code that apply to every binary.
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use contract::Exit;
use serde_json::{Value, json};
use testkit::{Invocation, Repo, World};

/// Every phase as a command line.
const PHASES: [&[&str]; 7] = [
    &["lock", "acquire"],
    &["logcheck"],
    &["gitsync"],
    &["notes-sync"],
    &["notesurface"],
    &["cmdcopy"],
    &["lock", "release"],
];

/// The phases that begin a run where nothing is on stdin, and succeed in a clone with nothing to do.
fn phases_that_begin_a_run() -> impl Iterator<Item = &'static [&'static str]> {
    PHASES.into_iter().filter(|phase| phase[..] != ["lock", "release"])
}

fn phase(repo: &Repo, phase: &[&str]) -> Invocation {
    repo.binary(phase[0]).args(&phase[1..])
}

#[test]
fn an_empty_pipe_is_a_phase_that_died_and_nothing_is_done() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.txt", "new\n");
    for name in PHASES {
        let before = mike.snapshot();
        let output = phase(&mike, name).stdin("").output();
        output.assert_code(65);
        output.assert_says("the phase before this one died");
        assert_refused(&output.json(), Exit::BadInput);
        assert_eq!(mike.snapshot(), before, "{name:?}");
        mike.assert_unlocked();
    }
}

#[test]
fn garbage_is_refused_with_its_line_and_column_and_nothing_is_done() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.txt", "new\n");
    for name in PHASES {
        let before = mike.snapshot();
        for garbage in ["{\"lockstep\": 1,\n  oops", "[]", "hello", "{}", "{\"lockstep\": 1}"] {
            let output = phase(&mike, name).stdin(garbage).output();
            output.assert_code(65);
            output.assert_says(" column ");
            assert_refused(&output.json(), Exit::BadInput);
        }
        assert_eq!(mike.snapshot(), before, "{name:?}");
        mike.assert_unlocked();
    }
}

#[test]
fn a_document_of_another_version_is_refused() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in PHASES {
        let output = phase(&mike, name).stdin("{\"lockstep\": 2, \"news\": true}\n").output();
        output.assert_code(65);
        output.assert_says("version 2");
    }
}

#[test]
fn a_terminal_a_device_an_empty_file_and_a_closed_stdin_are_no_document() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in phases_that_begin_a_run() {
        for silence in ["</dev/null", "<empty", "<&-"] {
            mike.write("empty", "");
            let line = format!("exec \"$0\" \"$@\" --json {silence}");
            let binary = testkit::binary(name[0]);
            let output =
                mike.program("sh").args(["-c", &line]).arg(binary.as_str()).args(&name[1..]).output();
            output.assert_success();
            assert_eq!(output.json()["outcome"], "ok", "{name:?} {silence}");
            mike.remove("empty");
            release(&mike, &output.json());
        }
    }
}

#[test]
fn an_agents_hook_starts_a_run_where_it_says() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let hook = json!({"session_id": "1", "hook_event_name": "Stop", "cwd": mike.path()}).to_string();
    for name in phases_that_begin_a_run() {
        let output = world.binary(name[0]).args(&name[1..]).stdin(&hook).output();
        output.assert_success();
        assert_eq!(output.json()["repo"]["worktree"], mike.path().as_str());
        release(&mike, &output.json());
    }
}

#[test]
fn fresh_never_reads_stdin() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in phases_that_begin_a_run() {
        let output = phase(&mike, name).arg("--fresh").stdin("garbage").output();
        output.assert_success();
        release(&mike, &output.json());
    }
}

#[test]
fn stdout_is_one_line_of_json_and_the_report_is_on_stderr() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in phases_that_begin_a_run() {
        let output = phase(&mike, name).output();
        assert_eq!(output.stdout.matches('\n').count(), 1, "{name:?}: {}", output.stdout);
        assert!(output.stdout.ends_with("}\n"), "{name:?}: {}", output.stdout);
        let section = &output.json()["phases"][name[0]];
        assert_eq!(section["outcome"], "ok", "{name:?}");
        assert!(section["elapsed_ms"].is_u64(), "{name:?}");
        release(&mike, &output.json());
    }
}

#[test]
fn quiet_silences_all_but_errors() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in phases_that_begin_a_run() {
        let output = phase(&mike, name).arg("--quiet").output();
        assert_eq!(output.stderr, "", "{name:?}");
        release(&mike, &output.json());
        let output = phase(&mike, name).arg("--quiet").stdin("garbage").output();
        output.assert_says("error:");
    }
}

#[test]
fn without_colour_wanted_there_is_none() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in phases_that_begin_a_run() {
        let output = phase(&mike, name).arg("--human").output();
        assert!(!output.stdout.contains('\u{1b}'), "{name:?}: {}", output.stdout);
        assert!(!output.stderr.contains('\u{1b}'), "{name:?}: {}", output.stderr);
        mike.binary("lock").args(["release", "--token", &token_on_disk(&mike)]).output();
    }
}

#[test]
fn a_run_that_has_ended_passes_every_phase_unchanged() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.txt", "new\n");
    let place = mike.binary("logcheck").success().json()["repo"].clone();
    let document = json!({
        "lockstep": 1, "run": "r", "repo": place, "identity": {"user": null, "host": "h"}, "outcome": "deferred",
        "ended": true, "error": {"phase": "lock", "code": 75, "message": "held", "help": null},
        "phases": {"of-tomorrow": {"kept": [1.0, 12345678901234567890123u128 as f64]}},
    });
    let before = mike.snapshot();
    for name in PHASES {
        let output = phase(&mike, name).stdin(document.to_string()).output();
        output.assert_code(75);
        assert_eq!(output.json(), document, "{name:?}");
    }
    assert_eq!(mike.snapshot(), before);
}

#[test]
fn what_went_wrong_first_stays_the_exit_code_of_every_phase_after_it() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let place = mike.binary("logcheck").success().json()["repo"].clone();
    let document = json!({
        "lockstep": 1, "run": "r", "repo": place, "identity": {"user": null, "host": "h"}, "outcome": "failed",
        "ended": false, "error": {"phase": "gitsync", "code": 69, "message": "offline", "help": null}, "phases": {},
    });
    for name in [["logcheck"], ["notesurface"], ["cmdcopy"]] {
        let output = phase(&mike, &name).stdin(document.to_string()).output();
        output.assert_code(69);
        assert_eq!(output.json()["error"], document["error"]);
        assert_eq!(output.json()["phases"][name[0]]["outcome"], "ok");
    }
}

#[test]
fn another_repository_than_the_documents_is_refused() {
    let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    let document = mike.binary("logcheck").success().stdout;
    for name in PHASES {
        let output = phase(&mike, name).args(["--repo", howard.path().as_str()]).stdin(&document).output();
        output.assert_code(65);
        output.assert_says("another repository");
    }
    howard.assert_unlocked();
}

#[test]
fn without_a_repository_the_run_ends_and_says_where_it_looked() {
    let world = World::new();
    for name in phases_that_begin_a_run() {
        let output = world.binary(name[0]).args(&name[1..]).output();
        output.assert_code(78);
        output.assert_says("no git repository");
        output.assert_says("--repo");
        assert_refused(&output.json(), Exit::Misconfigured);
    }
}

#[test]
fn a_broken_identity_is_named() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write(".claude/identity.json", "{\"user\": ");
    for name in phases_that_begin_a_run() {
        let output = phase(&mike, name).output();
        output.assert_code(78);
        output.assert_says("identity.json is broken");
        output.assert_says("line 1 column");
    }
    mike.assert_unlocked();
}

#[test]
fn a_reader_that_is_gone_ends_a_phase_quietly() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in phases_that_begin_a_run() {
        let binary = testkit::binary(name[0]);
        let line = "{ sleep 0.2; \"$0\" \"$@\" -q --json; echo \"code $?\" >&2; } | true";
        let output = mike.program("bash").args(["-c", line]).arg(binary.as_str()).args(&name[1..]).output();
        assert_eq!(output.stderr, "code 0\n", "{name:?}");
        mike.binary("lock").args(["release", "--token", &token_on_disk(&mike)]).output();
    }
}

#[test]
fn a_full_disk_under_stdout_is_an_error() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in phases_that_begin_a_run() {
        let binary = testkit::binary(name[0]);
        let output = mike
            .program("bash")
            .args(["-c", "\"$0\" \"$@\" --json >/dev/full"])
            .arg(binary.as_str())
            .args(&name[1..])
            .output();
        output.assert_code(1);
        output.assert_says("could not be written");
        mike.binary("lock").args(["release", "--token", &token_on_disk(&mike)]).output();
    }
}

#[test]
fn a_wrong_option_is_2_and_names_it() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in PHASES {
        let output = phase(&mike, name).arg("--no-such-option").output();
        output.assert_code(2);
        output.assert_says("--no-such-option");
    }
}

#[test]
fn every_phase_has_help_and_a_version() {
    let world = World::new();
    for name in PHASES {
        let help = world.binary(name[0]).args(&name[1..]).arg("--help").success().stdout;
        for option in ["--repo", "--fresh", "--json", "--human", "--quiet", "--color"] {
            assert!(help.contains(option), "{name:?} lacks {option}: {help}");
        }
        let version = world.binary(name[0]).arg("--version").success().stdout;
        assert_eq!(version, format!("{} {}\n", name[0], env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn a_repository_of_someone_else_is_not_touched() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    if !mike.program("chown").args(["-R", "12345", "."]).output().stderr.is_empty() {
        // Only root can give files away; elsewhere there is no such repository to be made.
        return;
    }
    for name in phases_that_begin_a_run() {
        let output = phase(&mike, name).output();
        output.assert_code(77);
        output.assert_says("belongs to someone else");
        output.assert_says("safe.directory");
    }
    mike.program("chown").args(["-R", "0", "."]).success();
    mike.assert_unlocked();
}

/// The document of a phase that did nothing: it says why, and the run has ended.
fn assert_refused(document: &Value, exit: Exit) {
    assert_eq!(document["lockstep"], 1);
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["ended"], true);
    assert_eq!(document["error"]["code"], exit.code());
}

/// Gives back what `lock acquire` took, so that the next phase finds the repository free.
fn release(repo: &Repo, document: &Value) {
    if !document["phases"]["lock"]["token"].is_null() {
        repo.binary("lock").arg("release").stdin(document.to_string()).success();
    }
    repo.assert_unlocked();
}

/// The token of the lock as it stands, for a test that threw the document away.
fn token_on_disk(repo: &Repo) -> String {
    let owner = std::fs::read_to_string(repo.common_dir().join("claudetools-sync.lock/owner.json"));
    owner
        .ok()
        .and_then(|text| Some(serde_json::from_str::<Value>(&text).ok()?["token"].as_str()?.to_owned()))
        .unwrap_or_default()
}
