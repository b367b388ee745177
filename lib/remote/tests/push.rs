//! Tests pushing to a repository on this machine, judged by git.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use common::{Stopping, id, name, open, origin};
use remote::{Atomicity, Push, Pushed, RemoteError, Unwatched, Update, UpdateStatus};
use testkit::{Repo, World};

fn update(full: &str, expected: Option<&str>, new: Option<&str>) -> Update {
    Update { name: name(full), expected: expected.map(id), new: new.map(id) }
}

fn push(repo: &Repo, updates: Vec<Update>) -> Pushed {
    origin(&open(repo)).push(&Push { updates, together: Atomicity::Independent }, &Unwatched).unwrap()
}

#[test]
fn what_is_pushed_is_whole_and_the_tracking_ref_follows() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    ours.write("deep/er/file.md", "text\n");
    ours.commit_all("one");
    ours.write("deep/er/file.md", "text\nmore\n");
    let new = ours.commit_all("two");
    let pushed = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    assert_eq!(remote.rev("refs/heads/main"), new);
    assert_eq!(ours.rev("refs/remotes/origin/main"), new);
    assert!(ours.git(["reflog", "show", "refs/remotes/origin/main"]).contains("update by push"));
    remote.git(["fsck", "--strict"]);
    let again = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!((again.answers, again.objects, again.bytes), (vec![UpdateStatus::UpToDate], 0, 0));
}

#[test]
fn a_remote_that_moved_is_stale_and_is_not_overwritten() {
    let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    let old = ours.head();
    theirs.write("theirs.md", "x\n");
    let moved = theirs.commit_all("theirs");
    theirs.push();
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    let pushed = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Stale { actual: Some(id(&moved)) }]);
    assert!(pushed.lost_a_race() && !pushed.all_done());
    assert_eq!(remote.rev("refs/heads/main"), moved);
}

#[test]
fn a_ref_that_moves_while_the_push_is_under_way_is_stale_too() {
    let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    let old = ours.head();
    theirs.write("theirs.md", "x\n");
    let moved = theirs.commit_all("theirs");
    theirs.git(["push", "-q", "origin", "HEAD:refs/heads/other"]);
    // The race, made sure of: while the server looks at the push, the branch moves.
    remote.hook(
        "pre-receive",
        &format!("#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/main {moved}\n"),
    );
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    let pushed = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Stale { actual: Some(id(&moved)) }]);
}

#[test]
fn what_a_hook_says_reaches_the_user_and_the_others_go_through() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    remote.hook(
        "update",
        "#!/bin/sh\necho \"looking at $1\"\ncase $1 in refs/heads/main) echo 'not on a friday' >&2; exit 1;; esac\n",
    );
    let old = ours.head();
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    let pushed = push(
        &ours,
        vec![update("refs/heads/main", Some(&old), Some(&new)), update("refs/heads/topic", None, Some(&new))],
    );
    assert_eq!(
        pushed.answers,
        [UpdateStatus::Rejected { words: "hook declined".into() }, UpdateStatus::Done]
    );
    assert!(pushed.remote_lines.contains(&"not on a friday".to_owned()), "{:?}", pushed.remote_lines);
    assert_eq!((remote.rev("refs/heads/main"), remote.rev("refs/heads/topic")), (old, new));
}

/// A hook of the server's that takes each push to `main`, says that it did, and puts it elsewhere.
const PROC_RECEIVE: &str = r#"#!/usr/bin/env python3
import sys

def read():
    length = int(sys.stdin.buffer.read(4) or b"0000", 16)
    return sys.stdin.buffer.read(length - 4) if length else None

def write(text):
    sys.stdout.buffer.write(b"%04x%s" % (len(text) + 4, text))

def flush():
    sys.stdout.buffer.write(b"0000")
    sys.stdout.buffer.flush()

while read() is not None:
    pass
write(b"version=1\n")
flush()
commands = []
while (command := read()) is not None:
    commands.append(command.split())
for old, new, name in commands:
    write(b"ok " + name + b"\n")
    write(b"option refname refs/pull/1/head\n")
    write(b"option new-oid " + new + b"\n")
flush()
"#;

#[test]
fn what_a_server_puts_elsewhere_is_not_pushed_and_no_tracking_ref_follows() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    remote.hook("proc-receive", PROC_RECEIVE);
    remote.git(["config", "receive.procReceiveRefs", "refs/heads/main"]);
    let old = ours.head();
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    let pushed = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    let words = "the server put it at refs/pull/1/head instead".to_owned();
    assert_eq!(pushed.answers, [UpdateStatus::Rejected { words }]);
    assert_eq!(remote.rev("refs/heads/main"), old);
    assert_eq!(ours.rev("refs/remotes/origin/main"), old);
}

#[test]
fn where_the_report_is_lost_the_remote_is_asked_whether_the_push_has_arrived() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    let updates = vec![update("refs/heads/main", Some(&old), Some(&new))];
    let words_and_no_report = "#!/bin/sh\ncat >/dev/null\necho wait for me\nsleep 0.3\nkill -9 $PPID\n";
    remote.hook("pre-receive", words_and_no_report);
    let what = Push { updates: updates.clone(), ..Push::default() };
    let trouble = origin(&open(&ours)).push(&what, &Unwatched).unwrap_err();
    assert!(matches!(&trouble, RemoteError::Refused(_)), "{trouble:?}");
    assert!(trouble.to_string().contains("refused the push: wait for me"), "{trouble}");
    assert_eq!(remote.rev("refs/heads/main"), old);

    std::fs::remove_file(remote.join("hooks/pre-receive")).unwrap();
    remote.hook("post-receive", words_and_no_report);
    let pushed = push(&ours, updates);
    assert_eq!(
        (pushed.answers, pushed.remote_lines),
        (vec![UpdateStatus::Done], vec!["wait for me".to_owned()])
    );
    assert_eq!(remote.rev("refs/heads/main"), new);
    assert_eq!(ours.rev("refs/remotes/origin/main"), new);
}

#[test]
fn a_push_that_has_arrived_is_none_that_failed_for_want_of_a_ref_that_follows_it() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let head = ours.head();
    ours.git(["update-ref", "refs/remotes/origin/x", "HEAD"]);
    // In the remote's folder itself, and by its server.
    for branch in ["refs/heads/x/y", "refs/heads/x/z"] {
        let pushed = push(&ours, vec![update(branch, None, Some(&head))]);
        assert_eq!(pushed.answers, [UpdateStatus::Done]);
        assert_eq!(remote.rev(branch), head);
        let [notice] = &pushed.left_behind[..] else { panic!("{:?}", pushed.left_behind) };
        assert!(notice.message.contains("while there is a ref refs/remotes/origin/x"), "{notice:?}");
        remote.hook("update", "#!/bin/sh\n");
    }
}

#[test]
fn an_atomic_push_moves_all_or_none() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    let updates = vec![
        update("refs/heads/main", Some(&old), Some(&new)),
        update("refs/heads/topic", Some(&old), Some(&new)),
    ];
    let what = Push { updates, together: Atomicity::Atomic };
    let pushed = origin(&open(&ours)).push(&what, &Unwatched).unwrap();
    assert_eq!(pushed.answers, [UpdateStatus::NotAttempted, UpdateStatus::Stale { actual: None }]);
    assert_eq!(remote.rev("refs/heads/main"), old);

    remote.hook("update", "#!/bin/sh\ntest $1 = refs/heads/main\n");
    let updates =
        vec![update("refs/heads/main", Some(&old), Some(&new)), update("refs/heads/topic", None, Some(&new))];
    let what = Push { updates, together: Atomicity::Atomic };
    let pushed = origin(&open(&ours)).push(&what, &Unwatched).unwrap();
    assert!(!pushed.all_done() && !pushed.lost_a_race(), "{:?}", pushed.answers);
    assert_eq!(remote.rev("refs/heads/main"), old);
}

#[test]
fn the_configured_options_go_along_to_the_server_s_hooks() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    for option in ["forgotten", "", "ci.skip", "topic=a b"] {
        ours.git(["config", "--add", "push.pushOption", option]);
    }
    let what = Push { updates: vec![update("refs/heads/main", Some(&old), Some(&new))], ..Push::default() };
    // Neither without a server, nor by one that has no use for them.
    let trouble = origin(&open(&ours)).push(&what, &Unwatched).unwrap_err();
    assert!(matches!(&trouble, RemoteError::Misconfigured(_)), "{trouble:?}");
    assert_eq!(remote.rev("main"), old);

    remote.git(["config", "receive.advertisePushOptions", "true"]);
    remote.hook(
        "pre-receive",
        "#!/bin/sh\necho \"$GIT_PUSH_OPTION_COUNT: $GIT_PUSH_OPTION_0, $GIT_PUSH_OPTION_1\"\n",
    );
    let pushed = origin(&open(&ours)).push(&what, &Unwatched).unwrap();
    assert_eq!(
        (pushed.answers, pushed.remote_lines),
        (vec![UpdateStatus::Done], vec!["2: ci.skip, topic=a b".into()])
    );
}

#[test]
fn refs_are_created_and_deleted_tags_and_trees_included() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let head = ours.head();
    ours.git(["tag", "-a", "-m", "one", "v1"]);
    let tag = ours.rev("refs/tags/v1");
    let tree = ours.rev("HEAD^{tree}");
    let pushed = push(
        &ours,
        vec![
            update("refs/heads/topic", None, Some(&head)),
            update("refs/tags/v1", None, Some(&tag)),
            update("refs/odd/tree", None, Some(&tree)),
        ],
    );
    assert!(pushed.all_done(), "{:?}", pushed.answers);
    assert_eq!(remote.rev("refs/tags/v1^{}"), head);
    let pushed = push(&ours, vec![update("refs/heads/topic", Some(&head), None)]);
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    assert_eq!(remote.try_rev("refs/heads/topic"), None);
    remote.git(["fsck", "--strict"]);
}

#[test]
fn a_quota_is_a_refusal_with_the_servers_words() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    remote.git(["config", "receive.maxInputSize", "100"]);
    let old = ours.head();
    ours.write("big.md", (0..5000).map(|n| format!("{n} line\n")).collect::<String>());
    let new = ours.commit_all("big");
    let what = Push {
        updates: vec![update("refs/heads/main", Some(&old), Some(&new))],
        together: Atomicity::Independent,
    };
    let trouble = origin(&open(&ours)).push(&what, &Unwatched).unwrap_err();
    assert!(matches!(&trouble, RemoteError::Refused(_)), "{trouble:?}");
    assert!(trouble.to_string().contains("maximum allowed size"), "{trouble}");
}

#[test]
fn whoever_says_stop_before_a_push_finds_the_remote_as_it_was() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    let watcher = Stopping { at_remote_refs: true, ..Stopping::default() };
    let what = Push {
        updates: vec![update("refs/heads/main", Some(&old), Some(&new))],
        together: Atomicity::Independent,
    };
    let is_stopped = || {
        let stopped = origin(&open(&ours)).push(&what, &watcher).unwrap_err();
        assert!(matches!(stopped, RemoteError::Stopped(_)));
        assert_eq!(remote.rev("refs/heads/main"), old);
    };
    is_stopped();
    through_a_server(&remote);
    is_stopped();
}

#[test]
fn whoever_says_stop_after_a_push_finds_the_ref_that_follows_as_it_was() {
    for prepare in [|_: &Repo| (), through_a_server] {
        let (_world, remote, [ours]) = World::with_clones(["ours"]);
        prepare(&remote);
        let old = ours.head();
        ours.write("ours.md", "x\n");
        let new = ours.commit_all("ours");
        let watcher = Stopping { at_local_refs: true, ..Stopping::default() };
        let what = Push {
            updates: vec![update("refs/heads/main", Some(&old), Some(&new))],
            together: Atomicity::Independent,
        };
        let stopped = origin(&open(&ours)).push(&what, &watcher).unwrap_err();
        assert!(matches!(stopped, RemoteError::Stopped(_)));
        assert_eq!(remote.rev("refs/heads/main"), new);
        assert_eq!(ours.rev("refs/remotes/origin/main"), old);
    }
}

#[test]
fn a_ref_that_follows_itself_keeps_what_is_written_to_it_while_it_is_pushed() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*"]);
    ours.git(["notes", "add", "-m", "first"]);
    let first = ours.rev("refs/notes/commits");
    ours.git(["notes", "append", "-m", "second"]);
    let second = ours.rev("refs/notes/commits");
    ours.git(["update-ref", "refs/notes/commits", &first]);
    // The race, made sure of: while the server looks at the push, somebody writes another note here.
    let write = format!("git --git-dir='{}' update-ref refs/notes/commits {second}", ours.common_dir());
    remote.hook("pre-receive", &format!("#!/bin/sh\nenv -i PATH=\"$PATH\" {write}\n"));
    let pushed = push(&ours, vec![update("refs/notes/commits", None, Some(&first))]);
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    assert_eq!(remote.rev("refs/notes/commits"), first);
    assert_eq!(ours.rev("refs/notes/commits"), second);
}

/// Has a remote in a folder reached through a server, by a rule that only a server knows.
fn through_a_server(remote: &Repo) {
    remote.git(["config", "receive.maxInputSize", "1g"]);
}

#[test]
fn histories_of_every_shape_arrive_whole() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    // Back and forth between two contents, in commits that claim to be ever older: no chain of deltas may close.
    let long: String = (0..400).map(|n| format!("line {n}\n")).collect();
    for round in 0..6 {
        ours.write("swing.md", if round % 2 == 0 { long.clone() } else { long.replace("line 3", "LINE 3") });
        ours.write(&format!("folder/{round}.md"), format!("{round}\n{long}"));
        let date = format!("@{} +0000", 1_700_000_000 - round * 1000);
        let commit = ours.git_invocation().env("GIT_COMMITTER_DATE", &date);
        ours.git(["add", "-A"]);
        commit.args(["commit", "-q", "-m", "round"]).success();
    }
    ours.git(["checkout", "-q", "-b", "side", &old]);
    ours.write("side.md", &long);
    ours.commit_all("side");
    ours.git(["checkout", "-q", "main"]);
    ours.git(["merge", "-q", "--no-edit", "side"]);
    ours.git(["mv", "swing.md", "folder/moved.md"]);
    let new = ours.commit_all("moved");
    let pushed = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    remote.git(["fsck", "--strict"]);
}

#[test]
fn what_is_too_large_for_memory_arrives_all_the_same() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    through_a_server(&remote);
    let mut old = ours.head();
    let large =
        |seed: u32| -> String { (0..20_000u32).map(|n| format!("{}\n", n.wrapping_mul(seed))).collect() };
    // One in a file of its own, one in a pack as git makes them of large files, one as a delta in a pack.
    ours.write("loose.md", large(7));
    let loose = ours.commit_all("loose");
    ours.git(["config", "core.bigFileThreshold", "10k"]);
    ours.write("packed.md", large(11));
    let packed = ours.commit_all("packed");
    ours.write("loose.md", format!("{}one more\n", large(7)));
    ours.git(["config", "core.bigFileThreshold", "10m"]);
    let delta = ours.commit_all("delta");
    for (new, repack) in [(loose, false), (packed, false), (delta, true)] {
        if repack {
            ours.git(["repack", "-adq"]);
        }
        ours.git(["config", "core.bigFileThreshold", "10k"]);
        let pushed = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
        assert_eq!(pushed.answers, [UpdateStatus::Done]);
        old = new;
    }
    remote.git(["fsck", "--strict"]);
}

#[test]
fn an_object_too_large_for_memory_arrives_past_indices_that_lead_nowhere() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    through_a_server(&remote);
    let old = ours.head();
    ours.write("large.md", (0..20_000u32).map(|n| format!("{}\n", n.wrapping_mul(7))).collect::<String>());
    ours.git(["config", "core.bigFileThreshold", "10k"]);
    let new = ours.commit_all("large");
    ours.git(["repack", "-adq"]);
    let folder = ours.common_dir().join("objects/pack");
    let index = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let index = index.into_iter().find(|path| path.extension() == Some("idx")).unwrap();
    for number in 0..8 {
        std::fs::write(folder.join(format!("pack-{number:040}.idx")), "").unwrap();
        // What is left while somebody repacks.
        std::fs::copy(&index, folder.join(format!("pack-{:040}.idx", number + 8))).unwrap();
    }
    let pushed = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    remote.git(["fsck", "--strict"]);
}

#[test]
fn a_ref_that_follows_stays_where_somebody_s_fetch_has_moved_it_further() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    ours.write("ours.md", "x\n");
    let new = ours.commit_all("ours");
    ours.git(["checkout", "-q", "-b", "side", &old]);
    ours.write("side.md", "x\n");
    ours.commit_all("side");
    ours.git(["merge", "-q", "--no-edit", "main"]);
    let further = ours.head();
    // The race, made sure of: before our push is told to have arrived, somebody has pushed on top of it, and fetches.
    for (found, left) in [(&further, &further), (&old, &new), (&ours.rev("side^"), &new)] {
        remote.git(["update-ref", "refs/heads/main", &old]);
        let follow = format!("update-ref refs/remotes/origin/main {found}");
        let fetch = format!("env -i PATH=\"$PATH\" git --git-dir='{}' {follow}", ours.common_dir());
        remote.hook("post-receive", &format!("#!/bin/sh\n{fetch}\n"));
        let pushed = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
        assert_eq!(pushed.answers, [UpdateStatus::Done]);
        assert_eq!(ours.rev("refs/remotes/origin/main"), *left);
    }
}
