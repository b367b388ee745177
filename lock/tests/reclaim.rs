//! Tests locks whose holders are dead or suspended.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    fs,
    time::{Duration, SystemTime},
};

use common::{acquire, lock, path, release, repository, section, silence_for};
use contract::{ReclaimReason, Reclaimed};
use testkit::{Output, Repo, Running};

const HOUR: Duration = Duration::from_secs(3600);

fn sleeper(repo: &Repo) -> Running {
    repo.program("sleep").arg("600").spawn()
}

fn acquire_for(repo: &Repo, owner: &Running) -> Output {
    let acquired = lock(repo, ["acquire", "--wait", "0", "--owner-pid", &owner.pid().to_string()]).output();
    acquired.assert_success();
    acquired
}

fn reclaimed(output: &Output) -> Reclaimed {
    output.assert_success();
    section(output).reclaimed.expect("a stale lock was cleared")
}

#[test]
fn the_lock_of_a_killed_owner_is_had_at_once() {
    let (_world, repo) = repository();
    let mut owner = sleeper(&repo);
    acquire_for(&repo, &owner);
    acquire(&repo).assert_code(75);
    owner.kill();
    let pid = owner.pid();
    owner.wait();
    let reclaimed = reclaimed(&acquire(&repo));
    assert_eq!(reclaimed.reason, ReclaimReason::OwnerDead);
    assert_eq!(reclaimed.owner.unwrap().pid, pid);
}

#[test]
fn nobody_waits_for_a_lock_on_behalf_of_the_dead() {
    let (_world, repo) = repository();
    let held = acquire(&repo);
    let mut owner = sleeper(&repo);
    let pid = owner.pid();
    let waiter = lock(&repo, ["acquire", "--wait", "1m", "--owner-pid", &pid.to_string()]).spawn();
    let status = || lock(&repo, ["status", "--json"]).success().stdout;
    common::until("it waits", || status().contains("\"waiting\":1"));
    owner.kill();
    owner.wait();
    release(&repo, &held).assert_success();
    let output = waiter.wait();
    output.assert_code(1);
    output.assert_says(&format!("process {pid}, to which the lock was to belong, has ended"));
    assert!(!path(&repo).exists());
}

#[test]
fn a_zombie_does_not_live() {
    let (_world, repo) = repository();
    let mut owner = sleeper(&repo);
    acquire_for(&repo, &owner);
    owner.kill();
    // Nobody has waited for it: it still has its number.
    let waited = lock(&repo, ["acquire", "--wait", "1m"]).output();
    assert_eq!(reclaimed(&waited).reason, ReclaimReason::OwnerDead);
    owner.wait();
}

#[test]
fn who_waits_sees_its_predecessor_die() {
    let (_world, repo) = repository();
    let mut owner = sleeper(&repo);
    acquire_for(&repo, &owner);
    let waiter = lock(&repo, ["acquire", "--wait", "1m"]).spawn();
    common::until("one waits", || {
        lock(&repo, ["status", "--json"]).success().stdout.contains("\"waiting\":1")
    });
    owner.kill();
    owner.wait();
    assert_eq!(reclaimed(&waiter.wait()).reason, ReclaimReason::OwnerDead);
}

/// Rewrites `owner.json`, as if the lock had come about elsewhere.
fn rewrite_owner(repo: &Repo, change: impl FnOnce(&mut serde_json::Value)) {
    let file = path(repo).join("owner.json");
    let modified = fs::metadata(path(repo)).unwrap().modified().unwrap();
    let mut owner = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    change(&mut owner);
    fs::write(file, owner.to_string()).unwrap();
    common::set_sign_of_life(repo, modified);
}

#[test]
fn a_reused_number_is_not_mistaken_for_the_owner() {
    let (_world, repo) = repository();
    let owner = sleeper(&repo);
    acquire_for(&repo, &owner);
    rewrite_owner(&repo, |json| json["owner"]["start"] = 1.into());
    assert_eq!(reclaimed(&acquire(&repo)).reason, ReclaimReason::OwnerDead);
}

#[test]
fn an_owner_of_another_boot_or_container_goes_by_its_silence_alone() {
    for key in ["boot", "pid_space"] {
        let (_world, repo) = repository();
        let mut owner = sleeper(&repo);
        acquire_for(&repo, &owner);
        owner.kill();
        owner.wait();
        rewrite_owner(&repo, |json| json["owner"][key] = "elsewhere".into());
        acquire(&repo).assert_code(75);
        silence_for(&repo, HOUR);
        assert_eq!(reclaimed(&acquire(&repo)).reason, ReclaimReason::Expired, "{key}");
    }
}

#[test]
fn a_living_owner_that_gives_no_sign_of_life_is_overtaken() {
    let (_world, repo) = repository();
    let mut owner = sleeper(&repo);
    acquire_for(&repo, &owner);
    silence_for(&repo, HOUR);
    lock(&repo, ["acquire", "--wait", "0", "--stale-after", "2h"]).output().assert_code(75);
    assert_eq!(reclaimed(&acquire(&repo)).reason, ReclaimReason::Expired);
    owner.kill();
    owner.wait();
}

#[test]
fn a_lease_ends_when_it_is_over_or_when_the_taker_has_had_enough() {
    let (_world, repo) = repository();
    lock(&repo, ["acquire", "--stale-after", "1m"]).success();
    acquire(&repo).assert_code(75);
    silence_for(&repo, Duration::from_secs(90));
    assert_eq!(reclaimed(&acquire(&repo)).reason, ReclaimReason::Expired, "its minute is over");
    silence_for(&repo, Duration::from_secs(90));
    acquire(&repo).assert_code(75);
    let impatient = lock(&repo, ["acquire", "--wait", "0", "--stale-after", "1m"]).output();
    assert_eq!(reclaimed(&impatient).reason, ReclaimReason::Expired);
}

#[test]
fn a_lock_without_a_readable_owner_goes_by_its_age_alone() {
    for content in [None, Some(""), Some("{\"version\":1"), Some("{\"version\":7}")] {
        let (_world, repo) = repository();
        fs::create_dir(path(&repo)).unwrap();
        fs::write(path(&repo).join("pid"), "999999999").unwrap();
        if let Some(content) = content {
            fs::write(path(&repo).join("owner.json"), content).unwrap();
        }
        acquire(&repo).assert_code(75);
        silence_for(&repo, HOUR);
        assert_eq!(reclaimed(&acquire(&repo)).reason, ReclaimReason::Expired, "{content:?}");
    }
}

#[test]
fn a_sign_of_life_from_the_future_does_not_keep_a_lock_for_ever() {
    let (_world, repo) = repository();
    acquire(&repo).assert_success();
    common::set_sign_of_life(&repo, SystemTime::now() + HOUR);
    acquire(&repo).assert_code(75);
    assert!(fs::metadata(path(&repo)).unwrap().modified().unwrap() <= SystemTime::now());
    let waited = lock(&repo, ["acquire", "--wait", "1m", "--stale-after", "200ms"]).output();
    assert_eq!(reclaimed(&waited).reason, ReclaimReason::Expired);
}

#[test]
fn of_many_that_want_a_stale_lock_exactly_one_gets_it() {
    let (_world, repo) = repository();
    for _ in 0..3 {
        fs::create_dir(path(&repo)).unwrap();
        silence_for(&repo, HOUR);
        let takers: Vec<_> = (0..12).map(|_| lock(&repo, ["acquire", "--wait", "0"]).spawn()).collect();
        let outputs: Vec<_> = takers.into_iter().map(Running::wait).collect();
        let (had, deferred): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| output.code == 0);
        assert_eq!((had.len(), deferred.iter().filter(|output| output.code == 75).count()), (1, 11));
        assert!(section(&release(&repo, had[0])).released);
    }
}
