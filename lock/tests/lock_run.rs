//! Tests `lock run`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;

use common::{acquire, lock, path, pid, repository, section, until};
use contract::ReclaimReason;
use testkit::{Invocation, Repo, World};

/// `lock run -- sh -c SCRIPT`; the script finds the binary in `$LOCK`.
fn run(repo: &Repo, script: &str) -> Invocation {
    lock(repo, ["run", "--wait", "0", "--", "sh", "-c", script]).env("LOCK", env!("CARGO_BIN_EXE_lock"))
}

#[test]
fn the_command_has_the_lock_its_streams_and_its_own_exit_code() {
    let (_world, repo) = repository();
    let script =
        "read -r word; echo \"$word\"; cat .git/claudetools-sync.lock/pid; echo $$; echo oops >&2; exit 7";
    let output = run(&repo, script).stdin("hello\n").output();
    output.assert_code(7);
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(lines[0], "hello");
    assert_eq!(lines[1], lines[2], "the lock names the command's own process");
    assert_eq!(output.stderr, "oops\n");
    assert!(!path(&repo).exists());
}

#[test]
fn a_command_that_dies_of_a_signal_is_told_by_128_and_its_number() {
    let (_world, repo) = repository();
    run(&repo, "kill -TERM $$").output().assert_code(143);
    run(&repo, "kill -KILL $$").output().assert_code(137);
    assert!(!path(&repo).exists());
}

#[test]
fn a_command_that_cannot_be_started_exits_as_in_a_shell() {
    let (_world, repo) = repository();
    repo.write("not-executable", "");
    let missing = lock(&repo, ["run", "--", "no-such-command"]).output();
    missing.assert_code(127);
    missing.assert_says("no-such-command could not be started");
    lock(&repo, ["run", "--", "./not-executable"]).output().assert_code(126);
    assert!(!path(&repo).exists());
}

#[test]
fn while_another_holds_the_lock_the_command_is_not_started() {
    let (_world, repo) = repository();
    acquire(&repo).assert_success();
    let deferred = run(&repo, "touch started").output();
    deferred.assert_code(75);
    assert!(!repo.join("started").exists());
}

#[test]
fn what_the_command_leaves_running_does_not_keep_the_lock() {
    let (_world, repo) = repository();
    run(&repo, "sleep 600 >/dev/null 2>&1 & echo $! >sleeper").output().assert_success();
    acquire(&repo).assert_success();
    let sleeper = fs::read_to_string(repo.join("sleeper")).unwrap();
    repo.program("kill").arg(sleeper.trim()).output().assert_success();
}

#[test]
fn signals_reach_the_command_and_its_end_releases_the_lock() {
    for signal in ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"] {
        let (_world, repo) = repository();
        let script = format!("trap 'exit 42' {signal}; touch ready; while :; do sleep 0.02; done");
        let running = run(&repo, &script).spawn();
        until("the command is ready", || repo.join("ready").exists());
        running.signal(signal);
        running.wait().assert_code(42);
        assert!(!path(&repo).exists(), "{signal}");
    }
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let (_world, repo) = repository();
    let script = "trap '' HUP; exec \"$LOCK\" run -- sh -c 'kill -HUP $$; kill -HUP $PPID; echo survived'";
    let output = repo.program("sh").args(["-c", script]).env("LOCK", env!("CARGO_BIN_EXE_lock")).output();
    output.assert_success();
    assert_eq!(output.stdout, "survived\n");
}

#[test]
fn a_command_that_outlives_its_lock_run_keeps_everybody_out() {
    let (_world, repo) = repository();
    let script = "exec >/dev/null 2>&1; touch ready; exec sleep 600";
    let mut running = run(&repo, script).spawn();
    until("the command is ready", || repo.join("ready").exists());
    let command = pid(&repo);
    assert_ne!(command, running.pid().to_string());
    running.kill();
    running.wait();
    common::silence_for(&repo, std::time::Duration::from_secs(3600));
    let deferred = acquire(&repo);
    deferred.assert_code(75);
    assert_eq!(section(&deferred).held_by.unwrap().pid.to_string(), command);

    repo.program("kill").args(["-KILL", &command]).output().assert_success();
    let next = lock(&repo, ["acquire", "--wait", "1m"]).output();
    assert_eq!(section(&next).reclaimed.unwrap().reason, ReclaimReason::OwnerDead);
}

#[test]
fn to_a_script_the_command_lives_until_the_lock_is_given_back() {
    let (_world, repo) = repository();
    let running = run(&repo, "touch ready; while [ ! -e end ]; do sleep 0.02; done; touch ended").spawn();
    until("the command is ready", || repo.join("ready").exists());
    let command = pid(&repo);
    // Somebody keeps the lock from being given back for a while.
    let guard = fs::File::open(repo.join(".git/claudetools-sync.guard")).unwrap();
    guard.lock().unwrap();
    repo.write("end", "");
    until("the command has ended", || repo.join("ended").exists());
    std::thread::sleep(std::time::Duration::from_millis(200));
    let probe = repo.program("kill").args(["-0", &command]).output();
    drop(guard);
    running.wait().assert_success();
    probe.assert_success();
    assert!(!path(&repo).exists());
}

/// A command that becomes somebody else, as with `sudo`; `None` where that takes rights that the test does not have.
fn as_nobody_running_as_root(world: &World, repo: &Repo, script: &str) -> Option<Invocation> {
    let setpriv = || repo.program("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    let becomes_root =
        "cp \"$(command -v setpriv)\" becomes-root && chmod a+rwX -R \"$0\" && chmod 4755 becomes-root";
    repo.program("sh").args(["-c", becomes_root, world.path().as_str()]).output();
    let root = ["./becomes-root", "--reuid=0", "sh", "-c"];
    if setpriv().args(root).arg("id -u").output().stdout != "0\n" {
        return None;
    }
    world.git(["config", "--global", "--add", "safe.directory", "*"]);
    Some(setpriv().arg(env!("CARGO_BIN_EXE_lock")).args(["run", "--"]).args(root).arg(script))
}

#[test]
fn a_command_that_may_not_be_signalled_keeps_the_lock() {
    let (world, repo) = repository();
    let script = "touch ready; while [ ! -e end ]; do sleep 0.02; done; exit 7";
    let Some(run) = as_nobody_running_as_root(&world, &repo, script) else { return };
    let running = run.spawn();
    until("the command is ready", || repo.join("ready").exists());
    running.signal("TERM");
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(path(&repo).exists());
    repo.write("end", "");
    running.wait().assert_code(7);
    assert!(!path(&repo).exists());
}

#[test]
fn what_runs_inside_joins_the_lock_and_leaves_it() {
    let (_world, repo) = repository();
    let script = "set -e
        \"$LOCK\" acquire --wait 0 -q | \"$LOCK\" release -q >/dev/null
        test -d .git/claudetools-sync.lock
        \"$LOCK\" run --wait 0 -- test -d .git/claudetools-sync.lock
        test -d .git/claudetools-sync.lock
        echo whole";
    let output = run(&repo, script).output();
    output.assert_success();
    assert_eq!(output.stdout, "whole\n");
    assert!(!path(&repo).exists());
}

#[test]
fn after_a_command_that_joined_has_ended_the_lock_names_a_living_process_again() {
    let (_world, repo) = repository();
    let script = "set -e
        \"$LOCK\" run --wait 0 -- true
        kill -0 \"$(cat .git/claudetools-sync.lock/pid)\"
        ! \"$LOCK\" run --wait 0 -- sh -c 'kill -KILL $$'
        kill -0 \"$(cat .git/claudetools-sync.lock/pid)\"
        test \"$(cat .git/claudetools-sync.lock/pid)\" = $$";
    run(&repo, script).output().assert_success();
}

#[test]
fn a_command_may_hold_the_locks_of_two_repositories() {
    let (world, repo) = repository();
    let vault = world.init("vault");
    let script = "\"$LOCK\" run --wait 0 --repo \"$VAULT\" -- sh -c '
        \"$LOCK\" run --wait 0 -- true && \"$LOCK\" run --wait 0 --repo \"$VAULT\" -- echo both'";
    let output = run(&repo, script).env("VAULT", vault.path()).output();
    output.assert_success();
    assert_eq!(output.stdout, "both\n");
    assert!(!path(&repo).exists() && !path(&vault).exists());
}

#[test]
fn commands_that_come_at_once_run_one_after_the_other() {
    let (_world, repo) = repository();
    let script = "mkdir alone && sleep 0.02 && rmdir alone && echo x >>count";
    let running: Vec<_> = (0..10).map(|_| lock(&repo, ["run", "--", "sh", "-c", script]).spawn()).collect();
    for one in running {
        one.wait().assert_success();
    }
    assert_eq!(repo.read("count").lines().count(), 10);
}
