//! Tests that the results of an early scan are used only if they still hold.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]
#![cfg(unix)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scan::{Ahead, Everything, Status};
use testkit::{Repo, World};

/// A repository whose files are older than its index, and that old enough for any change to it to show.
fn settled(world: &World) -> Repo {
    let repo = world.init("mike");
    for number in 0..5 {
        repo.write(&format!("d/{number}.md"), "1\n");
    }
    // So that they are not too young to be believed, and then the index neither.
    std::thread::sleep(Duration::from_millis(1100));
    repo.commit_all("the beginning");
    std::thread::sleep(Duration::from_millis(300));
    repo
}

fn open(repo: &Repo) -> gix::Repository {
    gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap()
}

/// What a scan has seen that was begun now and is asked for after `meanwhile`; `None` where it does not hold.
fn seen_before(repo: &Repo, meanwhile: impl FnOnce()) -> Option<Vec<String>> {
    let gix = open(repo);
    let ahead = Ahead::begin(&gix, Everything, || true).unwrap();
    // Long enough for these few files to be looked at before anything happens to them.
    std::thread::sleep(Duration::from_millis(500));
    meanwhile();
    let (index, scanned) = ahead.end(&gix)?;
    assert_eq!(index.len(), 5);
    Some(scanned.differences.iter().map(|one| one.path.to_string()).collect())
}

#[test]
fn what_is_still_so_is_taken() {
    let world = World::new();
    let repo = settled(&world);
    assert_eq!(seen_before(&repo, || ()).unwrap(), [""; 0]);
    repo.write("d/1.md", "another\n");
    repo.write("new.md", "new\n");
    repo.remove("d/2.md");
    assert_eq!(seen_before(&repo, || ()).unwrap(), ["d/1.md", "d/2.md", "new.md"]);
}

#[test]
fn what_is_not_so_any_more_is_not_taken() {
    let world = World::new();
    let repo = settled(&world);
    repo.write("d/1.md", "another\n");
    assert!(seen_before(&repo, || repo.write("d/1.md", "yet another\n")).is_none(), "changed once more");
    repo.remove("d/2.md");
    assert!(seen_before(&repo, || repo.write("d/2.md", "1\n")).is_none(), "gone, and here again");
    repo.write("new.md", "new\n");
    assert!(seen_before(&repo, || repo.remove("new.md")).is_none(), "new, and gone again");
}

#[test]
fn nothing_is_taken_that_was_held_against_another_index() {
    let world = World::new();
    let repo = settled(&world);
    repo.write("d/1.md", "another\n");
    assert!(seen_before(&repo, || drop(repo.git(["add", "d/1.md"]))).is_none());
}

#[test]
fn nothing_is_taken_that_is_old() {
    let world = World::new();
    let repo = settled(&world);
    assert!(seen_before(&repo, || std::thread::sleep(Duration::from_secs(2))).is_none());
}

#[test]
fn where_a_change_of_the_index_might_not_show_nobody_looks_ahead() {
    let world = World::new();
    let repo = settled(&world);
    repo.write("d/1.md", "another\n");
    repo.git(["add", "d/1.md"]);
    let gix = open(&repo);
    assert!(Ahead::begin(&gix, Everything, || true).unwrap().end(&gix).is_none());
}

#[test]
fn what_somebody_did_before_the_scan_might_begin_is_seen() {
    let world = World::new();
    let repo = settled(&world);
    let gix = open(&repo);
    let turn = Arc::new(AtomicBool::new(false));
    let its_turn = turn.clone();
    let ahead = Ahead::begin(&gix, Everything, move || its_turn.load(Ordering::SeqCst)).unwrap();
    repo.write("d/1.md", "another\n");
    repo.write("new.md", "new\n");
    turn.store(true, Ordering::SeqCst);
    // Long enough for the question to be asked once more.
    std::thread::sleep(Duration::from_millis(500));
    let (_, scanned) = ahead.end(&gix).unwrap();
    let paths: Vec<_> = scanned.differences.iter().map(|one| one.path.to_string()).collect();
    assert_eq!(paths, ["d/1.md", "new.md"]);
}

#[test]
fn nobody_waits_for_a_turn_that_does_not_come() {
    let world = World::new();
    let repo = settled(&world);
    let gix = open(&repo);
    assert!(Ahead::begin(&gix, Everything, || false).unwrap().end(&gix).is_none());
}

#[test]
fn a_repository_without_a_work_tree_is_not_looked_at() {
    let world = World::new();
    let repo = settled(&world);
    repo.git(["config", "core.bare", "true"]);
    assert!(Ahead::begin(&open(&repo), Everything, || true).is_none());
}

#[test]
fn a_nested_repository_is_looked_at_again() {
    let world = World::new();
    let repo = settled(&world);
    repo.git(["init", "--quiet", "nested"]);
    let gix = open(&repo);
    let index = scan::Index::read(&gix, &gix.index_path()).unwrap();
    let found = scan::scan(&gix, &index, &Everything, &|_| ()).unwrap().differences;
    assert!(found.iter().any(|one| one.seen == Status::EmbeddedRepository));
    assert!(seen_before(&repo, || ()).is_none());
}
