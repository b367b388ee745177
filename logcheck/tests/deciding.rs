//! Tests what `logcheck` does about the logs that it finds, and what it passes on to later phases.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use std::time::Duration;

use contract::{Decision, Outcome};
use testkit::{Invocation, Repo, Sections as _, World};

const WARNING: &str = "\
[WARNING] Found 2 uncommitted session log(s):
  - session-logs/a.md
  - session-logs/b^[[2J.md

These contain work context that will be auto-committed with a generic
\"sync: auto-sync\" message if you proceed. Run /save instead to capture
a proper narrative summary before syncing.

Run /save now, or proceed with plain sync anyway?
";

fn repo_with_two_logs(world: &World) -> Repo {
    let repo = world.init("mike");
    repo.write("README.md", "# Tools\n");
    repo.commit_all("the beginning");
    repo.write("session-logs/a.md", "a");
    repo.write("session-logs/b\u{1b}[2J.md", "b");
    repo
}

fn logcheck(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_logcheck"))
}

#[test]
fn without_a_terminal_the_run_stops_with_the_warning() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let output = logcheck(&repo).output();
    output.assert_code(3);
    output.assert_says(WARNING);
    let document = output.document();
    assert_eq!(document.logcheck().decision, Decision::Stop);
    assert_eq!(document.outcome, Outcome::Unsaved);
    assert_eq!(document.ended, Some(true));
    assert_eq!(document.error.unwrap().code, 3);
}

#[test]
fn proceed_warns_and_lets_the_run_go_on() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let output = logcheck(&repo).args(["--on-found", "proceed"]).success();
    output.assert_says(WARNING);
    let document = output.document();
    assert_eq!(document.logcheck().decision, Decision::Proceed);
    assert_eq!(document.logcheck().found.len(), 2);
    assert_eq!((document.outcome, document.ended), (Outcome::Ok, Some(false)));
}

#[test]
fn quiet_says_nothing_but_the_error() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let output = logcheck(&repo).arg("-q").output();
    output.assert_code(3);
    assert_eq!(output.stderr.lines().count(), 2, "an error and its remedy: {output}");
    assert_eq!(logcheck(&repo).args(["-q", "--on-found", "proceed"]).success().stderr, "");
}

#[test]
fn save_runs_the_command_at_the_root_and_ends_the_run() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    repo.write("deep/below.txt", "x");
    let save = "echo to stdout; pwd > saved; git add session-logs && git commit -qm 'a proper summary'";
    let output = logcheck(&repo)
        .in_dir(repo.join("deep"))
        .args(["--on-found", "save", "--save-command", save])
        .success();
    output.assert_says("to stdout");
    let document = output.document();
    assert_eq!(document.logcheck().decision, Decision::Saved);
    assert_eq!((document.outcome, document.ended), (Outcome::Saved, Some(true)));
    assert_eq!(repo.read("saved").trim_end(), repo.path());
    assert_eq!(repo.log("HEAD")[0], "a proper summary");
}

#[test]
fn the_save_command_may_come_from_gits_configuration_and_the_option_goes_before_it() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    repo.git(["config", "lockstep.saveCommand", "touch configured"]);
    logcheck(&repo).args(["--on-found", "save"]).success();
    assert!(repo.join("configured").exists());
    repo.remove("configured");
    logcheck(&repo).args(["--on-found", "save", "--save-command", "touch given"]).success();
    assert!(repo.join("given").exists() && !repo.join("configured").exists());
}

#[test]
fn a_save_command_that_fails_leaves_the_logs_unsaved() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    for (command, how) in [("exit 7", "exit code 7"), ("kill -9 $$", "signal"), ("no-such-program", "127")] {
        let output = logcheck(&repo).args(["--on-found", "save", "--save-command", command]).output();
        output.assert_code(3);
        output.assert_says(how);
        let document = output.document();
        assert_eq!(document.logcheck().decision, Decision::Stop);
        assert_eq!((document.outcome, document.ended), (Outcome::Unsaved, Some(true)));
    }
}

#[test]
fn a_save_command_is_asked_to_end_with_the_run_which_waits_for_that() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    // It keeps no stream open that the test would wait for.
    let cleans_up = "exec >/dev/null 2>&1; trap 'sleep 0.3; touch cleaned-up; exit 1' TERM";
    let command = format!("{cleans_up}; kill -TERM $PPID; while kill -0 $PPID; do sleep 0.02; done");
    logcheck(&repo).args(["--on-found", "save", "--save-command", &command]).output().assert_code(143);
    assert!(repo.join("cleaned-up").exists());
}

#[test]
fn save_without_a_command_fails_and_the_run_does_not_go_on() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    for extra in [&[][..], &["--save-command", " "]] {
        let output = logcheck(&repo).args(["--on-found", "save"]).args(extra).output();
        output.assert_code(78);
        output.assert_says("lockstep.saveCommand");
        let document = output.document();
        assert_eq!((document.outcome, document.ended), (Outcome::Failed, Some(true)));
        assert_eq!(document.logcheck().decision, Decision::Stop);
    }
}

#[test]
fn the_save_command_finds_the_tokens_that_let_it_join_the_locks_around_it() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let patience = lock::Patience { wait: Duration::ZERO, stale_after: Duration::from_secs(600) };
    let held =
        lock::Held::take(lock::LockPaths::new(repo.common_dir()), None, &patience, &mut |_| {}).unwrap();
    let token = held.token().to_string();

    let mut document = logcheck(&repo).arg("--dry-run").success().json();
    document["phases"]["lock"] = serde_json::json!({"token": token});
    let save = ["--on-found", "save", "--save-command", "echo $LOCKSTEP_TOKEN >tokens"];
    let run =
        || logcheck(&repo).args(save).env("LOCKSTEP_TOKEN", "OUTER").stdin(document.to_string()).output();
    run().assert_success();
    assert_eq!(repo.read("tokens"), format!("OUTER {token}\n"));

    // Once the lock is somebody else's, nothing is run.
    repo.remove("tokens");
    drop(held);
    run().assert_code(75);
    assert!(!repo.join("tokens").exists());
}

#[test]
fn where_nothing_is_found_the_save_command_does_not_run() {
    let world = World::new();
    let repo = world.init("mike");
    logcheck(&repo).args(["--on-found", "save", "--save-command", "touch saved"]).success();
    assert!(!repo.join("saved").exists());
}

#[test]
fn a_dry_run_says_what_it_would_do_and_lets_the_run_go_on() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let arguments = ["--dry-run", "--on-found", "save", "--save-command", "touch saved"];
    let output = logcheck(&repo).args(arguments).success();
    output.assert_says(WARNING);
    assert!(!repo.join("saved").exists());
    assert_eq!(output.document().ended, Some(false));
}

#[test]
fn a_name_that_is_not_utf8_is_refused_by_name_and_the_run_does_not_go_on() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let repo = world.init("mike");
    std::fs::create_dir(repo.join("session-logs")).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"session-logs/\xff.md");
    std::fs::write(repo.path().as_std_path().join(name), "x").unwrap();
    let output = logcheck(&repo).args(["--on-found", "proceed"]).output();
    output.assert_code(1);
    output.assert_says(r"session-logs/\xff.md");
    assert_eq!(output.document().ended, Some(true));
}

#[test]
fn a_bare_repository_and_a_broken_pattern_are_wrong_configuration() {
    let world = World::new();
    let output = logcheck(&world.bare("bare.git")).output();
    output.assert_code(78);
    output.assert_says("bare");
    let repo = world.init("mike");
    repo.git(["config", "lockstep.sessionLogs", "("]);
    let output = logcheck(&repo).output();
    output.assert_code(78);
    output.assert_says("lockstep.sessionLogs `(`");
}

#[test]
fn a_run_that_has_ended_passes_through_untouched() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let line = concat!(
        r#"{"lockstep":1,"run":"01","repo":null,"identity":{"user":null,"host":"desk","x":1.50},"#,
        r#""outcome":"failed","ended":true,"error":null,"phases":{"other":{"b":1,"a":[2]}},"more":{}}"#
    );
    let output = logcheck(&repo).stdin(line).output();
    output.assert_code(1);
    assert_eq!(output.stdout, format!("{line}\n"));
}

#[test]
fn sections_and_fields_of_others_survive() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let mut begun = logcheck(&repo).args(["--on-found", "proceed"]).success().json();
    begun["more"] = serde_json::json!({"z": 1, "a": [true]});
    begun["phases"]["other"] = serde_json::json!({"kept": "yes"});
    let passed = logcheck(&repo).args(["--on-found", "proceed"]).stdin(begun.to_string()).success().json();
    assert_eq!(passed["more"], begun["more"]);
    assert_eq!(passed["phases"]["other"], begun["phases"]["other"]);
    assert_eq!(passed["run"], begun["run"]);
}

#[test]
fn an_empty_pipe_means_that_the_phase_before_died() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let output =
        logcheck(&repo).args(["--on-found", "save", "--save-command", "touch saved"]).stdin("").output();
    output.assert_code(65);
    assert!(!repo.join("saved").exists());
}

/// On a terminal: `script` gives the phase one of its own, and types `keys` on it.
#[cfg(target_os = "linux")]
fn on_a_terminal(repo: &Repo, keys: &str, arguments: &str) -> (String, contract::Document) {
    let command = format!("'{}' --json {arguments} >document.json", env!("CARGO_BIN_EXE_logcheck"));
    let screen = repo.program("script").args(["-qec", &command, "/dev/null"]).stdin(keys).output().stdout;
    let document = contract::Envelope::parse(&repo.read("document.json")).unwrap().document().clone();
    repo.remove("document.json");
    (screen, document)
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_enter_saves_and_p_proceeds() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let (screen, document) = on_a_terminal(&repo, "\n", "--save-command 'touch saved'");
    assert!(screen.contains("Found 2 uncommitted session log(s):"), "{screen}");
    assert!(screen.contains("[S]ave or [p]roceed?"), "{screen}");
    assert_eq!(document.logcheck().decision, Decision::Saved);
    assert!(repo.join("saved").exists());

    let (_, document) = on_a_terminal(&repo, "p\n", "--save-command 'touch saved'");
    assert_eq!(document.logcheck().decision, Decision::Proceed);

    let (_, document) = on_a_terminal(&repo, "y\n", "");
    assert_eq!(document.logcheck().decision, Decision::Stop);
    assert_eq!(document.outcome, Outcome::Unsaved);
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_is_asked_where_stderr_is_no_terminal() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let (screen, document) = on_a_terminal(&repo, "p\n", "2>report.txt");
    assert!(!screen.contains("proceed?"), "{screen}");
    assert_eq!(document.logcheck().decision, Decision::Stop);
    assert!(repo.read("report.txt").contains(WARNING));
}

/// Who reads from the terminal in its background is stopped, and a run that is stopped keeps its lock.
#[cfg(target_os = "linux")]
#[test]
fn nobody_is_asked_from_the_background_of_a_terminal() {
    let world = World::new();
    let repo = repo_with_two_logs(&world);
    let command = format!(
        "set -m; timeout 60 '{}' --json >document.json & wait $!; echo \"it ended with $?\"",
        env!("CARGO_BIN_EXE_logcheck")
    );
    let screen = repo.program("script").args(["-qec", &command, "/dev/null"]).stdin("p\n").output().stdout;
    assert!(screen.contains("it ended with 3"), "{screen}");
    assert!(!screen.contains("proceed?"), "{screen}");
    let document = contract::Envelope::parse(&repo.read("document.json")).unwrap().document().clone();
    assert_eq!(document.logcheck().decision, Decision::Stop);
}
