//! Tests what is prepared before a push, and what is then pushed, judged by git.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::Mutex,
    thread,
};

use common::{id, name, open, origin};
use remote::{Prepared, Push, Pushed, Unwatched, Update, UpdateStatus};
use store::{
    CommitRange, History, ObjectWalk, PreparedPack, Receiver, RecentObjects, VisitedCommit, WalkedObjects,
};
use testkit::{Repo, World};

fn make(repo: &gix::Repository, known: &str, tip: &str, receiver: Receiver) -> PreparedPack {
    let stretch = CommitRange { known: id(known), tip: id(tip) };
    let gathering = ObjectWalk::of(repo, &History::of(repo), vec![stretch], receiver).unwrap();
    gathering.take_part(repo, &|_| Ok(()));
    gathering.gathered().unwrap().encode(repo).unwrap()
}

/// Whom a pack can be for.
const RECEIVERS: [Receiver; 2] = [Receiver::ObjectDatabase, Receiver::Server];

/// Has the remote of `ours` be such a receiver.
fn set_up(ours: &Repo, receiver: Receiver) {
    if receiver == Receiver::Server {
        ours.git(["config", "remote.origin.receivepack", "git-receive-pack"]);
    }
    assert_eq!(origin(&open(ours)).receiver(), receiver);
}

/// Walks a stretch alone.
fn gather(
    repo: &gix::Repository,
    stretch: CommitRange,
    passing: &dyn Fn(VisitedCommit<'_>) -> gix::Result<()>,
) -> gix::Result<WalkedObjects> {
    let history = History::of(repo);
    let gathering = ObjectWalk::of(repo, &history, vec![stretch], Receiver::ObjectDatabase)?;
    gathering.take_part(repo, passing);
    gathering.gathered()
}

fn push(repo: &gix::Repository, expected: &str, new: &str, ready: Option<&PreparedPack>) -> Pushed {
    let update = Update { name: name("refs/heads/main"), expected: Some(id(expected)), new: Some(id(new)) };
    let push = Push { updates: vec![update], ..Push::default() };
    let made = RecentObjects::default();
    origin(repo).push_with(&push, Prepared { ready, made: &made }, &Unwatched).unwrap()
}

/// Commits that change a page in a folder, over and over: enough for trees of which there are many versions.
fn work(repo: &Repo, commits: u32) -> String {
    for page in 0..40 {
        repo.write(&format!("pages/{page:02}.md"), format!("page {page} of {}\n", repo.path()));
    }
    for commit in 0..commits {
        repo.append("pages/07.md", format!("line {commit}\n"));
        repo.commit_all("one more");
    }
    repo.head()
}

/// A clone with commits of its own at a remote that has moved.
fn diverged(commits: u32) -> (World, Repo, Repo, [String; 3]) {
    let (world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    let known = ours.head();
    theirs.write("theirs.md", "x\n");
    let moved = theirs.commit_all("theirs");
    theirs.push();
    let tip = work(&ours, commits);
    (world, remote, ours, [known, tip, moved])
}

#[test]
fn what_was_made_ready_arrives_whole_together_with_what_was_made_later() {
    for receiver in RECEIVERS {
        let (_world, remote, ours, [known, tip, moved]) = diverged(80);
        set_up(&ours, receiver);
        let before = remote.snapshot();
        let ready = make(&open(&ours), &known, &tip, receiver);
        assert_eq!(remote.snapshot(), before, "{receiver:?}");
        ours.git(["fetch", "-q"]);
        ours.git(["merge", "-q", "--no-edit", "origin/main"]);
        let merged = ours.head();
        // What a push without it sends, counted by git.
        let lacked = ours.git(["rev-list", "--objects", "--count", &merged, &format!("^{moved}")]);

        let pushed = push(&open(&ours), &moved, &merged, Some(&ready));
        assert_eq!(pushed.answers, [UpdateStatus::Done], "{receiver:?}");
        assert_eq!(pushed.objects.to_string(), lacked, "{receiver:?}");
        remote.git(["fsck", "--strict"]);
        assert_eq!(remote.files("main"), ours.files("main"), "{receiver:?}");
    }
}

#[test]
fn what_is_ready_for_one_receiver_does_no_harm_at_another() {
    for [meant, actual] in
        [[Receiver::ObjectDatabase, Receiver::Server], [Receiver::Server, Receiver::ObjectDatabase]]
    {
        let (_world, remote, ours, [known, tip, _]) = diverged(80);
        let ready = make(&open(&ours), &known, &tip, meant);
        set_up(&ours, actual);
        remote.git(["update-ref", "refs/heads/main", &known]);
        let pushed = push(&open(&ours), &known, &tip, Some(&ready));
        assert_eq!(pushed.answers, [UpdateStatus::Done], "{meant:?}, {actual:?}");
        remote.git(["fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn a_server_that_does_not_know_distances_is_sent_names() {
    for meant in RECEIVERS {
        let (_world, remote, ours, [known, tip, _]) = diverged(80);
        let ready = make(&open(&ours), &known, &tip, meant);
        set_up(&ours, Receiver::Server);
        let [with_names, with_distances] = [false, true].map(|knows| {
            remote.git(["config", "repack.useDeltaBaseOffset", &knows.to_string()]);
            [Some(&ready), None].map(|ready| {
                remote.git(["update-ref", "refs/heads/main", &known]);
                let pushed = push(&open(&ours), &known, &tip, ready);
                assert_eq!(pushed.answers, [UpdateStatus::Done], "{meant:?}");
                pushed.bytes
            })
        });
        // What is laid out has distances, and is not used.
        assert_eq!(with_names[0], with_names[1], "{meant:?}");
        assert!(with_distances[1] < with_names[1], "{meant:?}");
        remote.git(["fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn what_the_remote_has_by_now_is_not_sent_once_more() {
    let (_world, remote, ours, [known, tip, moved]) = diverged(8);
    let ready = make(&open(&ours), &known, &tip, Receiver::ObjectDatabase);
    ours.git(["fetch", "-q"]);
    ours.git(["merge", "-q", "--no-edit", "origin/main"]);
    let merged = ours.head();
    ours.git(["push", "-q", "origin", &format!("{merged}:refs/heads/main")]);
    ours.write("later.md", "later\n");
    let later = ours.commit_all("later");

    let pushed = push(&open(&ours), &merged, &later, Some(&ready));
    assert_eq!((pushed.answers, pushed.objects), (vec![UpdateStatus::Done], 3));
    assert_ne!(moved, merged);
    remote.git(["fsck", "--strict"]);
}

#[test]
fn what_was_taken_back_meanwhile_is_sent_to_nobody() {
    let (_world, remote, ours, [known, tip, moved]) = diverged(8);
    let ready = make(&open(&ours), &known, &tip, Receiver::ObjectDatabase);
    ours.git(["fetch", "-q"]);
    ours.git(["reset", "-q", "--hard", "origin/main"]);
    ours.write("instead.md", "instead\n");
    let instead = ours.commit_all("instead");

    let pushed = push(&open(&ours), &moved, &instead, Some(&ready));
    assert_eq!((pushed.answers, pushed.objects), (vec![UpdateStatus::Done], 3));
    assert_ne!(remote.try_git(["cat-file", "-e", &tip]).code, 0, "nobody wanted it to be there");
}

#[test]
fn a_commit_in_passing_tells_of_the_one_file_that_it_replaced_and_of_nothing_else() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    for file in ["a/b/one.md", "a/b/two.md", "a/three.md", "four.md"] {
        ours.write(file, format!("{file}\n"));
    }
    let known = ours.commit_all("files");
    let commit = |what: &str, change: &dyn Fn()| {
        change();
        ours.commit_all(what);
    };
    commit("replaced deep down", &|| ours.append("a/b/one.md", "more\n"));
    commit("replaced at the top", &|| ours.append("four.md", "more\n"));
    commit("two files", &|| {
        ours.append("a/b/one.md", "more\n");
        ours.append("a/three.md", "more\n");
    });
    commit("one replaced, one gone", &|| {
        ours.append("a/b/one.md", "even more\n");
        ours.remove("a/b/two.md");
    });
    commit("one added", &|| ours.write("a/b/five.md", "x\n"));
    commit("one gone", &|| ours.remove("a/b/five.md"));
    commit("another name", &|| ours.rename("four.md", "fivf.md"));
    commit("replaced again", &|| ours.append("a/three.md", "and more\n"));
    let tip = ours.head();

    let repo = open(&ours);
    let told = RefCell::new(BTreeMap::new());
    let stretch = CommitRange { known: id(&known), tip: id(&tip) };
    let passing = |passed: VisitedCommit<'_>| {
        let message = repo.find_commit(passed.commit.id)?.message_raw()?.to_string();
        told.borrow_mut().insert(message.trim_end().to_owned(), (passed.commit.id, passed.replaced));
        Ok(())
    };
    gather(&repo, stretch, &passing).unwrap();
    let told = told.into_inner();
    assert_eq!(told.len(), 8);
    let rev = |revision: String| id(&ours.rev(&revision));
    for (message, (commit, replaced)) in told {
        let file = match message.as_str() {
            "replaced deep down" => Some("a/b/one.md"),
            "replaced at the top" => Some("four.md"),
            "replaced again" => Some("a/three.md"),
            _ => None,
        };
        let expected = file.map(|file| (rev(format!("{commit}^:{file}")), rev(format!("{commit}:{file}"))));
        assert_eq!(replaced.map(|file| (file.old, file.new)), expected, "{message}");
    }
}

#[test]
fn those_who_take_part_find_together_what_one_finds_alone() {
    let (_world, remote, ours, [known, tip, _]) = diverged(100);
    let repo = open(&ours);
    let history = History::of(&repo);
    let stretch = CommitRange { known: id(&known), tip: id(&tip) };
    let gathering = ObjectWalk::of(&repo, &history, vec![stretch], Receiver::ObjectDatabase).unwrap();
    let shown = Mutex::new(Vec::new());
    let shared = repo.clone().into_sync();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                gathering.take_part(&shared.to_thread_local(), &|passed| {
                    shown.lock().unwrap().push(passed.commit.id.to_string());
                    Ok(())
                });
            });
        }
    });
    let mut shown = shown.into_inner().unwrap();
    shown.sort_unstable();
    let commits = ours.git(["rev-list", &tip, &format!("^{known}")]);
    let mut commits: Vec<_> = commits.lines().map(str::to_owned).collect();
    commits.sort_unstable();
    assert_eq!(shown, commits, "each commit is shown once");
    let ready = gathering.gathered().unwrap().encode(&repo).unwrap();
    remote.git(["update-ref", "refs/heads/main", &known]);
    let pushed = push(&repo, &known, &tip, Some(&ready));
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    let lacked = ours.git(["rev-list", "--objects", "--count", &tip, &format!("^{known}")]);
    assert_eq!(pushed.objects.to_string(), lacked);
    remote.git(["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn nobody_waits_for_one_who_has_died() {
    let (_world, _remote, ours, [known, tip, _]) = diverged(40);
    let repo = open(&ours);
    let history = History::of(&repo);
    let stretch = CommitRange { known: id(&known), tip: id(&tip) };
    let gathering = ObjectWalk::of(&repo, &history, vec![stretch], Receiver::ObjectDatabase).unwrap();
    let shared = repo.clone().into_sync();
    let died = thread::scope(|scope| {
        let other = scope.spawn(|| {
            gathering.take_part(&shared.to_thread_local(), &|_| panic!("this one dies on purpose"));
        });
        other.join()
    });
    assert!(died.is_err());
    gathering.take_part(&repo, &|_| Ok(()));
    assert!(gathering.gathered().is_err());
}

#[test]
fn whoever_is_shown_a_commit_can_stop_it_all() {
    let (_world, _remote, ours, [known, tip, _]) = diverged(8);
    let repo = open(&ours);
    let shown = Cell::new(0);
    let stretch = CommitRange { known: id(&known), tip: id(&tip) };
    let stopped = gather(&repo, stretch, &|_| {
        shown.set(shown.get() + 1);
        if shown.get() == 5 { Err(gix::Error::from_error(std::io::Error::other("enough"))) } else { Ok(()) }
    });
    assert!(stopped.is_err());
    assert_eq!(shown.get(), 5);
}

#[test]
fn what_is_too_much_to_be_held_in_memory_is_left_to_the_push() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    let known = ours.head();
    let files: String = (0..5001)
        .map(|file| format!("M 100644 inline {file}/file\ndata {}\n{file}\n", file.to_string().len()))
        .collect();
    let head = "commit refs/heads/many\ncommitter M <m@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n";
    ours.program("git").args(["fast-import", "--quiet"]).stdin(format!("{head}{files}")).success();
    let repo = open(&ours);
    let stretch = CommitRange { known: id(&known), tip: id(&ours.rev("refs/heads/many")) };
    assert!(gather(&repo, stretch, &|_| Ok(())).is_err());
}

#[test]
fn what_was_just_made_is_pushed_from_memory_and_nothing_else_of_it() {
    let (_world, remote, ours, [known, tip, _]) = diverged(3);
    let mut repo = open(&ours).with_object_memory();
    let file = repo.write_blob("made in memory\n").unwrap().detach();
    let stray = repo.write_blob("not a part of any commit\n").unwrap().detach();
    let head = repo.find_commit(id(&tip)).unwrap().tree_id().unwrap();
    let mut editor = repo.edit_tree(head).unwrap();
    editor.upsert("made.md", gix::objs::tree::EntryKind::Blob, file).unwrap();
    let tree = editor.write().unwrap().detach();
    let new = repo.new_commit("made", tree, [id(&tip)]).unwrap().id;
    let objects = repo.objects.take_object_memory().unwrap();
    let (made, held) = store::add_objects(&open(&ours), objects).unwrap();
    drop(held);

    // It is read from memory: the file itself is gone.
    let hex = file.to_string();
    std::fs::remove_file(ours.path().join(format!(".git/objects/{}/{}", &hex[..2], &hex[2..]))).unwrap();
    remote.git(["update-ref", "refs/heads/main", &known]);
    let update = Update { name: name("refs/heads/main"), expected: Some(id(&known)), new: Some(new) };
    let push = Push { updates: vec![update], ..Push::default() };
    let repo = open(&ours);
    let pushed = origin(&repo).push_with(&push, Prepared { ready: None, made: &made }, &Unwatched).unwrap();
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    remote.git(["fsck", "--strict"]);
    assert_eq!(remote.git(["cat-file", "blob", "main:made.md"]), "made in memory");
    remote.try_git(["cat-file", "-e", &stray.to_string()]).assert_code(1);
}
