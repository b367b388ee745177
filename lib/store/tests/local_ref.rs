//! Tests writing local refs: what git finds there, whichever locks others hold, and whatever a dead process left.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use common::{id, name, open};
use gix::refs::FullName;
use store::local_ref::{
    self, RefError, RefStore, RefUpdate, UpdateOutcome,
    claim::{self, LockFiles},
};
use testkit::{Repo, World};

/// A repository with two commits, `HEAD~1` and `HEAD`, that are tagged `one` and `two`.
fn scene(world: &World) -> Repo {
    let repo = world.init("repo");
    for text in ["one", "two"] {
        repo.write("file", text);
        repo.commit_all(text);
        repo.git(["tag", text]);
    }
    repo
}

fn edit<'a>(repo: &Repo, name: &'a FullName, expected: Option<&str>, new: &str) -> RefUpdate<'a> {
    let [expected, new] = [expected, Some(new)].map(|rev| rev.map(|rev| id(&repo.rev(rev))));
    RefUpdate { name: name.as_ref(), expected, new: new.unwrap(), reason: "as it  is\nsaid " }
}

fn write(repo: &Repo, ref_name: &str, expected: Option<&str>, new: &str) -> Result<UpdateOutcome, RefError> {
    let name = name(ref_name);
    local_ref::write(&open(repo), edit(repo, &name, expected, new))
}

/// No lock is left anywhere.
fn assert_no_locks(repo: &Repo) {
    let found = repo.program("find").arg(repo.common_dir()).args(["-name", "*.lock"]).success().stdout;
    assert_eq!(found, "");
    let folders = fs::read_dir(repo.common_dir().join("lockstep-locks"));
    assert_eq!(folders.map_or(0, Iterator::count), 0, "a folder of locks is left");
}

/// What a process leaves that is killed while it holds the lock of `file`.
fn killed_with(repo: &Repo, file: &str) {
    let own = repo.common_dir().join("lockstep-locks/0123456789abcdef").join(file);
    fs::create_dir_all(own.parent().unwrap()).unwrap();
    fs::write(&own, "half a li").unwrap();
    fs::write(repo.common_dir().join("lockstep-locks/0123456789abcdef/alive"), "").unwrap();
    let lock = repo.common_dir().join(format!("{file}.lock"));
    fs::create_dir_all(lock.parent().unwrap()).unwrap();
    fs::hard_link(&own, lock).unwrap();
}

#[test]
fn a_ref_moves_from_the_value_that_is_expected_and_from_no_other() {
    let world = World::new();
    let repo = scene(&world);
    let topic = "refs/heads/topic";
    assert_eq!(write(&repo, topic, Some("HEAD"), "HEAD").unwrap(), UpdateOutcome::Stale, "it is not there");
    assert_eq!(write(&repo, topic, None, "HEAD~1").unwrap(), UpdateOutcome::Updated);
    assert_eq!(write(&repo, topic, None, "HEAD").unwrap(), UpdateOutcome::Stale, "it is there");
    assert_eq!(write(&repo, topic, Some("HEAD~1"), "HEAD").unwrap(), UpdateOutcome::Updated);
    assert_eq!(repo.rev(topic), repo.head());
    repo.git(["pack-refs", "--all"]);
    assert_eq!(write(&repo, topic, Some("HEAD~1"), "HEAD~1").unwrap(), UpdateOutcome::Stale, "it is packed");
    assert_eq!(write(&repo, topic, Some("HEAD"), "HEAD~1").unwrap(), UpdateOutcome::Updated);
    assert_eq!(repo.rev(topic), repo.rev("HEAD~1"));
    assert_eq!(
        repo.git(["reflog", "--format=%gs", topic]),
        "as it is said\nas it is said\nas it is said",
        "one line each"
    );
    repo.git(["symbolic-ref", "refs/heads/other", topic]);
    assert_eq!(write(&repo, "refs/heads/other", Some("HEAD~1"), "HEAD").unwrap(), UpdateOutcome::Stale);
    assert_no_locks(&repo);
    repo.assert_sound();
}

#[test]
fn reflogs_begin_where_git_would_begin_them() {
    for setting in ["false", "true", "always"] {
        let world = World::new();
        let repo = scene(&world);
        repo.git(["config", "core.logAllRefUpdates", setting]);
        for folder in ["heads", "remotes/origin", "notes", "lockstep", "tags"] {
            repo.git(["update-ref", "-m", "x", &format!("refs/{folder}/twin"), "HEAD"]);
            assert_eq!(
                write(&repo, &format!("refs/{folder}/ours"), None, "HEAD").unwrap(),
                UpdateOutcome::Updated
            );
            let has = |name: &str| repo.common_dir().join(format!("logs/refs/{folder}/{name}")).exists();
            assert_eq!(has("ours"), has("twin"), "{folder} with core.logAllRefUpdates={setting}");
        }
    }
}

#[test]
fn names_in_the_way_are_found_loose_and_packed() {
    for packed in [false, true] {
        let world = World::new();
        let repo = scene(&world);
        repo.git(["update-ref", "refs/heads/a/b", "HEAD"]);
        if packed {
            repo.git(["pack-refs", "--all", "--prune"]);
        }
        for (taken, by) in [("refs/heads/a", "refs/heads/a/b"), ("refs/heads/a/b/c", "refs/heads/a/b")] {
            let failed = write(&repo, taken, None, "HEAD").unwrap_err();
            assert!(
                matches!(&failed, RefError::NameTaken { by: found, .. } if found.as_bstr() == by),
                "{failed}"
            );
            assert_eq!(repo.try_git(["update-ref", taken, "HEAD"]).code, 128, "git agrees");
        }
        assert_no_locks(&repo);
    }
}

#[test]
fn folders_that_refs_left_behind_are_in_nobodys_way() {
    let world = World::new();
    let repo = scene(&world);
    fs::create_dir_all(repo.common_dir().join("refs/heads/a/b/c")).unwrap();
    fs::create_dir_all(repo.common_dir().join("logs/refs/heads/a/b")).unwrap();
    assert_eq!(write(&repo, "refs/heads/a", None, "HEAD").unwrap(), UpdateOutcome::Updated);
    assert_eq!(repo.git(["reflog", "--format=%gs", "refs/heads/a"]), "as it is said");
}

#[test]
fn a_lock_of_somebody_elses_is_named_and_left_alone() {
    let world = World::new();
    let repo = scene(&world);
    let lock = repo.common_dir().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    repo.git(["config", "core.filesRefLockTimeout", "20"]);
    let failed = write(&repo, "refs/heads/main", Some("HEAD"), "HEAD~1").unwrap_err();
    assert!(failed.to_string().contains("main.lock"), "{failed}");
    assert!(failed.help().unwrap().contains("rm '"));
    assert!(lock.exists());
}

#[test]
fn what_a_dead_process_left_is_cleared_and_what_a_living_one_holds_is_not() {
    let world = World::new();
    let repo = scene(&world);
    killed_with(&repo, "refs/heads/main");
    killed_with(&repo, "packed-refs");
    assert_eq!(write(&repo, "refs/heads/main", Some("HEAD"), "HEAD~1").unwrap(), UpdateOutcome::Updated);
    assert_no_locks(&repo);

    repo.git(["config", "core.filesRefLockTimeout", "20"]);
    killed_with(&repo, "refs/heads/main");
    let alive = repo.common_dir().join("lockstep-locks/0123456789abcdef/alive");
    let alive = fs::OpenOptions::new().write(true).open(alive).unwrap();
    alive.lock().unwrap();
    let failed = write(&repo, "refs/heads/main", Some("one"), "two").unwrap_err();
    assert!(matches!(failed, RefError::Held(_)), "{failed}");
    drop(alive);
    claim::sweep(repo.common_dir().as_std_path());
    assert_no_locks(&repo);
}

#[test]
fn what_a_process_of_another_machine_holds_is_not_cleared() {
    let world = World::new();
    let repo = scene(&world);
    repo.git(["config", "core.filesRefLockTimeout", "20"]);
    killed_with(&repo, "refs/heads/main");
    // Kernels do not tell each other of such locks on every file system: it may be alive.
    let alive = repo.common_dir().join("lockstep-locks/0123456789abcdef/alive");
    fs::write(alive, "another-boot\nanother-machine\n").unwrap();
    claim::sweep(repo.common_dir().as_std_path());
    let failed = write(&repo, "refs/heads/main", Some("HEAD"), "HEAD~1").unwrap_err();
    assert!(matches!(failed, RefError::Held(_)), "{failed}");
    assert!(repo.common_dir().join("refs/heads/main.lock").exists());
}

#[test]
fn a_process_killed_right_after_the_rename_has_written_the_ref_for_good() {
    let world = World::new();
    let repo = scene(&world);
    killed_with(&repo, "refs/heads/topic");
    let lock = repo.common_dir().join("refs/heads/topic.lock");
    fs::write(&lock, format!("{}\n", repo.head())).unwrap();
    fs::rename(&lock, repo.common_dir().join("refs/heads/topic")).unwrap();
    assert_eq!(write(&repo, "refs/heads/other", None, "HEAD").unwrap(), UpdateOutcome::Updated);
    assert_eq!(repo.rev("refs/heads/topic"), repo.head());
    assert_no_locks(&repo);
}

#[test]
fn deleted_refs_are_gone_from_everywhere() {
    let world = World::new();
    let repo = scene(&world);
    repo.git(["tag", "-a", "-m", "annotated", "zz"]);
    for topic in ["a/b", "a/c", "d", "stays"] {
        repo.git(["update-ref", "--create-reflog", &format!("refs/heads/{topic}"), "HEAD~1"]);
    }
    repo.git(["pack-refs", "--all"]);
    repo.git(["update-ref", "refs/heads/a/c", "HEAD"]);
    let before = repo.git(["for-each-ref"]);
    let opened = open(&repo);
    let old = id(&repo.rev("HEAD~1"));
    let all = [("refs/heads/a/b", old), ("refs/heads/a/c", id(&repo.head())), ("refs/heads/d", old)];
    let all = all.map(|(ref_name, old)| (name(ref_name), old));
    let stale = [(name("refs/heads/stays"), id(&repo.head()))];
    assert_eq!(RefStore::new(&opened).delete(&stale).unwrap(), [UpdateOutcome::Stale]);
    assert_eq!(RefStore::new(&opened).delete(&all).unwrap(), [UpdateOutcome::Updated; 3]);
    let kept: Vec<_> = before.lines().filter(|line| !line.contains("/a/") && !line.ends_with("/d")).collect();
    assert_eq!(repo.git(["for-each-ref"]), kept.join("\n"));
    assert!(opened.try_find_reference("refs/heads/d").unwrap().is_none(), "gix sees it too");
    assert!(!repo.common_dir().join("logs/refs/heads/a").exists());
    assert!(!repo.common_dir().join("refs/heads/a").exists());
    assert_eq!(write(&repo, "refs/heads/a", None, "HEAD").unwrap(), UpdateOutcome::Updated);
    repo.assert_sound();
    assert_no_locks(&repo);
}

#[test]
fn a_packed_refs_that_somebody_holds_keeps_refs_from_being_deleted_and_not_from_being_written() {
    let world = World::new();
    let repo = scene(&world);
    repo.git(["branch", "topic"]);
    repo.git(["pack-refs", "--all"]);
    repo.git(["config", "core.packedRefsTimeout", "20"]);
    fs::write(repo.common_dir().join("packed-refs.lock"), "").unwrap();
    assert_eq!(write(&repo, "refs/heads/topic", Some("HEAD"), "HEAD~1").unwrap(), UpdateOutcome::Updated);
    let topic = [(name("refs/heads/topic"), id(&repo.rev("HEAD~1")))];
    let log = repo.git(["reflog", "refs/heads/topic"]);
    let failed = RefStore::new(&open(&repo)).delete(&topic).unwrap_err();
    assert!(failed.to_string().contains("packed-refs.lock"), "{failed}");
    assert_eq!(repo.rev("refs/heads/topic"), repo.rev("HEAD~1"));
    assert_eq!(repo.git(["reflog", "refs/heads/topic"]), log);

    repo.git(["update-ref", "refs/heads/loose", "HEAD"]);
    let loose = [(name("refs/heads/loose"), id(&repo.head()))];
    let failed = RefStore::new(&open(&repo)).delete(&loose).unwrap_err();
    assert!(failed.to_string().contains("packed-refs.lock"), "{failed}");
    assert_ne!(repo.try_git(["update-ref", "-d", "refs/heads/loose"]).code, 0, "git agrees");
}

#[test]
fn refs_that_git_packs_while_they_are_deleted_do_not_come_back() {
    let world = World::new();
    let repo = scene(&world);
    // Each waits for the other, however slow the machine.
    repo.git(["config", "core.packedRefsTimeout", "60000"]);
    let head = id(&repo.head());
    let names: Vec<_> = (0..200).map(|number| format!("refs/heads/topic-{number}")).collect();
    let create: String = names.iter().map(|name| format!("create {name} {head}\n")).collect();
    let topics: Vec<_> = names.iter().map(|topic| (name(topic), head)).collect();
    for _ in 0..3 {
        repo.program("git").args(["update-ref", "--stdin"]).stdin(&create).success();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    repo.git(["pack-refs", "--all", "--no-prune"]);
                }
            });
            let deleted = RefStore::new(&open(&repo)).delete(&topics);
            done.store(true, Ordering::Relaxed);
            assert!(deleted.unwrap().iter().all(|written| *written == UpdateOutcome::Updated));
        });
        let back = repo.git(["for-each-ref", "refs/heads/topic-*"]);
        assert_eq!(back.lines().count(), 0, "{:?}", back.lines().next());
    }
    assert_no_locks(&repo);
}

#[test]
fn refs_of_a_linked_work_tree_are_its_own() {
    let world = World::new();
    let repo = scene(&world);
    let linked = repo.linked_work_tree("linked");
    assert_eq!(write(&linked, "refs/worktree/x", None, "HEAD").unwrap(), UpdateOutcome::Updated);
    assert_eq!(linked.rev("refs/worktree/x"), linked.head());
    assert_eq!(repo.try_rev("refs/worktree/x"), None);
    assert_eq!(write(&linked, "refs/notes/x", None, "HEAD").unwrap(), UpdateOutcome::Updated);
    assert_eq!(repo.rev("refs/notes/x"), linked.head());
}

#[test]
fn of_many_writers_at_once_each_moves_the_ref_from_what_it_saw() {
    let world = World::new();
    let repo = scene(&world);
    let mut commits = Vec::new();
    for number in 0..24 {
        commits.push(id(&repo.git(["commit-tree", "-m", &number.to_string(), "HEAD^{tree}"])));
    }
    let counter = name("refs/lockstep/counter");
    let moved: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = commits
            .chunks(6)
            .map(|mine| {
                let (path, counter) = (repo.clone(), &counter);
                scope.spawn(move || {
                    let repo = open(&path);
                    let mut moves = 0;
                    for new in mine {
                        loop {
                            let expected = match local_ref::read(&repo, counter.as_ref()).unwrap() {
                                local_ref::Value::Object(id) => Some(id),
                                _ => None,
                            };
                            let edit = RefUpdate { name: counter.as_ref(), expected, new: *new, reason: "" };
                            match local_ref::write(&repo, edit) {
                                Ok(UpdateOutcome::Updated) => break moves += 1,
                                Ok(UpdateOutcome::Stale) | Err(RefError::Held(_)) => {}
                                Err(failed) => panic!("{failed:?}"),
                            }
                        }
                    }
                    moves
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(moved, 24);
    assert_no_locks(&repo);
}

#[test]
fn a_shared_repository_stays_writable_for_its_group() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let repo = scene(&world);
    repo.git(["config", "core.sharedRepository", "group"]);
    assert_eq!(write(&repo, "refs/heads/new/topic", None, "HEAD").unwrap(), UpdateOutcome::Updated);
    for path in ["refs/heads/new", "refs/heads/new/topic", "logs/refs/heads/new/topic", "lockstep-locks"] {
        let mode = fs::metadata(repo.common_dir().join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o060, 0o060, "{path}: {mode:o}");
    }
}

/// Removes the folders below `folder` in which there is nothing, as others do who take them for a dead process's.
fn remove_empty_folders_below(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        remove_empty_folders_below(&entry.path());
        let _ = fs::remove_dir(entry.path());
    }
}

#[test]
fn a_ref_is_locked_while_others_remove_the_folders_that_this_takes() {
    let world = World::new();
    let repo = gix::open(world.init("ours").path()).unwrap();
    let locks = repo.git_dir().join("lockstep-locks");
    for _ in 0..300 {
        let claims = LockFiles::begin(&repo, repo.git_dir()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| (0..8).for_each(|_| remove_empty_folders_below(&locks)));
            claims.take(&repo, Path::new("refs/notes/a/b/c/d/e"), Duration::ZERO).unwrap();
        });
    }
}
