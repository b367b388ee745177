//! Tests `lock acquire`, `lock release` and `lock status`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;

use common::{acquire, lock, path, pid, release, repository, section};
use contract::Outcome;
use testkit::Pipeline;

#[test]
fn a_run_takes_the_lock_and_gives_it_back() {
    let (_world, repo) = repository();
    let acquired = acquire(&repo);
    acquired.assert_success();
    let taken = section(&acquired);
    assert_eq!(taken.path, path(&repo));
    assert!(
        !taken.token.is_empty() && !taken.released && taken.reclaimed.is_none() && taken.held_by.is_none()
    );
    assert_eq!(taken.owner.unwrap().pid, 0, "it is a lease");
    assert_eq!(pid(&repo), "0", "and a script's `kill -0` does not take it for dead");
    let owner = fs::read_to_string(path(&repo).join("owner.json")).unwrap();
    assert!(owner.contains(&taken.token), "{owner}");

    let released = release(&repo, &acquired);
    released.assert_success();
    assert!(section(&released).released);
    assert!(!path(&repo).exists());
    assert!(repo.common_dir().join("claudetools-sync.guard").exists(), "the guard file is never deleted");
    let wings = fs::read_dir(repo.common_dir().join("claudetools-sync.wings")).unwrap();
    assert_eq!(wings.count(), 0, "nothing lies about");
}

#[test]
fn who_gets_no_document_is_told_how_to_give_the_lock_back() {
    let (_world, repo) = repository();
    let report = lock(&repo, ["acquire", "--human"]).success().stdout;
    let token = report.split_once("  to give it back: lock release --token ").unwrap().1.trim().to_owned();
    lock(&repo, ["release", "--token", &token, "--fresh"]).success();
    assert!(!path(&repo).exists());

    let its = repo.path().with_file_name("mike's");
    fs::rename(repo.path(), &its).unwrap();
    let report =
        repo.binary("lock").in_dir(its.parent().unwrap()).args(["acquire", "--human", "--repo", "mike's"]);
    let report = report.success().stdout;
    let command = report.split_once("  to give it back: ").unwrap().1.trim();
    assert!(command.ends_with(r"--repo 'mike'\''s'"), "{command}");
    fs::rename(&its, repo.path()).unwrap();
    lock(&repo, ["release", "--token", command.split(' ').nth(3).unwrap(), "--fresh"]).success();

    let acquired = acquire(&repo);
    assert!(!acquired.stderr.contains("give it back"), "the document has the token: {acquired}");
}

#[test]
fn an_empty_name_is_none() {
    let (_world, repo) = repository();
    lock(&repo, ["acquire", "--name", ""]).output().assert_code(2);
}

#[test]
fn who_waits_in_vain_is_deferred_and_told_who_holds_the_lock() {
    let (_world, repo) = repository();
    let me = std::process::id().to_string();
    lock(&repo, ["acquire", "--owner-pid", &me, "--name", "save"]).success();
    let deferred = lock(&repo, ["acquire", "--wait", "100ms"]).output();
    deferred.assert_code(75);
    assert_eq!(deferred.document().outcome, Outcome::Deferred);
    assert_eq!(deferred.document().ended, Some(true));
    deferred.assert_says(&format!("save, process {me} on "));
    let section = section(&deferred);
    assert_eq!((section.token.as_str(), section.owner), ("", None));
    assert!(section.waited_ms >= 100);
    let held_by = section.held_by.unwrap();
    assert_eq!((held_by.pid.to_string(), held_by.name.as_deref()), (me, Some("save")));
}

#[test]
fn who_waits_long_enough_gets_the_lock() {
    let (_world, repo) = repository();
    let acquired = acquire(&repo);
    let waiter = lock(&repo, ["acquire", "--wait", "1m"]).spawn();
    let status = || lock(&repo, ["status", "--json"]).success().stdout;
    common::until("one waits", || status().contains("\"waiting\":1"));
    release(&repo, &acquired).assert_success();
    let waited = waiter.wait();
    waited.assert_success();
    assert_eq!(section(&waited).reclaimed, None);
}

#[test]
fn a_lock_is_given_back_though_its_repository_cannot_be_opened_any_more() {
    let (world, repo) = repository();
    let place = path(&repo);
    let good = repo.read(".git/config");
    let bad = format!("{good}[core]\n\tignoreCase = maybe\n");
    let acquired = acquire(&repo);
    repo.write(".git/config", &bad);
    release(&repo, &acquired).assert_code(78);
    assert!(!place.exists());
    repo.write(".git/config", &good);
    let token = section(&acquire(&repo)).token;
    repo.write(".git/config", &bad);
    lock(&repo, ["release", "--fresh", "--token", &token]).output().assert_code(78);
    assert!(!place.exists());
    repo.write(".git/config", &good);
    let other = world.init("another");
    let acquired = acquire(&repo);
    let named = lock(&repo, ["release", "--repo", other.path().as_str()]);
    named.stdin(acquired.stdout.as_str()).output().assert_code(65);
    assert!(!place.exists());
}

#[test]
fn a_script_that_made_the_directory_keeps_the_run_out() {
    let (_world, repo) = repository();
    fs::create_dir(path(&repo)).unwrap();
    let deferred = acquire(&repo);
    deferred.assert_code(75);
    deferred.assert_says("a script since ");
    fs::write(path(&repo).join("pid"), "4242\n").unwrap();
    assert_eq!(section(&acquire(&repo)).held_by.unwrap().pid, 4242);
    fs::remove_dir_all(path(&repo)).unwrap();
    acquire(&repo).assert_success();
}

#[test]
fn the_run_keeps_a_script_out_that_makes_the_directory() {
    let (_world, repo) = repository();
    let acquired = acquire(&repo);
    assert!(fs::create_dir(path(&repo)).is_err());
    release(&repo, &acquired);
    fs::create_dir(path(&repo)).unwrap();
}

#[test]
fn all_work_trees_of_a_repository_share_its_lock() {
    let world = testkit::World::new();
    let repo = world.init("mike");
    repo.write("a", "a");
    repo.commit_all("a");
    let linked = repo.linked_work_tree("linked");
    acquire(&repo).assert_success();
    let deferred = acquire(&linked);
    deferred.assert_code(75);
}

#[test]
fn a_lock_with_another_token_stays() {
    let (_world, repo) = repository();
    let first = acquire(&repo);
    release(&repo, &first);
    let second = acquire(&repo);
    let released = release(&repo, &first);
    released.assert_success();
    assert!(!section(&released).released);
    assert!(path(&repo).exists());
    assert!(section(&release(&repo, &second)).released);
}

#[test]
fn a_release_without_a_token_says_whose_lock_it_leaves() {
    let (_world, repo) = repository();
    acquire(&repo);
    let left = lock(&repo, ["release"]).success();
    assert!(!section(&left).released);
    assert_eq!(section(&left).held_by.unwrap().pid, 0);
    left.assert_says("lock: left as it is, held by a run on ");
    left.assert_says("--token");
    assert!(path(&repo).exists());
}

#[test]
fn a_release_exits_as_its_run_did_and_releases_all_the_same() {
    let (_world, repo) = repository();
    for (outcome, code) in
        [("ok", 0), ("saved", 0), ("unsaved", 3), ("conflict", 4), ("failed", 1), ("deferred", 75)]
    {
        let acquired = acquire(&repo);
        let document =
            acquired.stdout.replacen("\"outcome\":\"ok\"", &format!("\"outcome\":\"{outcome}\""), 1);
        let released =
            lock(&repo, ["release"]).stdin(document.replace("\"ended\":false", "\"ended\":true")).output();
        released.assert_code(code);
        assert!(section(&released).released, "{outcome}");
    }
}

#[test]
fn a_token_on_the_command_line_releases_what_a_dead_run_left() {
    let (_world, repo) = repository();
    let token = section(&acquire(&repo)).token;
    let released = lock(&repo, ["release", "--token", &token]).stdin("").output();
    released.assert_code(65);
    assert!(!path(&repo).exists());

    let token = section(&acquire(&repo)).token;
    lock(&repo, ["release", "--token", &token]).output().assert_success();
    assert!(!path(&repo).exists());
}

#[test]
fn a_release_after_a_dead_phase_says_who_has_the_lock_and_how_to_give_it_back() {
    let (_world, repo) = repository();
    let silent = lock(&repo, ["release"]).stdin("").output();
    silent.assert_code(65);
    assert!(!silent.stderr.contains("besides"), "nobody has it: {silent}");

    let taken = section(&acquire(&repo));
    let told = lock(&repo, ["release"]).stdin("").output();
    told.assert_code(65);
    told.assert_says("so nothing was done; besides, the lock is held by a run on ");
    told.assert_says(&format!("between two phases since {}, and expires at ", taken.owner.unwrap().since));
    told.assert_says(&format!("lock release --token {}", taken.token));
    assert!(path(&repo).exists(), "without a token nothing is given back");

    // Phases in between say what they got, and pass nothing on that the lock is in.
    let passed = lock(&repo, ["acquire"]).stdin("").output();
    passed.assert_code(65);
    let told = lock(&repo, ["release"]).stdin(passed.stdout.clone()).output();
    told.assert_code(65);
    told.assert_says(&format!("lock release --token {}", taken.token));
    assert_eq!(told.stdout, passed.stdout, "the document is passed on as it is");

    lock(&repo, ["release", "--token", &taken.token]).output().assert_success();
    assert!(!path(&repo).exists());

    // Another machine's, one that a process owns, and one that is over are nobody's business here.
    let owned = lock(&repo, ["acquire", "--owner-pid", &std::process::id().to_string()]).success();
    assert!(!lock(&repo, ["release"]).stdin("").output().stderr.contains("besides"));
    release(&repo, &owned).assert_success();
    acquire(&repo);
    let owner = std::fs::read_to_string(path(&repo).join("owner.json")).unwrap();
    let host = section(&lock(&repo, ["release"]).success()).held_by.unwrap().host.unwrap();
    let elsewhere = owner.replacen(&format!("\"host\":\"{host}\""), "\"host\":\"elsewhere\"", 1);
    assert_ne!(owner, elsewhere);
    std::fs::write(path(&repo).join("owner.json"), elsewhere).unwrap();
    assert!(!lock(&repo, ["release"]).stdin("").output().stderr.contains("besides"));
}

#[test]
fn a_document_that_has_its_lock_already_keeps_it() {
    let (_world, repo) = repository();
    let first = acquire(&repo);
    let second = lock(&repo, ["acquire", "--wait", "0"]).stdin(first.stdout.as_str()).output();
    second.assert_success();
    assert_eq!(section(&second).token, section(&first).token);
}

#[test]
fn a_document_whose_lock_was_given_back_gets_another() {
    let (_world, repo) = repository();
    let first = acquire(&repo);
    let released = release(&repo, &first);
    let second = lock(&repo, ["acquire", "--wait", "0"]).stdin(released.stdout.as_str()).output();
    second.assert_success();
    assert!(!section(&second).released);
    assert_ne!(section(&second).token, section(&first).token);
    assert!(path(&repo).exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_lock_whose_token_nobody_got_is_recovered_at_once() {
    let (_world, repo) = repository();
    let unwritten = repo.program("sh").args(["-c", "exec \"$1\" acquire >/dev/full", "sh"]);
    unwritten.arg(env!("CARGO_BIN_EXE_lock")).output().assert_code(1);
    let next = acquire(&repo);
    next.assert_success();
    assert_eq!(section(&next).reclaimed.unwrap().reason, contract::ReclaimReason::OwnerDead);
}

#[cfg(target_os = "linux")]
#[test]
fn a_lock_for_another_process_is_given_back_if_its_token_cannot_be_written() {
    let (_world, repo) = repository();
    let unwritten = || {
        let script = "exec \"$1\" acquire --owner-pid \"$2\" >/dev/full";
        let run = repo.program("sh").args(["-c", script, "sh", env!("CARGO_BIN_EXE_lock")]);
        run.arg(std::process::id().to_string())
    };
    unwritten().output().assert_code(1);
    assert!(!path(&repo).exists());

    let before = acquire(&repo);
    unwritten().stdin(before.stdout.as_str()).output().assert_code(1);
    unwritten().env("LOCKSTEP_TOKEN", section(&before).token).output().assert_code(1);
    assert!(path(&repo).exists(), "a lock that was there before stays");
}

#[test]
fn an_acquire_under_a_lock_joins_it_and_its_release_leaves_it() {
    let (_world, repo) = repository();
    let outer = section(&acquire(&repo)).token;
    let inner = lock(&repo, ["acquire", "--wait", "0"]).env("LOCKSTEP_TOKEN", &outer).output();
    inner.assert_success();
    assert_eq!(section(&inner).token, outer);
    let left = lock(&repo, ["release"]).stdin(inner.stdout.as_str()).env("LOCKSTEP_TOKEN", &outer).output();
    left.assert_success();
    assert!(!section(&left).released);
    assert!(path(&repo).exists());
}

#[test]
fn a_token_of_another_lock_joins_nothing() {
    let (_world, repo) = repository();
    let mine = lock(&repo, ["acquire", "--wait", "0"]).env("LOCKSTEP_TOKEN", "01ELSEWHERE").output();
    mine.assert_success();
    assert_ne!(section(&mine).token, "01ELSEWHERE");
    lock(&repo, ["acquire", "--wait", "0"]).env("LOCKSTEP_TOKEN", "01ELSEWHERE").output().assert_code(75);
}

#[test]
fn the_two_ends_of_a_pipeline_fit_together() {
    let (_world, repo) = repository();
    let ran = Pipeline::new().then(lock(&repo, ["acquire"])).then(lock(&repo, ["release"])).output();
    ran.last().assert_success();
    assert!(section(ran.last()).released);
}

#[test]
fn the_lock_belongs_to_a_process_only_where_that_lives() {
    let (_world, repo) = repository();
    let refused = lock(&repo, ["acquire", "--owner-pid", "999999999"]).output();
    refused.assert_code(1);
    refused.assert_says("there is no process 999999999");
    assert!(!path(&repo).exists());
}

#[test]
fn the_status_tells_free_from_held_and_exits_with_0_either_way() {
    let (_world, repo) = repository();
    let status = || lock(&repo, ["status"]).success().stdout;
    assert!(status().contains("free"));
    lock(&repo, ["acquire", "--owner-pid", &std::process::id().to_string(), "--name", "nightly"]).success();
    assert!(status().contains("held by nightly, process"), "{}", status());
    common::silence_for(&repo, std::time::Duration::from_secs(3600));
    assert!(status().contains("stale"));
    let json: serde_json::Value =
        serde_json::from_str(&lock(&repo, ["status", "--json"]).success().stdout).unwrap();
    assert_eq!((&json["stale"], &json["held_by"]["name"]), (&"expired".into(), &"nightly".into()));
}

#[test]
fn where_there_is_no_repository_there_is_no_lock() {
    let world = testkit::World::new();
    let nowhere = world.repo(world.path());
    lock(&nowhere, ["acquire"]).output().assert_code(78);
    lock(&nowhere, ["status"]).output().assert_code(78);
    lock(&nowhere, ["run", "--", "true"]).output().assert_code(78);
}
