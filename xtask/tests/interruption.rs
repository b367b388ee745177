//! Tests runs that are interrupted.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]
#![cfg(unix)]

mod common;

use std::time::{Duration, Instant};

use common::{full_run, full_run_with, identity, sync};
use testkit::{Repo, Running, World, assert_converged};

/// A run that hangs in a hook, its commit made and not pushed.
fn run_that_hangs(mike: &Repo) -> Running {
    let hanging = mike.git_dir().join("hanging");
    mike.hook("pre-push", &format!("#!/bin/sh\ntouch '{hanging}'\nexec sleep 600\n"));
    mike.write("new.md", "new\n");
    let mut run = full_run(mike).spawn();
    wait_until("the hook runs", || hanging.exists() || !run.is_alive());
    assert!(hanging.exists(), "{}", run.wait());
    run
}

#[track_caller]
fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !happened() {
        assert!(Instant::now() < deadline, "waited a minute in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn sleepers(mike: &Repo) -> usize {
    // The hook's own process has the repository as its working directory.
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
    let is_ours = |process: &std::fs::DirEntry| {
        std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == mike.path().as_std_path())
            && std::fs::read(process.path().join("cmdline"))
                .is_ok_and(|line| line.starts_with(b"sleep\x00600"))
    };
    processes.flatten().filter(is_ours).count()
}

#[test]
fn a_signal_ends_the_phases_gives_the_lock_back_and_leaves_the_repository_whole() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (_world, origin, [mike]) = World::with_clones(["mike"]);
        let run = run_that_hangs(&mike);

        run.signal(signal);
        let output = run.wait();

        output.assert_code(code);
        assert!(output.stdout.contains("interrupted"), "{output}");
        mike.assert_unlocked();
        mike.assert_sound();
        mike.assert_clean();
        assert_eq!(mike.log("HEAD").len(), 2, "what was committed is kept");

        std::fs::remove_file(mike.common_dir().join("hooks/pre-push")).unwrap();
        sync(&mike);
        assert_converged(&[&mike, &origin]);
    }
}

#[test]
fn without_a_terminal_what_the_phases_started_ends_with_them() {
    if std::fs::File::open("/dev/tty").is_ok() {
        // On a terminal it is the terminal that tells everybody.
        return;
    }
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let run = run_that_hangs(&mike);
    wait_until("the hook sleeps", || sleepers(&mike) == 1);
    run.signal("TERM");
    run.wait().assert_code(143);
    wait_until("the hook has ended", || sleepers(&mike) == 0);
}

#[test]
fn a_run_whose_starter_was_killed_ends_by_itself_and_the_next_one_waits_for_it() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let go = world.path().join("go");
    let hanging = mike.git_dir().join("hanging");
    mike.hook(
        "pre-push",
        &format!("#!/bin/sh\ntouch '{hanging}'\nuntil test -e '{go}'; do sleep 0.02; done\n"),
    );
    mike.write("new.md", "new\n");
    let mut run = full_run(&mike).spawn();
    wait_until("the hook runs", || hanging.exists());
    run.kill();

    full_run(&mike).args(["--wait", "100ms"]).output().assert_code(75);
    std::fs::write(go, "").unwrap();
    full_run(&mike).args(["--wait", "30s"]).success();

    run.wait().assert_code(137);
    assert_converged(&[&mike, &origin]);
    mike.assert_unlocked();
}

#[test]
fn a_phase_that_is_killed_leaves_no_lock_and_is_named() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    // The hook kills gitsync, as the kernel does where memory is short.
    mike.hook("pre-push", "#!/bin/sh\nkill -9 $PPID\nsleep 1\n");
    mike.write("new.md", "new\n");

    let output = full_run(&mike).output();

    output.assert_code(1);
    assert!(output.stdout.contains("`gitsync` was ended by signal 9"), "{output}");
    assert_eq!(mike.git(["status", "--porcelain"]), "", "it had committed");
    assert!(output.stdout.contains("failed: what was committed, if anything, is kept"), "{output}");
    mike.assert_unlocked();
    mike.assert_sound();
    std::fs::remove_file(mike.common_dir().join("hooks/pre-push")).unwrap();
    sync(&mike);
}

#[test]
fn a_signal_before_the_run_hears_of_its_lock_gives_the_lock_back_all_the_same() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let taken = mike.git_dir().join("taken");
    // As if it were killed when the lock is taken and the document not yet written.
    let script = format!("\"$REAL\" \"$@\" >/dev/null\ntouch '{taken}'\nexec sleep 600");
    let mut run = full_run_with(&world, &mike, "lock", &script).spawn();
    wait_until("the lock is taken", || taken.exists() || !run.is_alive());
    assert!(mike.common_dir().join("claudetools-sync.lock").exists(), "{}", run.wait());

    run.signal("TERM");
    let output = run.wait();

    output.assert_code(143);
    assert!(output.stdout.contains("no lock is left behind"), "{output}");
    mike.assert_unlocked();
}

#[test]
fn a_signal_before_the_run_has_its_lock_leaves_the_lock_of_another_run_alone() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.binary("lock").args(["acquire", "--json"]).success();
    let waiting = mike.git_dir().join("waiting");
    let script = format!("touch '{waiting}'\nexec \"$REAL\" \"$@\"");
    let mut run = full_run_with(&world, &mike, "lock", &script).spawn();
    wait_until("it waits for the lock", || waiting.exists() || !run.is_alive());

    run.signal("TERM");

    run.wait().assert_code(143);
    assert!(mike.common_dir().join("claudetools-sync.lock/owner.json").exists());
}

#[test]
fn two_signals_at_once_are_one_request_and_kill_nothing() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let (ready, tidy) = (mike.git_dir().join("ready"), mike.git_dir().join("tidy"));
    // Tidying up takes the step a moment, in which it could be killed.
    let script =
        format!("trap 'sleep 0.5; touch {tidy}; exit 1' TERM\ntouch '{ready}'\nwhile :; do sleep 0.02; done");
    let mut run = full_run_with(&world, &mike, "logcheck", &script).spawn();
    wait_until("the step is ready", || ready.exists() || !run.is_alive());

    // Two of the same kind might arrive as one.
    let pid = run.pid();
    mike.program("sh").args(["-c", &format!("kill -s TERM {pid}; kill -s INT {pid}")]).success();

    let output = run.wait();
    assert!([130, 143].contains(&output.code), "{output}");
    assert!(tidy.exists(), "{output}");
    mike.assert_unlocked();
}

#[test]
fn a_second_signal_that_comes_later_kills_what_did_not_end_at_the_first() {
    // The run reads what the first says; of the second it hears nothing.
    for name in ["lock", "logcheck"] {
        let (world, _origin, [mike]) = World::with_clones(["mike"]);
        let deaf = mike.git_dir().join("deaf");
        let script = format!("trap '' TERM\ntouch '{deaf}'\nexec sleep 60");
        let mut run = full_run_with(&world, &mike, name, &script).spawn();
        wait_until("a step ignores signals", || deaf.exists() || !run.is_alive());

        let first = Instant::now();
        run.signal("TERM");
        std::thread::sleep(Duration::from_millis(1200));
        assert!(run.is_alive(), "{}", run.wait());
        run.signal("TERM");

        run.wait().assert_code(143);
        assert!(first.elapsed() < Duration::from_secs(9), "it was killed before its time was up");
        mike.assert_unlocked();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn signals_that_the_caller_has_it_ignore_stay_ignored() {
    // The first is what `nohup` does, the second what a shell does to a job in the background.
    for signal in ["HUP", "INT"] {
        let (world, origin, [mike]) = World::with_clones(["mike"]);
        let (hanging, go) = (mike.git_dir().join("hanging"), world.path().join("go"));
        mike.hook(
            "pre-push",
            &format!("#!/bin/sh\ntouch '{hanging}'\nuntil test -e '{go}'; do sleep 0.02; done\n"),
        );
        mike.write("new.md", "new\n");
        let lockstep = env!("CARGO_BIN_EXE_lockstep");
        let line = format!("trap '' {signal}; exec '{lockstep}' full-run");
        let mut run = mike.program("sh").args(["-c", &line]).spawn();
        wait_until("the hook runs", || hanging.exists() || !run.is_alive());

        run.signal(signal);
        // Whatever the signal would do, it does soon.
        std::thread::sleep(Duration::from_millis(200));
        std::fs::write(&go, "").unwrap();

        run.wait().assert_success();
        assert_converged(&[&mike, &origin]);
    }
}

/// Returns a clone that is about to receive a message longer than a pipe holds.
fn with_a_message_that_fills_a_pipe() -> (World, Repo) {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    identity(&mike, r#"{"user": "mike"}"#);
    let long = "Call Acme back.\n".repeat(20_000);
    howard.write("session-logs/2026-06-05-a1b2.md", format!("## Note for Mike\n\n{long}"));
    howard.commit_all("session: mail");
    howard.push();
    (world, mike)
}

#[test]
fn a_run_whose_messages_nobody_reads_can_be_ended() {
    let (_world, mike) = with_a_message_that_fills_a_pipe();
    let mut run = full_run(&mike).spawn();
    let pipe_is_full = Duration::from_secs(2);
    std::thread::sleep(pipe_is_full);
    assert!(run.is_alive(), "{}", run.wait());

    run.signal("TERM");
    std::thread::sleep(Duration::from_millis(1200));
    run.signal("TERM");

    wait_until("the run has ended", || !run.is_alive());
    mike.assert_unlocked();
    run.wait().assert_code(143);
    let again = full_run(&mike).success();
    assert!(again.stdout.contains("MESSAGE FROM Howard"), "what nobody read is shown again");
}

#[test]
fn a_run_whose_result_nobody_reads_can_be_ended() {
    let (_world, mike) = with_a_message_that_fills_a_pipe();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut run = full_run(&mike).arg("--json").spawn();
        let pipe_is_full = Duration::from_secs(3);
        std::thread::sleep(pipe_is_full);
        assert!(run.is_alive(), "{}", run.wait());
        mike.assert_unlocked();

        run.signal(signal);

        wait_until("the run has ended", || !run.is_alive());
        run.wait().assert_code(code);
    }
    let again = full_run(&mike).success();
    assert!(again.stdout.contains("MESSAGE FROM Howard"), "what nobody read is shown again");
}
