//! Tests that a run sees the changes which others made before its turn came.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]
#![cfg(unix)]

mod common;

use std::time::Duration;

use camino::Utf8Path;
use testkit::{Output, Repo, World};

/// A clone whose configuration is old enough for a step to rely on what it has read before its turn.
fn settled() -> (World, Repo) {
    let (world, _, [mike]) = World::with_clones(["mike"]);
    mike.write("pages/a.md", "1\n");
    mike.write("pages/b.md", "1\n");
    mike.commit_all("pages");
    mike.push();
    std::thread::sleep(Duration::from_millis(3300));
    (world, mike)
}

fn everything_is_synced(mike: &Repo) {
    assert_eq!(mike.status(), "");
    assert_eq!(mike.rev("HEAD"), mike.rev("origin/main"));
}

#[test]
fn a_run_that_waited_commits_what_the_holder_of_the_lock_wrote() {
    let (_world, mike) = settled();
    // Whoever has the lock writes when the run has begun to wait.
    let script =
        "until [ -e .git/waits ]; do sleep 0.02; done; sleep 0.3; echo 2 >>pages/a.md; echo new >new.md";
    let holder = mike.binary("lock").args(["run", "--", "sh", "-c", script]).spawn();
    while !mike.common_dir().join("claudetools-sync.lock").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let run = common::full_run(&mike).args(["--proceed"]).spawn();
    mike.write(".git/waits", "");
    assert_eq!(holder.wait().code, 0);
    let Output { code, stderr, .. } = run.wait();
    assert_eq!(code, 0, "{stderr}");
    everything_is_synced(&mike);
}

#[test]
fn a_pipeline_commits_what_a_step_of_the_user_s_own_wrote() {
    let (_world, mike) = settled();
    let script = "lock acquire -q | { document=$(cat); sleep 0.3; echo 2 >>pages/a.md; echo new >new.md
        echo \"$document\"; } | logcheck -q | gitsync -q | lock release -q";
    let binaries = Utf8Path::new(env!("CARGO_BIN_EXE_lockstep")).parent().unwrap();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap());
    mike.program("sh").args(["-c", script]).env("PATH", path).success();
    everything_is_synced(&mike);
}
