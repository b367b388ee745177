//! Tests runs that are killed at any moment: the next run needs no human help, and nothing is lost.
//!
//! A run that is asked to end leaves nothing to repair.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use std::time::{Duration, Instant};

use run::{Beginning, Copy, PLACES, at_the, gitsync};
use testkit::{Repo, Running, World};

/// A run that has all to do: to commit, to replay, to write, replace and remove files, and to push.
fn beginning() -> Beginning {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for number in 0..20 {
        howard.write(&format!("shared/{number}.md"), format!("{number}\n"));
    }
    gitsync(&howard).success();
    gitsync(&mike).success();
    for number in 0..10 {
        howard.write(&format!("shared/{number}.md"), format!("{number}, by Howard\n"));
    }
    howard.remove("shared/11.md");
    howard.write("new/folder/file.md", "new\n");
    gitsync(&howard).success();
    for number in 0..20 {
        howard.git(["push", "-q", "origin", &format!("main:refs/heads/topic/{number}")]);
    }
    mike.git(["config", "fetch.prune", "true"]);
    mike.git(["update-ref", "refs/remotes/origin/gone", "HEAD"]);
    mike.git(["update-ref", "refs/remotes/origin/topic", "HEAD"]);
    mike.git(["pack-refs", "--all"]);
    // Somebody else is at work, on another ref.
    mike.write(".git/refs/heads/foreign.lock", "");
    mike.write("mine.md", "mine\n");
    mike.write("shared/15.md", "15, by Mike\n");
    Beginning::new(world)
}

fn assert_recovers(place: &str, origin: &Repo, mike: &Repo) {
    let output = gitsync(mike).output();
    assert_eq!(output.code, 0, "{place}: {output:?}");
    assert_eq!(mike.read("mine.md"), "mine\n", "{place}");
    assert_eq!(mike.read("shared/15.md"), "15, by Mike\n", "{place}");
    assert_eq!(mike.read("shared/3.md"), "3, by Howard\n", "{place}");
    assert_eq!(origin.rev("main"), mike.head(), "{place}");
    mike.assert_clean();
    mike.assert_sound();
    mike.assert_unlocked();
    assert_eq!(mike.try_rev("refs/remotes/origin/gone"), None, "{place}: pruned");
    assert_eq!(mike.rev("refs/remotes/origin/topic/7"), origin.rev("topic/7"), "{place}");
    let locks = mike.program("find").arg(mike.common_dir()).args(["-name", "*.lock"]).success().stdout;
    let foreign = mike.common_dir().join("refs/heads/foreign.lock");
    assert_eq!(locks.trim_end(), foreign.as_str(), "{place}: only its own");
    assert_eq!(mike.git(["rev-list", "--count", "HEAD"]), "4", "{place}: no commit twice");
    for repo in [mike, origin] {
        assert_eq!(temporaries(repo), "", "{place}: no half-written objects");
    }
}

/// What is in the object database besides objects and packs.
fn temporaries(repo: &Repo) -> String {
    let names = ["-name", "tmp_*", "-o", "-name", ".tmp*"];
    repo.program("find").arg(repo.common_dir().join("objects")).args(names).success().stdout
}

/// Kills runs at each system call of these with which a file of the object database comes to its name, or its name to
/// it. Nothing where there is no strace.
#[cfg(target_os = "linux")]
#[test]
fn while_it_writes_objects() {
    let beginning = beginning();
    if beginning.copy().mike.program("sh").args(["-c", "strace -o /dev/null true"]).output().code != 0 {
        return;
    }
    let mut left_something = [false; 2];
    for call in ["chmod", "mkdir", "rename"] {
        for nth in [1, 2, 3, 5, 8, 13] {
            let Copy { origin, mike, .. } = beginning.copy();
            let kill = format!("inject={call}:signal=SIGKILL:when={nth}");
            let strace = ["-f", "-qqq", "-o", "/dev/null", "-e", kill.as_str()];
            let run = mike.program("strace").args(strace).arg(env!("CARGO_BIN_EXE_gitsync")).arg("--fresh");
            if run.output().code == 0 {
                break;
            }
            let all = [&mike, &origin].map(temporaries);
            left_something[0] |= all[0].contains("tmp_pack") || all[1].contains("tmp_pack");
            left_something[1] |= all[0].contains("tmp_objdir");
            assert_recovers(&format!("{call} {nth}"), &origin, &mike);
        }
    }
    assert_eq!(left_something, [true; 2], "no run was killed while it wrote a pack, or loose objects");
}

#[test]
fn at_every_place() {
    let beginning = beginning();
    for place in PLACES {
        let Copy { origin, mike, .. } = beginning.copy();
        let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", format!("{place}=kill -9 $PPID")).output();
        assert_eq!(output.code, 137, "{place}: {output:?}");
        assert_recovers(place, &origin, &mike);
    }
}

#[test]
fn between_any_two_files_of_the_update() {
    let beginning = beginning();
    for nth in 1.. {
        let Copy { origin, mike, .. } = beginning.copy();
        let armed = format!("update-file={}", at_the(nth, "kill -9 $PPID"));
        let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", armed).output();
        if output.code == 0 {
            assert!(nth > 10, "only {nth} files were updated");
            break;
        }
        assert_eq!(output.code, 137, "{nth}: {output:?}");
        assert_recovers(&format!("file {nth}"), &origin, &mike);
    }
}

/// For how long runs are killed: a few seconds, or a minute with `GITSYNC_STRESS`.
fn duration() -> Duration {
    Duration::from_secs(if std::env::var_os("GITSYNC_STRESS").is_some() { 60 } else { 4 })
}

/// Stops a run at one moment after another with `stop`; then `assert` says how things have to be.
fn at_moments(stop: impl Fn(&mut Running), assert: impl Fn(&str, &Repo, &Repo)) {
    let beginning = beginning();
    let Copy { mike, .. } = beginning.copy();
    let began = Instant::now();
    gitsync(&mike).success();
    // The run goes faster where nothing else is at work; what comes too late finds it at peace.
    let whole = began.elapsed().as_micros() as u64;
    let (mut dice, began) = (0x9e37_79b9_7f4a_7c15_u64, Instant::now());
    while began.elapsed() < duration() {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = Duration::from_micros((dice >> 33) % whole);
        let Copy { origin, mike, .. } = beginning.copy();
        let mut run = gitsync(&mike).spawn();
        std::thread::sleep(after);
        stop(&mut run);
        run.wait();
        assert(&format!("after {after:?}"), &origin, &mike);
    }
}

#[test]
fn at_any_moment() {
    at_moments(Running::kill, assert_recovers);
}

/// Nothing is half done: the index is that of the last commit, no lock is in anybody's way, and what is not committed
/// is the user's own.
fn assert_whole(place: &str, mike: &Repo) {
    let names = ["-type", "f", "-name", "*.lock"];
    let locks = mike.program("find").arg(mike.common_dir()).args(names).success().stdout;
    let foreign = mike.common_dir().join("refs/heads/foreign.lock");
    assert_eq!(locks.trim_end(), foreign.as_str(), "{place}");
    assert_eq!(mike.git(["diff", "--cached", "--name-status"]), "", "{place}");
    let status = mike.git(["status", "--porcelain"]);
    let own = "M shared/15.md\n?? mine.md";
    assert!(status.is_empty() || status.trim_start() == own, "{place}: {status}");
}

#[test]
fn a_run_that_is_asked_to_end_at_any_place_leaves_the_repository_whole() {
    let beginning = beginning();
    let signals = [("TERM", 143), ("INT", 130), ("HUP", 129)].into_iter().cycle();
    let places = PLACES.map(|place| (place, 1)).into_iter().chain([("update-file", 2), ("update-swap", 2)]);
    for ((place, nth), (signal, code)) in places.zip(signals) {
        let Copy { origin, mike, .. } = beginning.copy();
        let armed = format!("{place}={}", at_the(nth, &format!("kill -{signal} $PPID")));
        let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", armed).output();
        assert_eq!(output.code, code, "{place}: {output:?}");
        assert_whole(place, &mike);
        assert_recovers(place, &origin, &mike);
    }
}

#[test]
fn a_run_that_is_asked_to_end_at_any_moment_leaves_the_repository_whole() {
    let ask = |run: &mut Running| run.signal("TERM");
    at_moments(ask, |place, origin, mike| {
        assert_whole(place, mike);
        assert_recovers(place, origin, mike);
    });
}

/// A line of a script that goes on for as long as the run does.
const UNTIL_IT_ENDS: &str = "exec >/dev/null 2>&1; while kill -0 $PPID; do sleep 0.02; done";

/// A line of a hook that asks the run to end.
const ASKS: &str = "test -e .git/index.lock && kill -TERM $PPID";

#[test]
fn a_run_that_waits_for_a_hook_ends_with_it_and_without_its_lock() {
    let beginning = beginning();
    let Copy { mike, .. } = beginning.copy();
    mike.hook("pre-commit", &format!("#!/bin/sh\n{ASKS}\n{UNTIL_IT_ENDS}\n"));
    gitsync(&mike).output().assert_code(143);
    assert_whole("pre-commit", &mike);
}

#[test]
fn a_hook_is_asked_to_end_and_the_lock_is_held_until_it_has() {
    let beginning = beginning();
    let Copy { mike, .. } = beginning.copy();
    let cleans_up = "trap 'sleep 0.3; ls .git/*.lock >ends-under; exit 1' TERM";
    mike.hook("pre-commit", &format!("#!/bin/sh\n{cleans_up}\n{ASKS}\n{UNTIL_IT_ENDS}\n"));
    gitsync(&mike).output().assert_code(143);
    let locks = std::fs::read_to_string(mike.path().join("ends-under")).unwrap();
    assert!(locks.contains(".git/index.lock"), "{locks}");
    assert!(locks.contains("owner.json"), "the lock of the run: {locks}");
    assert!(!mike.git_dir().join("index.lock").exists());
}

#[test]
fn a_hook_that_does_not_end_keeps_nobody_who_asks_again() {
    let beginning = beginning();
    let Copy { mike, .. } = beginning.copy();
    let deaf = format!("trap '' TERM\n{ASKS}\nsleep 1.1\n{ASKS}\n{UNTIL_IT_ENDS}");
    mike.hook("pre-commit", &format!("#!/bin/sh\n{deaf}\n"));
    gitsync(&mike).output().assert_code(143);
    assert_whole("pre-commit", &mike);
}

#[test]
fn signals_that_come_in_together_do_not_break_into_a_section() {
    let beginning = beginning();
    for place in ["committed-branch", "update-swap"] {
        let Copy { mike, .. } = beginning.copy();
        let asks = format!("{place}=kill -INT $PPID; kill -TERM $PPID");
        let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", asks).output();
        // Either may be seen first.
        assert!([130, 143].contains(&output.code), "{output:?}");
        assert_whole(place, &mike);
    }
}

#[test]
fn whoever_asks_twice_does_not_wait() {
    let beginning = beginning();
    let Copy { origin, mike, .. } = beginning.copy();
    let asks = format!("committed-branch=kill -TERM $PPID; sleep 1.1; kill -INT $PPID; {UNTIL_IT_ENDS}");
    let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", asks).output();
    // Of two signals that come in together either may be seen first.
    assert!([130, 143].contains(&output.code), "{output:?}");
    assert_recovers("asked twice", &origin, &mike);
}

#[test]
fn a_signal_that_is_to_be_ignored_is_ignored() {
    let beginning = beginning();
    let Copy { origin, mike, .. } = beginning.copy();
    let run = format!("trap '' HUP; exec '{}' --fresh --json", env!("CARGO_BIN_EXE_gitsync"));
    let run = mike.program("sh").args(["-c", &run]);
    run.env("LOCKSTEP_FAILPOINT", "committed-branch=kill -HUP $PPID").success();
    assert_recovers("without a hang-up", &origin, &mike);
}

#[test]
fn the_index_lock_of_a_killed_run_goes_also_where_the_next_one_does_not_need_the_index() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let (own, lock) = (mike.git_dir().join("index.lockstep"), mike.git_dir().join("index.lock"));
    std::fs::write(&own, "").unwrap();
    std::fs::hard_link(&own, &lock).unwrap();
    gitsync(&mike).arg("--no-commit").success();
    assert!(!lock.exists() && !own.exists());
}
