//! Tests a shell script that acquires and clears the lock by its own rules, among runs that are killed.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{lock, repository};

/// What scripts do: `mkdir`; a lock whose process is dead or that is too old is looked at twice and removed.
const SCRIPT: &str = r#"
lock=.git/claudetools-sync.lock
until mkdir "$lock" 2>/dev/null; do
  owner=$(cat "$lock/pid" 2>/dev/null)
  age=$(($(date +%s) - $(stat -c %Y "$lock" 2>/dev/null || date +%s)))
  if { [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; } || [ "$age" -gt 600 ]; then
    [ "$(cat "$lock/pid" 2>/dev/null)" = "$owner" ] && rm -rf "$lock"
    continue
  fi
  sleep 0.02
done
echo $$ >"$lock/pid"
trap 'rm -rf "$lock"' EXIT
"#;

/// What everybody does who is in: nobody else can be.
const INSIDE: &str = "mkdir inside || exit 9; sleep 0.02; rmdir inside; echo x >>count";

#[test]
fn a_script_that_clears_stale_locks_and_runs_that_do_so_exclude_each_other() {
    let (_world, repo) = repository();
    let rounds = 8;
    for _ in 0..rounds {
        let mut owner = repo.program("sleep").arg("600").spawn();
        lock(&repo, ["acquire", "--wait", "1m", "--owner-pid", &owner.pid().to_string()]).success();
        let script = repo.program("sh").args(["-c", &format!("{SCRIPT}{INSIDE}")]).spawn();
        let runs: Vec<_> = (0..3).map(|_| lock(&repo, ["run", "--", "sh", "-c", INSIDE]).spawn()).collect();
        owner.kill();
        owner.wait();
        script.wait().assert_success();
        for run in runs {
            run.wait().assert_success();
        }
    }
    assert!(repo.read("count").lines().count() >= rounds * 4);
    assert!(!common::path(&repo).exists());
}
