//! Tests what an update leaves alone, the user's own changes, case by case.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::os::unix::fs::symlink;

use common::{assert_refused, head_tree, open, two_commits, update, write_all};
use gitsync::worktree::{Why, undo};
use testkit::World;

#[test]
fn an_edited_file_is_not_overwritten() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("b", "1\n")]),
        |repo| write_all(repo, &[("a", "2\n"), ("b", "2\n")]),
    );
    repo.write("b", "3\n");
    assert_refused(&repo, "b", |why| *why == Why::Edited);
}

#[test]
fn an_edit_that_left_size_and_time_alone_is_not_overwritten() {
    let world = World::new();
    let repo = two_commits(&world, |repo| repo.write("a", "1\n"), |repo| repo.write("a", "2\n"));
    // In the same second as the index was written, as far as the index can tell.
    let time = std::fs::metadata(repo.join("a")).unwrap().modified().unwrap();
    repo.write("a", "3\n");
    std::fs::File::options().write(true).open(repo.join("a")).unwrap().set_modified(time).unwrap();
    assert_refused(&repo, "a", |why| *why == Why::Edited);
}

#[test]
fn a_deleted_file_is_not_put_back_by_a_change_of_it() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("folder/b", "1\n"), ("gone", "1\n")]),
        |repo| {
            write_all(repo, &[("a", "2\n"), ("folder/b", "2\n")]);
            repo.remove("gone");
        },
    );
    repo.remove("gone");
    repo.remove("a");
    assert_refused(&repo, "a", |why| *why == Why::Edited);
    repo.git(["checkout", "--quiet", "a"]);
    std::fs::remove_dir_all(repo.join("folder")).unwrap();
    assert_refused(&repo, "folder/b", |why| *why == Why::Edited);
    repo.git(["checkout", "--quiet", "folder"]);
    update(&repo, "HEAD", "new").unwrap().pending.finish().unwrap();
}

#[test]
fn an_edited_file_that_goes_upstream_is_not_removed() {
    let world = World::new();
    let repo =
        two_commits(&world, |repo| write_all(repo, &[("a", "1\n"), ("b", "1\n")]), |repo| repo.remove("a"));
    repo.write("a", "3\n");
    assert_refused(&repo, "a", |why| *why == Why::Edited);
}

#[test]
fn a_staged_change_is_not_overwritten() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("b", "1\n")]),
        |repo| write_all(repo, &[("a", "2\n"), ("c", "2\n")]),
    );
    repo.write("a", "3\n");
    repo.git(["add", "a"]);
    assert_refused(&repo, "a", |why| *why == Why::Staged);
    repo.git(["reset", "--quiet", "--hard"]);
    repo.git(["rm", "--quiet", "--cached", "a"]);
    assert_refused(&repo, "a", |why| *why == Why::Staged);
    repo.git(["reset", "--quiet", "--hard"]);
    repo.write("c", "3\n");
    repo.git(["add", "--intent-to-add", "c"]);
    assert_refused(&repo, "c", |why| *why == Why::Staged);
}

#[test]
fn what_is_staged_as_it_comes_in_is_fine() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n")]),
        |repo| write_all(repo, &[("a", "2\n"), ("b", "2\n")]),
    );
    repo.write("a", "2\n");
    repo.git(["add", "a"]);
    repo.write("a", "edited since\n");
    update(&repo, "HEAD", "new").unwrap().pending.finish().unwrap();
    assert_eq!(repo.read("a"), "edited since\n");
    assert_eq!(repo.read("b"), "2\n");
}

#[test]
fn untracked_and_ignored_files_in_the_way_are_not_overwritten() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| repo.write(".gitignore", "*.log\n"),
        |repo| {
            repo.write("new", "2\n");
            repo.write("new.log", "2\n");
            repo.git(["add", "--force", "new.log"]);
        },
    );
    repo.write("new", "mine\n");
    assert_refused(&repo, "new", |why| matches!(why, Why::InTheWay(_)));
    repo.remove("new");
    repo.write("new.log", "mine\n");
    assert_refused(&repo, "new.log", |why| matches!(why, Why::InTheWay(_)));
}

#[test]
fn an_untracked_file_with_the_very_content_that_comes_in_is_taken_as_it_is() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| repo.write("a", "1\n"),
        |repo| write_all(repo, &[("b", "2\n"), ("c", "3\n")]),
    );
    repo.write("b", "2\n");
    let time = std::fs::metadata(repo.join("b")).unwrap().modified().unwrap();
    let done = update(&repo, "HEAD", "new").unwrap();
    assert_eq!(std::fs::metadata(repo.join("b")).unwrap().modified().unwrap(), time);
    // Undone, it is the user's file that stays.
    undo(&open(&repo), done.pending, head_tree(&open(&repo)), &()).unwrap();
    assert!(repo.join("b").exists() && !repo.join("c").exists());
    assert_eq!(repo.status(), "?? b\n".trim_end());
}

#[test]
fn a_folder_with_files_of_the_users_is_not_removed_for_a_file() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| repo.write("place/a", "1\n"),
        |repo| {
            std::fs::remove_dir_all(repo.join("place")).unwrap();
            repo.write("place", "2\n");
        },
    );
    repo.write("place/deep/mine", "3\n");
    assert_refused(&repo, "place", |why| *why == Why::InTheWay("place/deep/mine".into()));
}

#[test]
fn a_file_or_link_of_the_users_is_not_removed_for_a_folder() {
    let world = World::new();
    let repo = two_commits(&world, |repo| repo.write("a", "1\n"), |repo| repo.write("place/deep/b", "2\n"));
    repo.write("place", "mine\n");
    assert_refused(&repo, "place/deep/b", |why| *why == Why::InTheWay("place".into()));
    repo.remove("place");
    std::fs::create_dir(world.path().join("outside")).unwrap();
    symlink(world.path().join("outside"), repo.join("place")).unwrap();
    assert_refused(&repo, "place/deep/b", |why| *why == Why::InTheWay("place".into()));
    assert_eq!(std::fs::read_dir(world.path().join("outside")).unwrap().count(), 0);
}

#[test]
fn a_tracked_folder_that_became_a_link_is_not_written_through() {
    let world = World::new();
    let repo = two_commits(&world, |repo| repo.write("place/a", "1\n"), |repo| repo.write("place/a", "2\n"));
    std::fs::create_dir(world.path().join("outside")).unwrap();
    std::fs::rename(repo.join("place/a"), world.path().join("outside/a")).unwrap();
    std::fs::remove_dir(repo.join("place")).unwrap();
    symlink(world.path().join("outside"), repo.join("place")).unwrap();
    assert_refused(&repo, "place/a", |why| *why == Why::InTheWay("place".into()));
    assert_eq!(std::fs::read_to_string(world.path().join("outside/a")).unwrap(), "1\n");
}

#[test]
fn files_marked_assume_unchanged_stay_as_they_are_when_edited() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("b", "1\n")]),
        |repo| write_all(repo, &[("a", "2\n"), ("b", "2\n")]),
    );
    repo.git(["update-index", "--assume-unchanged", "a", "b"]);
    repo.write("a", "mine\n");
    let done = update(&repo, "HEAD", "new").unwrap();
    assert_eq!(done.kept, ["a"]);
    assert_eq!((repo.read("a"), repo.read("b")), ("mine\n".into(), "2\n".into()));
    assert_eq!(repo.git(["ls-files", "-v"]), "h a\nh b");
    assert_eq!(repo.git(["show", ":a"]), "2");
}

#[test]
fn files_marked_skip_worktree_stay_marked_and_as_they_are_when_edited() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("b", "1\n"), ("gone", "1\n")]),
        |repo| write_all(repo, &[("a", "2\n"), ("b", "2\n"), ("gone", "2\n")]),
    );
    repo.git(["update-index", "--skip-worktree", "a", "b", "gone"]);
    repo.write("a", "mine\n");
    repo.remove("gone");
    let done = update(&repo, "HEAD", "new").unwrap();
    assert_eq!(done.kept, ["a"]);
    assert_eq!((repo.read("a"), repo.read("b")), ("mine\n".into(), "2\n".into()));
    assert!(!repo.join("gone").exists());
    assert_eq!(repo.git(["ls-files", "-v"]), "S a\nS b\nS gone");
    assert_eq!(["a", "b", "gone"].map(|name| repo.git(["show", &format!(":{name}")])), ["2", "2", "2"]);
}
