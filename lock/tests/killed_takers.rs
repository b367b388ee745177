//! Tests runs that are killed while they acquire the lock, at each step that is visible to others.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{fs, time::Duration};

use common::{acquire, lock, path, release, repository, section, silence_for};
use testkit::{Output, Repo};

/// What a taker does that others can see, and the removal of what it no longer needs.
const STEPS: [&str; 6] = ["mkdir", "rename", "renameat", "renameat2", "unlink", "unlinkat"];

/// A signal that nobody survives.
const KILL: &str = "signal=SIGKILL";

/// `lock acquire` while strace does this to its system calls; `None` where there is no strace.
fn acquire_amid(repo: &Repo, injections: &[&str]) -> Option<Output> {
    let there = repo.program("sh").args(["-c", "strace -o /dev/null true"]).output().code == 0;
    let strace = repo.program("strace").args(["-f", "-qqq", "-o", "/dev/null"]);
    let strace = injections
        .iter()
        .fold(strace, |strace, injection| strace.args(["-e".into(), format!("inject={injection}")]));
    there.then(|| strace.arg(env!("CARGO_BIN_EXE_lock")).args(["acquire", "--wait", "0"]).output())
}

/// Kills takers at each of their steps, one after the other, and lets the next one take the lock. `before` is what the
/// taker finds.
fn kill_at_each_step(before: impl Fn(&Repo)) {
    let mut killed = 0;
    for step in STEPS {
        for nth in 1.. {
            let (_world, repo) = repository();
            before(&repo);
            let kill = format!("{step}:{KILL}:when={nth}");
            let Some(taker) = acquire_amid(&repo, &[&kill]) else { return };
            if !taker.stdout.is_empty() {
                // It has the lock, and has said so.
                break;
            }
            killed += 1;
            let status = lock(&repo, ["status"]).success();
            let next = acquire(&repo);
            assert_eq!(next.code, 0, "{step} {nth}: {status}{next}");
            assert!(section(&release(&repo, &next)).released);
        }
    }
    assert!(killed > 2, "nothing was killed");
}

#[test]
fn who_is_killed_while_it_takes_a_free_lock_leaves_none_that_others_wait_for() {
    kill_at_each_step(|_| {});
}

#[test]
fn so_it_is_where_a_file_system_cannot_put_a_whole_lock_into_its_place() {
    // But for the moment in which the directory is there and nothing in it: that might be a script's.
    let Some(taker) = acquire_amid(&repository().1, &["renameat2:error=EINVAL"]) else { return };
    taker.assert_success();
    for (step, nth) in [("renameat", 2), ("unlink", 1), ("unlink", 2)] {
        let (_world, repo) = repository();
        let kill = format!("{step}:{KILL}:when={nth}");
        let taker = acquire_amid(&repo, &["renameat2:error=EINVAL", &kill]).unwrap();
        assert!(taker.stdout.is_empty() && path(&repo).exists(), "{step} {nth}: {taker}");
        acquire(&repo).assert_success();
    }
}

#[test]
fn who_is_killed_while_it_takes_over_a_lock_leaves_none_that_others_wait_for() {
    kill_at_each_step(|repo| {
        fs::create_dir(path(repo)).unwrap();
        silence_for(repo, Duration::from_secs(3600));
    });
    kill_at_each_step(|repo| {
        acquire(repo).assert_success();
        silence_for(repo, Duration::from_secs(3600));
    });
}
