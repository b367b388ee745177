//! Tests that the packs of the most frequent pushes are about as small as git's.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use std::fmt::Write;

use common::{id, name, open, origin};
use remote::{Atomicity, Prepared, Push, Unwatched, Update, UpdateStatus};
use store::{CommitRange, History, ObjectWalk, Receiver, RecentObjects};
use testkit::{Repo, World};

/// A log as people write them: lines that are alike, and none twice.
fn log(lines: std::ops::Range<u32>) -> String {
    lines.fold(String::new(), |mut text, n| {
        let (a, b) = (n.wrapping_mul(2_654_435_761), n.wrapping_mul(40_503) % 9973);
        writeln!(text, "2026-06-{:02} {a:08x} client {b} was updated, see ticket {}", n % 28 + 1, n / 7)
            .unwrap();
        text
    })
}

/// Pushes the new head of `ours`, and gives the bytes that it took, and that it would have taken git.
fn ours_and_gits(remote: &Repo, ours: &Repo, old: Option<&str>) -> (u64, u64) {
    let head = ours.head();
    let not_old = old.map(|old| format!("^{old}\\n")).unwrap_or_default();
    // What `git push` sends is what this writes.
    let line = format!(
        "printf '{head}\\n{not_old}' | git pack-objects --revs --stdout --thin --delta-base-offset -q | wc -c"
    );
    let gits = ours.program("sh").args(["-c", &line]).success().stdout.trim().parse().unwrap();
    // A server sees a pack also where it could do without one.
    ours.git(["config", "remote.origin.receivepack", "git-receive-pack"]);
    let update = Update { name: name("refs/heads/main"), expected: old.map(id), new: Some(id(&head)) };
    let what = Push { updates: vec![update], together: Atomicity::Independent };
    let pushed = origin(&open(ours)).push(&what, &Unwatched).unwrap();
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    remote.git(["fsck", "--strict"]);
    (pushed.bytes, gits)
}

#[track_caller]
fn assert_close((ours, gits): (u64, u64)) {
    assert!(ours <= gits + gits / 10, "{ours} bytes, and git's {gits}");
}

#[test]
fn a_line_added_to_a_long_log() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    ours.write("log.md", log(0..14_000));
    let old = ours.commit_all("a megabyte");
    ours.push();
    ours.append("log.md", "one more line\n");
    ours.commit_all("one line");
    assert_close(ours_and_gits(&remote, &ours, Some(&old)));
}

#[test]
fn many_changed_files() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    for n in 0..400 {
        ours.write(&format!("notes/{}/{n}.md", n % 10), log(n * 40..n * 40 + 60));
    }
    let old = ours.commit_all("hundreds of files");
    ours.push();
    for n in 0..400 {
        ours.append(&format!("notes/{}/{n}.md", n % 10), format!("{} more\n", n * 7));
    }
    ours.commit_all("all of them");
    assert_close(ours_and_gits(&remote, &ours, Some(&old)));
}

#[test]
fn a_first_push() {
    let world = World::new();
    let remote = world.bare("origin.git");
    let ours = world.clone_of(&remote, "ours");
    for n in 0..800 {
        ours.write(&format!("notes/{}/{n}.md", n % 20), log(n * 13..n * 13 + n % 50 + 5));
    }
    ours.commit_all("the first");
    assert_close(ours_and_gits(&remote, &ours, None));
}

#[test]
fn a_history_of_edits() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    for round in 0..60u32 {
        ours.write("log.md", log(0..200 + round * 5));
        ours.write(&format!("clients/{round}.md"), log(round * 9..round * 9 + 40));
        ours.commit_all(&format!("round {round}"));
    }
    assert_close(ours_and_gits(&remote, &ours, Some(&old)));
}

/// A server whose capabilities are changed on their way, and which keeps what it is sent in `sent`.
const SERVER: &str = r#"#!/usr/bin/env python3
import os, subprocess, sys, threading

announced, instead, folder = sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3]
server = subprocess.Popen(["git-receive-pack", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

def answer():
    while piece := server.stdout.read1(65536):
        os.write(1, piece.replace(announced, instead))

answers = threading.Thread(target=answer)
answers.start()
with open(folder + "/sent", "wb") as sent:
    while piece := os.read(0, 65536):
        sent.write(piece)
        server.stdin.write(piece)
        server.stdin.flush()
server.stdin.close()
answers.join()
"#;

#[test]
fn a_server_that_takes_no_thin_packs_is_sent_all_that_deltas_are_of() {
    for (instead, is_thin) in [("report-status-v2", true), ("no-thin unknown1", false)] {
        let (world, remote, [ours]) = World::with_clones(["ours"]);
        ours.write("log.md", log(0..500));
        let old = ours.commit_all("a long log");
        ours.push();
        ours.append("log.md", "one more line\n");
        let new = ours.commit_all("one line");
        remote.hook("server", SERVER);
        // Neither name is longer than the other: packets say how long they are.
        let server = format!("'{}' report-status-v2 '{instead}'", remote.join("hooks/server"));
        ours.git(["config", "remote.origin.receivepack", &server]);

        let (repo, stretch) = (open(&ours), CommitRange { known: id(&old), tip: id(&new) });
        for meant in [None, Some(Receiver::Server), Some(Receiver::ObjectDatabase)] {
            let ready = meant.map(|meant| {
                let gathering = ObjectWalk::of(&repo, &History::of(&repo), vec![stretch], meant).unwrap();
                gathering.take_part(&repo, &|_| Ok(()));
                gathering.gathered().unwrap().encode(&repo).unwrap()
            });
            remote.git(["update-ref", "refs/heads/main", &old]);
            let update =
                Update { name: name("refs/heads/main"), expected: Some(id(&old)), new: Some(id(&new)) };
            let what = Push { updates: vec![update], together: Atomicity::Independent };
            let prepared = Prepared { ready: ready.as_ref(), made: &RecentObjects::default() };
            let pushed = origin(&repo).push_with(&what, prepared, &Unwatched).unwrap();
            assert_eq!(pushed.answers, [UpdateStatus::Done], "{instead}, {meant:?}");

            let sent = std::fs::read(remote.join("sent")).unwrap();
            let pack = sent.windows(4).position(|bytes| bytes == b"PACK").unwrap();
            let other_worktree_on = world.init("elsewhere");
            let index =
                other_worktree_on.git_invocation().args(["index-pack", "--stdin"]).stdin(&sent[pack..]);
            let indexed = index.output();
            let is_whole = meant == Some(Receiver::ObjectDatabase) || !is_thin;
            assert_eq!(indexed.code == 0, is_whole, "{instead}, {meant:?}: {}", indexed.stderr);
            std::fs::remove_dir_all(other_worktree_on.path()).unwrap();
        }
        remote.git(["fsck", "--strict"]);
    }
}
