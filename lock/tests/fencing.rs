//! Tests phases that are suspended until another run takes over their lock, and then continue.
//!
//! The binaries of the other packages take part: `cargo xtask test` builds them first.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use camino::Utf8PathBuf;
use common::{acquire, lock, section, silence_for, until};
use contract::{Outcome, ReclaimReason};
use testkit::{Repo, Running, World};

/// A place in a phase's work at which it waits for a word.
struct Gate {
    folder: Utf8PathBuf,
}

impl Gate {
    fn new(world: &World) -> Self {
        let folder = world.path().join("gate");
        fs::create_dir(&folder).unwrap();
        Self { folder }
    }

    /// What a hook or a helper does at the gate.
    fn script(&self) -> String {
        format!("touch '{0}/reached'; until [ -e '{0}/open' ]; do sleep 0.02; done", self.folder)
    }

    /// A `PATH` on which git's `helper` comes to the gate before it does anything.
    fn path_with_a_gate_before(&self, helper: &str) -> String {
        let bin = self.folder.join("bin");
        fs::create_dir(&bin).unwrap();
        let stub = bin.join(helper);
        fs::write(
            &stub,
            format!("#!/bin/sh\n{}\nexec git {} \"$@\"\n", self.script(), &helper["git-".len()..]),
        )
        .unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        format!("{bin}:{}", std::env::var("PATH").unwrap())
    }

    /// Stops `phase` at the gate, lets another run take its lock over, and wakes it.
    fn overtake(&self, phase: &mut Running, repo: &Repo) -> String {
        until("the phase is at the gate", || self.folder.join("reached").exists() || !phase.is_alive());
        let token = overtake(phase, repo);
        fs::write(self.folder.join("open"), "").unwrap();
        phase.signal("CONT");
        token
    }
}

/// Stops `phase` and lets another run take its lock over. Gives the other run's token.
fn overtake(phase: &Running, repo: &Repo) -> String {
    phase.signal("STOP");
    let stat = format!("/proc/{}/stat", phase.pid());
    if cfg!(target_os = "linux") {
        until("the phase is stopped", || fs::read_to_string(&stat).unwrap_or_default().contains(") T "));
    }
    silence_for(repo, Duration::from_secs(3600));
    let next = acquire(repo);
    next.assert_success();
    assert_eq!(section(&next).reclaimed.unwrap().reason, ReclaimReason::Expired);
    section(&next).token
}

/// The phase saw that it was overtaken, and the lock stayed the other run's.
fn assert_fenced(phase: Running, repo: &Repo, token: &str) {
    let output = phase.wait();
    output.assert_code(75);
    output.assert_says("is no longer this run's");
    let document = output.document();
    assert_eq!((document.outcome, document.ended), (Outcome::Deferred, Some(true)));
    let owner = fs::read_to_string(common::path(repo).join("owner.json")).unwrap();
    assert!(owner.contains(token), "the lock is still the other run's: {owner}");
}

#[test]
fn gitsync_that_was_overtaken_before_its_commit_changes_nothing_when_it_wakes() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let gate = Gate::new(&world);
    mike.hook("pre-commit", &format!("#!/bin/sh\n{}\n", gate.script()));
    mike.write("new.md", "new\n");
    let (before, remote) = (mike.snapshot(), origin.rev("main"));
    let mut phase = mike.binary("gitsync").args(["--fresh", "--json"]).spawn();
    let token = gate.overtake(&mut phase, &mike);
    assert_fenced(phase, &mike, &token);
    assert_eq!(mike.snapshot(), before);
    assert_eq!(origin.rev("main"), remote);
}

#[test]
fn gitsync_that_was_overtaken_before_its_push_pushes_nothing_when_it_wakes() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let gate = Gate::new(&world);
    mike.hook("pre-push", &format!("#!/bin/sh\n{}\n", gate.script()));
    mike.write("new.md", "new\n");
    let remote = origin.rev("main");
    let mut phase = mike.binary("gitsync").args(["--fresh", "--json"]).spawn();
    let token = gate.overtake(&mut phase, &mike);
    let before = mike.snapshot();
    assert_fenced(phase, &mike, &token);
    assert_eq!(mike.snapshot(), before);
    assert_eq!(origin.rev("main"), remote);
}

#[test]
fn notes_sync_that_was_overtaken_while_it_fetched_changes_nothing_when_it_wakes() {
    let (world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    howard.git(["notes", "--ref", "mem/decisions", "add", "-m", "Howard's"]);
    howard.git(["push", "--quiet", "origin", "refs/notes/mem/*:refs/notes/mem/*"]);
    mike.git(["notes", "--ref", "mem/decisions", "add", "-m", "Mike's"]);
    let gate = Gate::new(&world);
    // The server is stopped at the gate; without this, none would be started.
    mike.git(["config", "remote.origin.uploadpack", "git-upload-pack"]);
    let path = gate.path_with_a_gate_before("git-upload-pack");
    let (before, remote) = (mike.snapshot(), origin.snapshot());
    let mut phase = mike.binary("notes-sync").args(["--fresh", "--json"]).env("PATH", path).spawn();
    let token = gate.overtake(&mut phase, &mike);
    assert_fenced(phase, &mike, &token);
    assert_eq!(mike.snapshot(), before);
    assert_eq!(origin.snapshot().refs, remote.refs);
}

#[test]
fn cmdcopy_that_was_overtaken_in_the_middle_copies_no_more_when_it_wakes() {
    // Where the phase was done before it could be stopped, it is given more to do.
    for number in [4_000, 16_000, 64_000] {
        let (world, _origin, [mike]) = World::with_clones(["mike"]);
        for index in 0..number {
            mike.write(&format!(".claude/commands/{index}.md"), "a command\n");
        }
        let target = world.home().join(".claude/commands");
        let copied = || fs::read_dir(&target).map(Iterator::count).unwrap_or(0);
        let mut phase = mike.binary("cmdcopy").args(["--fresh", "--json"]).spawn();
        until("it has begun", || copied() > 0 || !phase.is_alive());
        if !phase.is_alive() {
            continue;
        }
        phase.signal("STOP");
        if copied() >= number {
            phase.signal("CONT");
            phase.wait().assert_success();
            continue;
        }
        let token = overtake(&phase, &mike);
        let before = copied();
        phase.signal("CONT");
        assert_fenced(phase, &mike, &token);
        // The one file whose check was done when the phase was stopped, and its temporary name.
        assert!(copied() <= before + 1, "{before} files, then {}", copied());
        return;
    }
    panic!("cmdcopy was never caught in the middle");
}

#[test]
fn a_phase_whose_document_has_a_lost_lock_does_not_begin() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.md", "new\n");
    let acquired = acquire(&mike);
    silence_for(&mike, Duration::from_secs(3600));
    acquire(&mike).assert_success();
    let before = mike.snapshot();
    for phase in ["gitsync", "notes-sync", "cmdcopy"] {
        let refused = mike.binary(phase).stdin(acquired.stdout.as_str()).output();
        refused.assert_code(75);
        assert_eq!(refused.document().ended, Some(true), "{phase}");
    }
    assert_eq!(mike.snapshot(), before);
    lock(&mike, ["status"]).output().assert_success();
}
