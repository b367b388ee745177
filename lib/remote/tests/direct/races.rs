//! Tests concurrent writers to the remote, and what they have left there.

use std::fs;

use remote::{Atomicity, Change, Fetch, Push, Step, Unwatched, UpdateStatus, Watcher};
use testkit::{Repo, World};

use crate::{
    common::{Servers, id, open, origin},
    story::{NONE, commit, push, push_seen, talk, update, world},
};

/// Lets something happen once the remote has been looked at, and before it is changed.
struct Meanwhile<F>(F, Servers);

impl<F: Fn() + Sync> Watcher for Meanwhile<F> {
    fn progress(&self, step: Step) {
        self.1.progress(step);
    }

    fn may_change(&self, change: Change<'_>) -> anyhow::Result<()> {
        if matches!(change, Change::RemoteRefs) {
            self.0();
        }
        Ok(())
    }
}

/// Pushes `new` to `main` while something else happens there.
fn push_while(ours: &Repo, old: &str, new: &str, happens: impl Fn() + Sync) -> (Vec<UpdateStatus>, usize) {
    let watcher = Meanwhile(happens, Servers::default());
    let updates = vec![update("refs/heads/main", Some(old), Some(new))];
    let pushed =
        origin(&open(ours)).push(&Push { updates, together: Atomicity::Independent }, &watcher).unwrap();
    (pushed.answers, watcher.1.started())
}

#[test]
fn a_branch_that_moves_after_it_was_looked_at_is_not_overwritten() {
    let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    let old = ours.head();
    let moved = commit(&theirs, "theirs");
    let new = commit(&ours, "ours");
    let theirs_push = || theirs.push();
    let (answers, servers) = push_while(&ours, &old, &new, theirs_push);
    assert_eq!((answers, servers), (vec![UpdateStatus::Stale { actual: Some(id(&moved)) }], 0));
    assert_eq!(remote.rev("main"), moved);
    assert_eq!(ours.rev("refs/remotes/origin/main"), old, "what was not pushed is not followed");

    // Packed meanwhile, and moved without a file of its own.
    let repack = || {
        remote.git(["update-ref", "refs/heads/main", &old]);
        remote.git(["pack-refs", "--all"]);
    };
    let (answers, servers) = push_while(&ours, &moved, &new, repack);
    assert_eq!((answers, servers), (vec![UpdateStatus::Stale { actual: Some(id(&old)) }], 0));
    remote.assert_sound();
}

#[test]
fn a_branch_that_goes_or_comes_after_it_was_looked_at_is_stale_as_well() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    let new = commit(&ours, "ours");
    let gone = || drop(remote.git(["update-ref", "-d", "refs/heads/main"]));
    let (answers, servers) = push_while(&ours, &old, &new, gone);
    assert_eq!((answers, servers), (vec![UpdateStatus::Stale { actual: None }], 0));
    assert_eq!(remote.try_rev("main"), None);

    let watcher = Meanwhile(|| drop(remote.git(["update-ref", "refs/heads/main", &old])), Servers::default());
    let what = Push { updates: vec![update("refs/heads/main", None, Some(&new))], ..Push::default() };
    let pushed = origin(&open(&ours)).push(&what, &watcher).unwrap();
    assert_eq!(
        (pushed.answers, watcher.1.started()),
        (vec![UpdateStatus::Stale { actual: Some(id(&old)) }], 0)
    );
    assert_eq!(remote.rev("main"), old);

    // Somebody else brings it to where it is to be.
    let there = || {
        ours.git(["push", "-q", "origin", "main:refs/heads/by-hand"]);
        remote.git(["update-ref", "refs/heads/main", &new]);
    };
    assert_eq!(push_while(&ours, &old, &new, there).0, [UpdateStatus::Done]);
    assert_eq!(remote.rev("main"), new);
    remote.assert_sound();
}

#[test]
fn one_of_several_that_moved_does_not_keep_the_others_back() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    let new = commit(&ours, "ours");
    let watcher = Meanwhile(|| drop(remote.git(["branch", "two", &old])), Servers::default());
    let names = ["refs/heads/one", "refs/heads/two", "refs/heads/three"];
    let what = Push { updates: names.map(|name| update(name, None, Some(&new))).to_vec(), ..Push::default() };
    let pushed = origin(&open(&ours)).push(&what, &watcher).unwrap();
    assert_eq!(
        pushed.answers,
        [UpdateStatus::Done, UpdateStatus::Stale { actual: Some(id(&old)) }, UpdateStatus::Done]
    );
    assert_eq!(names.map(|name| remote.rev(name)), [new.clone(), old.clone(), new]);
    assert_eq!(watcher.1.started(), 0);
}

#[test]
fn many_who_push_at_once_all_get_through() {
    const PUSHES: usize = 8;
    let (_world, remote, clones) = World::with_clones(["one", "two", "three"]);
    std::thread::scope(|scope| {
        for (who, clone) in clones.iter().enumerate() {
            scope.spawn(move || {
                for nth in 0..PUSHES {
                    loop {
                        let repo = open(clone);
                        origin(&repo).fetch(&Fetch::configured(), &Unwatched).unwrap();
                        let base = clone.rev("refs/remotes/origin/main");
                        let message = format!("{nth} of {who}");
                        let new = clone.git([
                            "commit-tree",
                            "-p",
                            &base,
                            "-m",
                            &message,
                            &format!("{base}^{{tree}}"),
                        ]);
                        let (pushed, servers) =
                            push(clone, vec![update("refs/heads/main", Some(&base), Some(&new))]);
                        assert!(pushed.all_done() || pushed.lost_a_race() || servers > 0, "{pushed:?}");
                        if pushed.all_done() {
                            break;
                        }
                    }
                }
            });
        }
    });
    let log = remote.log("main");
    assert_eq!(log.len(), 1 + PUSHES * clones.len());
    for who in 0..clones.len() {
        let in_order: Vec<_> = log.iter().rev().filter(|line| line.ends_with(&format!("of {who}"))).collect();
        assert!(
            in_order.iter().enumerate().all(|(nth, line)| line.starts_with(&format!("{nth} "))),
            "{in_order:?}"
        );
    }
    remote.assert_sound();
    let left =
        remote.program("find").args([".", "-name", "*.lock", "-o", "-name", "tmp_*", "-o", "-name", ".tmp*"]);
    assert_eq!(left.success().stdout, "");
}

#[test]
fn a_name_that_is_in_the_way_keeps_only_what_it_is_in_the_way_of() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    let new = commit(&ours, "new");
    remote.git(["branch", "a", &old]);
    remote.git(["branch", "packed", &old]);
    remote.git(["pack-refs", "--all"]);
    remote.git(["branch", "b/c/d", &old]);
    for taken in ["refs/heads/a/b", "refs/heads/packed/b", "refs/heads/b", "refs/heads/b/c"] {
        let (pushed, _) = push(&ours, vec![update(taken, None, Some(&new))]);
        assert!(
            matches!(&pushed.answers[..], [UpdateStatus::Rejected { .. }]),
            "{taken}: {:?}",
            pushed.answers
        );
        let free = format!("refs/heads/free-{}", taken.replace('/', "-"));
        let updates = vec![update(taken, None, Some(&new)), update(&free, None, Some(&new))];
        let (pushed, _) = push(&ours, updates);
        assert!(
            matches!(&pushed.answers[..], [UpdateStatus::Rejected { .. }, UpdateStatus::Done]),
            "{taken}: {pushed:?}"
        );
        assert_eq!(remote.rev(&free), new);
        assert_eq!(remote.try_rev(taken), None);
    }
    // Both are new.
    let updates = vec![update("refs/heads/x", None, Some(&new)), update("refs/heads/x/y", None, Some(&new))];
    let (pushed, _) = push(&ours, updates);
    let done = pushed.answers.iter().filter(|answer| **answer == UpdateStatus::Done).count();
    assert_eq!(done, 1, "{:?}", pushed.answers);
    assert_eq!(
        usize::from(remote.try_rev("refs/heads/x").is_some())
            + usize::from(remote.try_rev("refs/heads/x/y").is_some()),
        1
    );
    assert_eq!(["a", "packed", "b/c/d"].map(|name| remote.rev(name)), [(); 3].map(|()| old.clone()));
    remote.assert_sound();
}

#[test]
fn where_a_folder_of_branches_was_a_branch_can_be() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let new = commit(&ours, "new");
    fs::create_dir_all(remote.join("refs/heads/was/a/folder")).unwrap();
    let (pushed, servers) = push(&ours, vec![update("refs/heads/was", None, Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0));
    assert_eq!(remote.rev("refs/heads/was"), new);
}

#[test]
fn a_branch_that_another_program_has_locked_is_left_alone() {
    let (_world, remote, ours) = world();
    let main = remote.rev("main");
    let lock = remote.join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    // It can be looked at.
    assert_eq!(talk(&ours, &remote), NONE);
    let new = commit(&ours, "new");
    let seen = Servers::default();
    let pushed = push_seen(&ours, vec![update("refs/heads/main", Some(&main), Some(&new))], &seen).unwrap();
    assert!(
        matches!(&pushed.answers[..], [UpdateStatus::Rejected { words }] if words.contains("failed to update ref"))
    );
    assert!(seen.started() > 0, "a server says so");
    assert_eq!((remote.rev("main"), fs::read(&lock).unwrap()), (main.clone(), Vec::new()));
    fs::remove_file(&lock).unwrap();
    let (pushed, servers) = push(&ours, vec![update("refs/heads/main", Some(&main), Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0));
    remote.assert_sound();
}

/// What a process leaves at the remote that is killed while it moves `main`.
fn killed(remote: &Repo) {
    let folder = remote.join("lockstep-locks/0123456789abcdef");
    let own = folder.join("refs/heads/main");
    fs::create_dir_all(own.parent().unwrap()).unwrap();
    fs::write(&own, "half a li").unwrap();
    fs::write(folder.join("alive"), "").unwrap();
    fs::hard_link(&own, remote.join("refs/heads/main.lock")).unwrap();
}

#[test]
fn what_a_killed_pusher_left_is_in_nobodys_way() {
    let (_world, remote, ours) = world();
    let main = remote.rev("main");
    killed(&remote);
    let topic = commit(&ours, "topic");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/topic", None, Some(&topic))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0));
    // Whichever branch it was that the next one pushed, git can write all of them.
    remote.git(["update-ref", "refs/heads/main", &main]);

    killed(&remote);
    // What a server is asked to do it finds in order, too.
    remote.hook("post-receive", "#!/bin/sh\n");
    let new = commit(&ours, "new");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/main", Some(&main), Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 1));
    remote.assert_sound();
}

/// Repacks a repository just before something in it gets a ref.
struct Repacking<'a>(&'a Repo);

impl Watcher for Repacking<'_> {
    fn progress(&self, step: Step) {
        if matches!(step, Step::Awaiting) {
            self.0.git(["repack", "-a", "-d", "-q"]);
        }
    }

    fn may_change(&self, change: Change<'_>) -> anyhow::Result<()> {
        if matches!(change, Change::LocalRef(_)) {
            self.0.git(["repack", "-a", "-d", "-q"]);
        }
        Ok(())
    }
}

#[test]
fn what_has_just_arrived_is_not_repacked_away() {
    let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    // As many as become a pack on the other side.
    for number in 0..40 {
        commit(&theirs, &format!("theirs {number}"));
    }
    let old = remote.rev("main");
    let new = theirs.head();
    let updates = vec![update("refs/heads/main", Some(&old), Some(&new))];
    let push = Push { updates, together: Atomicity::Independent };
    let pushed = origin(&open(&theirs)).push(&push, &Repacking(&remote)).unwrap();
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    remote.assert_sound();

    origin(&open(&ours)).fetch(&Fetch::configured(), &Repacking(&ours)).unwrap();
    assert_eq!(ours.rev("refs/remotes/origin/main"), new);
    ours.assert_sound();
}
