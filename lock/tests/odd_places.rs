//! Tests the lock in unusual places: odd paths, links, and file systems with fewer features.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{fs, os::unix::fs::symlink};

use common::{acquire, lock, path, release, repository, section};
use contract::ReclaimReason;
use testkit::{Invocation, Output, Repo, World};

/// A script for the shell in name spaces of its own, where it may mount things; the binary is in `$LOCK`. `None` on a
/// machine that allows no such name spaces.
fn in_a_container(repo: &Repo, spaces: &str, script: &str) -> Option<Output> {
    let unshare = || repo.program("unshare").arg(spaces);
    let allowed = unshare().arg("true").output().code == 0;
    allowed.then(|| with_lock(unshare().args(["sh", "-c", script])).output())
}

fn with_lock(invocation: Invocation) -> Invocation {
    invocation.env("LOCK", env!("CARGO_BIN_EXE_lock"))
}

#[test]
fn a_path_with_spaces_and_letters_of_any_alphabet() {
    let world = World::with_an_odd_path();
    let repo = world.init("mikes wörk 仕事");
    let acquired = acquire(&repo);
    acquired.assert_success();
    assert_eq!(section(&acquired).path, path(&repo));
    lock(&repo, ["run", "--wait", "0", "--", "true"]).output().assert_code(75);
    assert!(section(&release(&repo, &acquired)).released);
    lock(&repo, ["run", "--wait", "0", "--", "true"]).output().assert_success();
}

#[test]
fn a_lock_that_is_a_file_or_a_link_is_refused_and_left_alone() {
    let (world, repo) = repository();
    let elsewhere = world.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(path(&repo), "precious").unwrap();
    for kind in ["a file", "a link"] {
        for args in [["acquire", "--wait", "0"].as_slice(), &["run", "--", "true"], &["status"]] {
            let refused = lock(&repo, []).args(args).output();
            refused.assert_code(78);
            refused.assert_says(&format!("is {kind}, and is left alone"));
        }
        if kind == "a file" {
            assert_eq!(fs::read_to_string(path(&repo)).unwrap(), "precious");
            fs::remove_file(path(&repo)).unwrap();
            symlink(&elsewhere, path(&repo)).unwrap();
        }
    }
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}

#[test]
fn where_the_folder_beside_the_lock_is_a_link_what_it_leads_to_is_left_alone() {
    let (world, repo) = repository();
    let elsewhere = world.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("gone-fishing")).unwrap();
    // Names such as the lock gives to what is under way.
    for name in ["new-notes.md", "gone-fishing/plan.md", "ticket-1-to-rome.md"] {
        fs::write(elsewhere.join(name), "precious").unwrap();
    }
    symlink(&elsewhere, repo.common_dir().join("claudetools-sync.wings")).unwrap();
    for args in [["acquire", "--wait", "100ms"].as_slice(), &["run", "--wait", "100ms", "--", "true"]] {
        lock(&repo, []).args(args).output().assert_code(1);
    }
    for name in ["new-notes.md", "gone-fishing/plan.md", "ticket-1-to-rome.md"] {
        assert_eq!(fs::read_to_string(elsewhere.join(name)).unwrap(), "precious", "{name}");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_refused_too() {
    let (_world, repo) = repository();
    symlink("/nowhere", path(&repo)).unwrap();
    acquire(&repo).assert_code(78);
}

#[test]
fn a_read_only_repository_cannot_be_locked_and_says_so() {
    let (_world, repo) = repository();
    let script =
        "mount --bind . . && cd \"$PWD\" && mount -o remount,bind,ro . && exec \"$LOCK\" acquire --wait 0";
    let Some(refused) = in_a_container(&repo, "-rm", script) else { return };
    refused.assert_code(77);
    refused.assert_says("Read-only file system");
    assert_eq!(refused.document().ended, Some(true));
}

#[test]
fn on_a_full_disk_the_lock_is_not_had_and_nothing_stays_behind() {
    let (_world, repo) = repository();
    // A file system of a few pages, filled up to `$1` pages of room.
    let script = "
        mount -t tmpfs -o size=1m tmp . && cd \"$PWD\" && git init -q . && touch .git/claudetools-sync.guard
        dd if=/dev/zero of=filler bs=4k 2>/dev/null
        \"$LOCK\" acquire --wait 0 --fresh; code=$?
        ls .git | grep -c claudetools-sync.lock
        exit $code";
    let Some(refused) = in_a_container(&repo, "-rm", script) else { return };
    refused.assert_code(1);
    refused.assert_says("No space left on device");
    assert!(refused.stdout.ends_with("\n0\n"), "{refused}");
}

#[test]
fn a_process_of_another_container_is_not_taken_for_dead() {
    let (_world, repo) = repository();
    let mut owner = repo.program("sleep").arg("600").spawn();
    lock(&repo, ["acquire", "--owner-pid", &owner.pid().to_string()]).success();
    let script = "exec \"$LOCK\" acquire --wait 0";
    if let Some(deferred) = in_a_container(&repo, "-rpf", script) {
        deferred.assert_code(75);
        common::silence_for(&repo, std::time::Duration::from_secs(3600));
        let expired = in_a_container(&repo, "-rpf", script).unwrap();
        assert_eq!(section(&expired).reclaimed.unwrap().reason, ReclaimReason::Expired);
    }
    owner.kill();
    owner.wait();
}

/// `lock` on a file system that has no kernel locks, as strace makes it believe; `None` where there is no strace.
fn without_kernel_locks(repo: &Repo, args: &[&str]) -> Option<Output> {
    let strace = ["-f", "-qqq", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK"];
    let there = repo.program("sh").args(["-c", "strace -o /dev/null true"]).output().code == 0;
    there.then(|| repo.program("strace").args(strace).arg(env!("CARGO_BIN_EXE_lock")).args(args).output())
}

#[test]
fn without_kernel_locks_a_free_lock_is_taken_and_a_stale_one_is_left_to_a_person() {
    let (_world, repo) = repository();
    let Some(acquired) = without_kernel_locks(&repo, &["acquire", "--wait", "0"]) else { return };
    acquired.assert_success();
    acquired.assert_says("the file system has no file locks");
    let other = without_kernel_locks(&repo, &["acquire", "--wait", "50ms"]).unwrap();
    other.assert_code(75);

    common::silence_for(&repo, std::time::Duration::from_secs(3600));
    let stale = without_kernel_locks(&repo, &["acquire", "--wait", "50ms"]).unwrap();
    stale.assert_code(75);
    stale.assert_says("a stale lock is not cleared by itself");
    assert!(path(&repo).exists());

    let token = section(&acquired).token;
    let released = without_kernel_locks(&repo, &["release", "--token", &token]).unwrap();
    assert!(section(&released).released);
    assert!(!path(&repo).exists());
}

/// Runs `lock` as the user that owns nothing; `None` where that takes rights that the test does not have.
fn as_nobody(repo: &Repo, args: &[&str]) -> Option<Output> {
    let setpriv = || repo.program("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    let binary = env!("CARGO_BIN_EXE_lock");
    let allowed = setpriv().args([binary, "--version"]).output().code == 0;
    allowed.then(|| setpriv().arg(binary).args(args).output())
}

#[test]
fn a_process_that_may_not_be_signalled_is_alive() {
    let (world, repo) = repository();
    repo.program("chmod").args(["-R", "a+rwX", world.path().as_str()]).output().assert_success();
    world.git(["config", "--global", "--add", "safe.directory", "*"]);
    let mut owner = repo.program("sleep").arg("600").spawn();
    lock(&repo, ["acquire", "--owner-pid", &owner.pid().to_string()]).success();
    if let Some(deferred) = as_nobody(&repo, &["acquire", "--wait", "0"]) {
        deferred.assert_code(75);
    }
    owner.kill();
    owner.wait();
    if let Some(reclaimed) = as_nobody(&repo, &["acquire", "--wait", "0"]) {
        // Whose directory it is decides whether it may be taken over.
        assert!([0, 77].contains(&reclaimed.code), "{reclaimed}");
    }
}

/// A repository that users share through a group; `None` where a test cannot become another user, as it takes the
/// rights of root.
fn shared_repository() -> Option<(World, Repo)> {
    let (world, repo) = repository();
    let share = "chmod -R a+rX \"$0\" && chgrp -R 4000 .git && chmod -R g+rwX .git && chmod g+s .git";
    let shared = repo.program("sh").args(["-c", share, world.path().as_str()]).output().code == 0;
    world.git(["config", "--global", "--add", "safe.directory", "*"]);
    let allowed = shared && as_member(&repo, 4001, &["--version"]).code == 0;
    allowed.then_some((world, repo))
}

/// Runs `lock` as a user of the group that shares the repository.
fn as_member(repo: &Repo, id: u32, args: &[&str]) -> Output {
    let ids = [format!("--reuid={id}"), format!("--regid={id}"), "--groups=4000".into()];
    // A umask as strict as any: it takes away the rights that a group needs.
    let strictly = ["sh", "-c", "umask 077; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_lock")];
    repo.program("setpriv").args(&ids).args(strictly).args(args).output()
}

/// Runs only as root: see [`shared_repository`].
#[test]
fn in_a_shared_repository_one_user_takes_the_lock_after_another() {
    let Some((_world, repo)) = shared_repository() else { return };
    for user in [4001, 4002, 4001] {
        as_member(&repo, user, &["run", "--wait", "0", "--", "true"]).assert_success();
    }
    let mut owner = repo.program("sleep").arg("600").spawn();
    let pid = owner.pid().to_string();
    as_member(&repo, 4001, &["acquire", "--wait", "0", "--owner-pid", &pid]).assert_success();

    // Who finds the clock wrong puts it right, whoever's the lock is.
    let future = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    common::set_sign_of_life(&repo, future);
    let deferred = as_member(&repo, 4002, &["acquire", "--wait", "0"]);
    deferred.assert_code(75);
    assert_eq!(section(&deferred).held_by.unwrap().pid.to_string(), pid);
    assert!(fs::metadata(path(&repo)).unwrap().modified().unwrap() < future);

    owner.kill();
    owner.wait();
    let reclaimed = as_member(&repo, 4002, &["acquire", "--wait", "0"]);
    reclaimed.assert_success();
    let taken = section(&reclaimed);
    assert_eq!(taken.reclaimed.unwrap().reason, ReclaimReason::OwnerDead);
    let released = as_member(&repo, 4002, &["release", "--token", &taken.token, "--fresh"]);
    assert!(section(&released).released, "{released}");
    assert!(!path(&repo).exists());
    let wings = repo.common_dir().join("claudetools-sync.wings");
    assert_eq!(fs::read_dir(&wings).unwrap().count(), 0, "nothing lies about");
}

/// Runs only as root: see [`shared_repository`].
#[test]
fn who_may_not_write_what_another_user_made_is_told_what_it_is() {
    let Some((_world, repo)) = shared_repository() else { return };
    as_member(&repo, 4001, &["run", "--", "true"]).assert_success();
    let wings = repo.common_dir().join("claudetools-sync.wings");
    repo.program("chmod").args(["755", wings.as_str()]).output().assert_success();
    let refused = as_member(&repo, 4002, &["run", "--wait", "0", "--", "true"]);
    refused.assert_code(77);
    refused.assert_says(&format!("you need to be allowed to write in {wings}"));
    // Its maker puts it right.
    as_member(&repo, 4001, &["run", "--", "true"]).assert_success();
    as_member(&repo, 4002, &["run", "--wait", "0", "--", "true"]).assert_success();
}

#[test]
fn in_a_repository_of_ones_own_nothing_is_shared() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_world, repo) = repository();
    let script = "umask 022; chmod 755 .git; exec \"$LOCK\" acquire --wait 0";
    with_lock(repo.program("sh").args(["-c", script])).output().assert_success();
    for name in ["lock", "wings", "guard", "lock/pid", "lock/owner.json"] {
        let made = repo.common_dir().join("claudetools-sync").as_str().to_owned() + "." + name;
        let mode = fs::metadata(&made).unwrap().permissions().mode();
        assert_eq!(mode & 0o022, 0, "{made}");
    }
}
