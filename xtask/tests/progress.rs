//! Tests that long work shows its progress, only on a terminal, and clears it afterwards.
//!
//! Each test makes one step of a run slow, by a realistic cause: a connection, a filter, a disk, another process.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]
#![cfg(target_os = "linux")]

use std::{collections::BTreeSet, time::Duration};

use testkit::{
    Repo, Terminal, World,
    servers::{Daemon, Relay},
};

/// A full run, on a terminal of 80 columns.
const RUN: &str = concat!("'", env!("CARGO_BIN_EXE_lockstep"), "' full-run");

/// What was to be seen during a run, and what is left of it.
struct Watched {
    meanwhile: BTreeSet<String>,
    left: String,
}

fn watch(repo: &Repo, command: &str) -> Watched {
    let terminal = Terminal::open(repo, 80, command);
    let meanwhile = terminal.lines_meanwhile();
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    Watched { meanwhile, left: terminal.screen() }
}

impl Watched {
    /// A line that has all of `words` in it was to be seen, and is gone.
    #[track_caller]
    fn assert_passed(&self, words: &[&str]) {
        let has_all = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(self.meanwhile.iter().any(|line| has_all(line)), "{words:?} in {:#?}", self.meanwhile);
        assert!(!self.left.lines().any(has_all), "{words:?} is left: {}", self.left);
        assert!(self.left.contains("done: main is at "), "{}", self.left);
    }
}

/// A clone whose remote is behind a slow line, and what there is to be pulled and pushed.
fn behind_a_slow_line() -> (World, Repo, Repo, Daemon, Relay) {
    let (world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    let daemon = Daemon::start(&world);
    let relay = Relay::to(daemon.port());
    mike.git(["remote", "set-url", "origin", &relay.url(&daemon.url(&origin))]);
    relay.slow_down(Duration::from_millis(20));
    (world, mike, howard, daemon, relay)
}

/// Text of some 350 kB that does not get much shorter by being packed; with another seed it is another.
fn incompressible(seed: u32) -> String {
    (0..40_000_u32).map(|n| format!("{:x}\n", (n ^ seed << 20).wrapping_mul(2_654_435_761))).collect()
}

#[test]
fn what_comes_in_is_told_in_bytes_and_their_rate() {
    let (_world, mike, howard, _daemon, _relay) = behind_a_slow_line();
    howard.write("large.md", incompressible(1));
    howard.commit_all("large");
    howard.push();
    let watched = watch(&mike, RUN);
    watched.assert_passed(&["KiB received, ", "KiB/s"]);
}

#[test]
fn what_goes_out_is_told_in_objects_and_bytes_and_their_rate() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    // A server that takes it in small bites.
    let server = world.path().join("slow-receive-pack");
    let script = "#!/bin/sh\n\
        { while test \"$(dd bs=65536 count=1 status=none | tee /dev/fd/3 | wc -c)\" -gt 0; do sleep 0.05; done; } 3>&1 |\n\
        git receive-pack \"$@\"\n";
    std::fs::write(&server, script).unwrap();
    world.program("chmod").args(["+x", server.as_str()]).success();
    mike.git(["config", "remote.origin.receivepack", server.as_str()]);
    (0..20).for_each(|number| mike.write(&format!("{number}.md"), incompressible(number)));
    let watched = watch(&mike, RUN);
    watched.assert_passed(&[" of 22 objects sent, ", "iB, ", "iB/s"]);
}

#[test]
fn files_that_are_read_and_brought_up_to_date_are_counted() {
    let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    howard.write(".gitattributes", "*.slow filter=slow\n");
    howard.commit_all("a filter");
    howard.push();
    mike.pull();
    for way in ["clean", "smudge"] {
        mike.git(["config", &format!("filter.slow.{way}"), "sleep 0.2; cat"]);
    }
    for number in 1..=8 {
        mike.write(&format!("mine-{number}.slow"), number.to_string());
        howard.write(&format!("theirs-{number}.slow"), number.to_string());
    }
    howard.commit_all("more");
    howard.push();
    let watched = watch(&mike, RUN);
    watched.assert_passed(&[" changed files read"]);
    watched.assert_passed(&[" of 8 changed files brought up to date"]);
}

#[test]
fn a_scan_that_takes_long_counts_the_files_and_says_who_looks() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    if mike.program("sh").args(["-c", "strace -o /dev/null true"]).output().code != 0 {
        return;
    }
    for folder in 0..60 {
        (0..20).for_each(|file| mike.write(&format!("{folder}/{file}.md"), "text\n"));
    }
    mike.commit_all("many");
    mike.push();
    // A disk that needs its time for every folder.
    let slow = "strace -f -qqq -o /dev/null -e trace=getdents64 -e inject=getdents64:delay_enter=15000";
    let watched = watch(&mike, &format!("{slow} {RUN}"));
    watched.assert_passed(&["session logs: ", " files looked at"]);
    let by_gitsync = |line: &&String| line.contains(" files looked at") && !line.contains("session logs");
    assert!(watched.meanwhile.iter().any(|line| by_gitsync(&line)), "{:#?}", watched.meanwhile);
}

#[test]
fn commits_that_are_replayed_and_notes_that_are_merged_are_counted() {
    let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    // A merge driver that thinks.
    mike.write(".git/info/attributes", "*.md merge=slow\n");
    mike.git(["config", "merge.slow.driver", "sleep 0.2; git merge-file %A %O %B"]);
    let lines = |first: &str, last: &str| format!("{first}\n\n\n\n\n\n{last}\n");
    mike.write("README.md", lines("a", "z"));
    mike.commit_all("lines");
    mike.push();
    howard.pull();
    howard.write("README.md", lines("theirs", "z"));
    howard.commit_all("the first line");
    howard.note("refs/notes/mem/decisions", "HEAD~1", "theirs");
    howard.git(["push", "--quiet", "origin", "HEAD", "refs/notes/mem/decisions"]);
    for number in 1..=6 {
        mike.write("README.md", lines("a", &number.to_string()));
        mike.commit_all(&format!("the last line, {number}"));
    }
    let watched = watch(&mike, RUN);
    watched.assert_passed(&[" of 6 local commits replayed"]);
}

#[test]
fn who_waits_for_the_lock_sees_for_whom() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let mut other = mike.binary("lock").args(["run", "--name", "nightly", "--", "sleep", "2"]).spawn();
    while !mike.common_dir().join("claudetools-sync.lock/owner.json").exists() && other.is_alive() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let watched = watch(&mike, RUN);
    watched.assert_passed(&["waiting for the lock: it is held by nightly, process "]);
    other.wait().assert_success();
}

#[test]
fn what_is_slow_and_silent_is_named_all_the_same() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    // Nothing is counted while a server thinks about what it was sent.
    mike.git(["config", "remote.origin.receivepack", "sleep 1; git-receive-pack"]);
    mike.write("new.md", "new\n");
    watch(&mike, RUN).assert_passed(&["connecting"]);
}

#[test]
fn a_question_of_ssh_is_not_written_over() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let ssh = world.path().join("asking-ssh");
    let script = "#!/bin/sh\n\
        printf 'Enter passphrase: ' >/dev/tty\nread answer </dev/tty\nfor line; do :; done\nexec sh -c \"$line\"\n";
    std::fs::write(&ssh, script).unwrap();
    world.program("chmod").args(["+x", ssh.as_str()]).success();
    mike.git(["config", "core.sshCommand", ssh.as_str()]);
    mike.git(["config", "ssh.variant", "ssh"]);
    mike.git(["remote", "set-url", "origin", &format!("ssh://server{}", origin.path())]);
    // Meanwhile there is progress to be told of.
    mike.git(["config", "filter.slow.clean", "sleep 0.2; cat"]);
    mike.write(".gitattributes", "*.slow filter=slow\n");
    (0..8).for_each(|number| mike.write(&format!("{number}.slow"), "x\n"));

    let terminal = Terminal::open(&mike, 80, RUN);
    // To fetch, and to push.
    for question in 1..=2 {
        let screen = terminal.look_until(|screen| screen.matches("Enter passphrase:").count() == question);
        assert!(screen.trim_end().ends_with("connecting: Enter passphrase:"), "{screen}");
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(terminal.screen(), screen, "nothing is written over it");
        terminal.type_keys(&["x", "Enter"]);
    }
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    assert_eq!(origin.head(), mike.head());
}

#[test]
fn nothing_of_it_is_written_where_nobody_looks() {
    let (world, mike, howard, _daemon, _relay) = behind_a_slow_line();
    howard.write("large.md", incompressible(1));
    howard.commit_all("large");
    howard.push();
    mike.write("new.md", "new\n");
    let (errors, report) = (world.path().join("errors"), world.path().join("report"));
    // Stdout alone is a terminal; then neither.
    let watched = watch(&mike, &format!("{RUN} 2>'{errors}'"));
    assert!(watched.left.contains("done: main is at "), "{}", watched.left);
    let lines = watched.meanwhile.iter().filter(|line| line.contains("received") || line.contains("sent"));
    assert_eq!(lines.count(), 0, "{:#?}", watched.meanwhile);
    assert_eq!(std::fs::read_to_string(&errors).unwrap(), "");

    mike.write("newer.md", incompressible(2));
    mike.program("sh").args(["-c", &format!("{RUN} >'{report}' 2>'{errors}'")]).success();
    assert_eq!(std::fs::read_to_string(&errors).unwrap(), "");
    let report = std::fs::read_to_string(&report).unwrap();
    assert!(!report.contains(['\r', '\u{1b}']) && report.contains("done: main is at "), "{report:?}");

    mike.write("newest.md", incompressible(3));
    let watched = watch(&mike, &format!("TERM=dumb {RUN}"));
    let lines = watched.meanwhile.iter().filter(|line| line.contains(" sent, "));
    assert_eq!(lines.count(), 0, "a dumb terminal cannot take a line back: {:#?}", watched.meanwhile);
}
