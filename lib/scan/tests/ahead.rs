//! What a scan found before it was asked for is taken only where it still holds.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]
#![cfg(unix)]

use std::time::Duration;

use scan::{Ahead, Everything, Seen};
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
    let ahead = Ahead::begin(&gix, Everything).unwrap();
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
    assert!(Ahead::begin(&open(&repo), Everything).is_none());
}

#[test]
fn a_repository_without_a_work_tree_is_not_looked_at() {
    let world = World::new();
    let repo = settled(&world);
    repo.git(["config", "core.bare", "true"]);
    assert!(Ahead::begin(&open(&repo), Everything).is_none());
}

#[test]
fn a_nested_repository_is_looked_at_again() {
    let world = World::new();
    let repo = settled(&world);
    repo.git(["init", "--quiet", "nested"]);
    let gix = open(&repo);
    let index = scan::Index::read(&gix, &gix.index_path()).unwrap();
    let found = scan::scan(&gix, &index, &Everything, &|_| ()).unwrap().differences;
    assert!(found.iter().any(|one| one.seen == Seen::NewRepository));
    assert!(seen_before(&repo, || ()).is_none());
}
