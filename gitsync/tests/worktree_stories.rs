//! Updating the work tree, told one case at a time; real git in a twin says what the result should be.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::os::unix::fs::symlink;

use common::{assert_updates_as_git, head_tree, open, snapshot, tree_of, update};
use gitsync::worktree::{Recovered, Why, recover, undo};
use testkit::{Repo, World};

/// A repository whose `HEAD` is the commit `old`, with another commit `new`, made by these two.
fn two_commits(world: &World, old: impl Fn(&Repo), new: impl Fn(&Repo)) -> Repo {
    let repo = world.init("mike");
    old(&repo);
    repo.commit_all("old");
    repo.git(["tag", "old"]);
    new(&repo);
    repo.commit_all("new");
    repo.git(["tag", "new"]);
    repo.git(["reset", "--quiet", "--hard", "old"]);
    repo.git(["clean", "-ffdqx"]);
    repo
}

fn write_all(repo: &Repo, files: &[(&str, &str)]) {
    files.iter().for_each(|(path, content)| repo.write(path, content));
}

#[track_caller]
fn assert_refused(repo: &Repo, path: &str, is_right: impl Fn(&Why) -> bool) {
    let (before, index) = (snapshot(repo), std::fs::read(repo.git_dir().join("index")).unwrap());
    let refused = update(repo, "HEAD", "new").expect_err("it was not refused");
    assert!(refused.iter().any(|refused| refused.path == path && is_right(&refused.why)), "{refused:?}");
    assert_eq!(snapshot(repo), before, "the work tree");
    assert_eq!(std::fs::read(repo.git_dir().join("index")).unwrap(), index, "the index");
    assert!(!repo.git_dir().join("lockstep-update").exists());
    repo.assert_unlocked();
}

#[test]
fn files_come_change_and_go() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| {
            write_all(
                repo,
                &[
                    ("same", "1\n"),
                    ("changed", "1\n"),
                    ("gone/deep/a", "1\n"),
                    ("gone/b", "1\n"),
                    ("half/a", ""),
                    ("half/b", ""),
                ],
            )
        },
        |repo| {
            write_all(repo, &[("changed", "2\n"), ("new/deep/a", "1\n"), ("empty", "")]);
            std::fs::remove_dir_all(repo.join("gone")).unwrap();
            repo.remove("half/b");
        },
    );
    let done = assert_updates_as_git(&world, &repo, "new");
    assert_eq!((done.written, done.removed), (3, 3));
    done.pending.finish().unwrap();
    repo.assert_clean();
    repo.assert_sound();
    // The stat data are right: nothing has to be read again to know that nothing has changed.
    assert_eq!(repo.try_git(["diff-files", "--quiet"]).code, 0);
    assert!(!repo.git_dir().join("lockstep-update").exists());
}

#[test]
fn executable_bits_links_and_kinds_change() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| {
            write_all(repo, &[("tool", "x\n"), ("was a file", "x\n"), ("was a tool", "x\n")]);
            symlink("tool", repo.join("was a link")).unwrap();
            symlink("tool", repo.join("link")).unwrap();
            repo.set_executable("was a tool", true);
        },
        |repo| {
            repo.set_executable("tool", true);
            repo.set_executable("was a tool", false);
            for name in ["was a file", "was a link", "link"] {
                repo.remove(name);
            }
            symlink("nowhere", repo.join("was a file")).unwrap();
            symlink("elsewhere", repo.join("link")).unwrap();
            repo.write("was a link", "now a file\n");
        },
    );
    assert_updates_as_git(&world, &repo, "new");
}

#[test]
fn files_and_folders_change_places() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| {
            write_all(
                repo,
                &[("file", "1\n"), ("folder/x/y", "2\n"), ("folder/z", "3\n"), ("folder.txt", "")],
            )
        },
        |repo| {
            repo.remove("file");
            std::fs::remove_dir_all(repo.join("folder")).unwrap();
            write_all(repo, &[("file/now/a", "1\n"), ("folder", "2\n")]);
        },
    );
    std::fs::create_dir_all(repo.join("folder/empty/deep")).unwrap();
    assert_updates_as_git(&world, &repo, "new").pending.finish().unwrap();
    repo.assert_clean();
}

#[test]
fn a_link_in_place_of_a_folder_is_not_written_through() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| {
            repo.write("target/keep", "1\n");
            symlink("target", repo.join("place")).unwrap();
        },
        |repo| {
            repo.remove("place");
            repo.write("place/new", "2\n");
        },
    );
    assert_updates_as_git(&world, &repo, "new");
    assert!(!repo.join("target/new").exists());
}

#[test]
fn attributes_of_the_new_tree_shape_its_files() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a.txt", "one\n"), ("b.up", "text\n")]),
        |repo| {
            write_all(
                repo,
                &[
                    (".gitattributes", "*.txt eol=crlf\n*.up filter=case\n*.id ident\n"),
                    ("a.txt", "two\n"),
                    ("b.up", "other\n"),
                    ("c.id", "$Id$\n"),
                ],
            )
        },
    );
    repo.git(["config", "filter.case.smudge", "tr a-z A-Z"]);
    repo.git(["config", "filter.case.clean", "tr A-Z a-z"]);
    assert_updates_as_git(&world, &repo, "new").pending.finish().unwrap();
    assert_eq!(repo.read("a.txt"), "two\r\n");
    assert_eq!(repo.read("b.up"), "OTHER\n");
    repo.assert_clean();
}

#[test]
fn a_filter_that_must_not_fail_and_does_leaves_everything_as_it_was() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("z/gone", "1\n")]),
        |repo| {
            write_all(repo, &[(".gitattributes", "x filter=broken\n"), ("a", "2\n"), ("x", "3\n")]);
            repo.remove("z/gone");
        },
    );
    repo.git(["config", "filter.broken.smudge", "false"]);
    repo.git(["config", "filter.broken.required", "true"]);
    let before = snapshot(&repo);
    let failed = std::panic::catch_unwind(|| update(&repo, "HEAD", "new"));
    assert!(failed.is_err(), "the update reported an error");
    assert_eq!(snapshot(&repo), before);
    assert!(!repo.git_dir().join("lockstep-update").exists());
    repo.assert_unlocked();
    repo.assert_clean();
}

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
fn a_sparse_checkout_stays_sparse() {
    for cone in ["--cone", "--no-cone"] {
        let world = World::new();
        let repo = two_commits(
            &world,
            |repo| write_all(repo, &[("top", "1\n"), ("in/a", "1\n"), ("out/a", "1\n"), ("out/gone", "1\n")]),
            |repo| {
                write_all(
                    repo,
                    &[("top", "2\n"), ("in/a", "2\n"), ("in/b", "2\n"), ("out/a", "2\n"), ("out/b", "2\n")],
                );
                repo.remove("out/gone");
            },
        );
        repo.git(["sparse-checkout", "set", cone, "in"]);
        assert_updates_as_git(&world, &repo, "new").pending.finish().unwrap();
        assert!(!repo.join("out").exists());
        repo.assert_clean();
    }
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
fn submodules_get_a_folder_and_are_otherwise_left_alone() {
    let world = World::new();
    let library = world.init("library");
    library.write("lib", "1\n");
    library.commit_all("library");
    let repo = two_commits(
        &world,
        |repo| {
            repo.write("was a file", "1\n");
            for name in ["gone", "moved"] {
                repo.git(["submodule", "--quiet", "add", library.path().as_str(), name]);
            }
        },
        |repo| {
            repo.git(["rm", "--quiet", "was a file"]);
            for name in ["new", "was a file"] {
                repo.git(["submodule", "--quiet", "add", library.path().as_str(), name]);
            }
            repo.git(["rm", "--quiet", "--force", "gone"]);
            world.repo(repo.join("moved")).commit_all("moved on");
        },
    );
    std::fs::create_dir_all(repo.join("gone")).unwrap();
    std::fs::create_dir_all(repo.join("moved")).unwrap();
    assert_updates_as_git(&world, &repo, "new");
    assert!(repo.join("new").is_dir());
}

#[test]
fn the_work_tree_is_filled_from_nothing() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| repo.write("a", "1\n"),
        |repo| write_all(repo, &[("a", "2\n"), ("b/c", "2\n")]),
    );
    repo.git(["rm", "--quiet", "-r", "."]);
    let empty = repo.git(["mktree", "--missing"]);
    assert_eq!(empty, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    let gix = open(&repo);
    let gitsync::index::Acquire::Ours(lock) = gitsync::index::lock(&gix).unwrap() else { panic!("held") };
    let index = gitsync::index::read(&gix).unwrap();
    let empty = gix::ObjectId::empty_tree(gix::hash::Kind::Sha1);
    let facts = gitsync::worktree::look(&gix, &index, empty, tree_of(&repo, "new"), &()).unwrap();
    let plan = gitsync::worktree::plan(&facts).unwrap();
    gitsync::worktree::apply(&gix, lock, index, &plan, &()).unwrap();
    repo.git(["reset", "--quiet", "--soft", "new"]);
    repo.assert_clean();
}

#[test]
fn an_update_whose_branch_did_not_move_is_taken_back() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("changed", "1\n"), ("gone/a", "1\n"), ("place", "1\n")]),
        |repo| {
            std::fs::remove_dir_all(repo.join("gone")).unwrap();
            repo.remove("place");
            write_all(repo, &[("changed", "2\n"), ("new/a", "2\n"), ("place/a", "2\n")]);
        },
    );
    let before = snapshot(&repo);
    let done = update(&repo, "HEAD", "new").unwrap();
    assert_ne!(snapshot(&repo), before);
    let recovered = undo(&open(&repo), done.pending, head_tree(&open(&repo)), &()).unwrap();
    assert!(matches!(recovered, Recovered::RolledBack { .. }));
    assert_eq!(snapshot(&repo), before);
    repo.assert_clean();
    repo.assert_unlocked();
}

#[test]
fn a_run_killed_before_the_branch_moved_is_taken_back_by_the_next() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("b", "1\n")]),
        |repo| write_all(repo, &[("a", "2\n"), ("b", "2\n"), ("c", "2\n")]),
    );
    let before = snapshot(&repo);
    std::mem::forget(update(&repo, "HEAD", "new").unwrap().pending);
    // Edited since, in the state that the killed run left.
    repo.append("b", "mine\n");
    let recovered = recover(&open(&repo), head_tree(&open(&repo)), &()).unwrap();
    assert!(matches!(recovered, Recovered::RolledBack { .. }));
    let mut expected = before;
    expected.insert("b".into(), "0 2\\nmine\\n".into());
    assert_eq!(snapshot(&repo), expected);
    assert_eq!(repo.status(), " M b".trim_end());
    assert_eq!(recover(&open(&repo), head_tree(&open(&repo)), &()).unwrap(), Recovered::Nothing);
}

#[test]
fn a_run_killed_after_the_branch_moved_is_finished_by_the_next() {
    let world = World::new();
    let repo = two_commits(&world, |repo| repo.write("a", "1\n"), |repo| repo.write("a", "2\n"));
    std::mem::forget(update(&repo, "HEAD", "new").unwrap().pending);
    repo.git(["update-ref", "HEAD", "new"]);
    assert_eq!(recover(&open(&repo), head_tree(&open(&repo)), &()).unwrap(), Recovered::Finished);
    repo.assert_clean();
    assert_eq!(repo.read("a"), "2\n");
    assert!(!repo.git_dir().join("lockstep-update").exists());
}

#[test]
fn a_linked_work_tree_is_updated_by_itself() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| repo.write("a", "1\n"),
        |repo| write_all(repo, &[("a", "2\n"), ("b", "2\n")]),
    );
    let linked = repo.linked_work_tree("side");
    update(&linked, "HEAD", "new").unwrap().pending.finish().unwrap();
    linked.git(["update-ref", "HEAD", "new"]);
    linked.assert_clean();
    repo.assert_clean();
}

#[test]
fn a_young_edit_elsewhere_is_still_seen_after_the_update() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("b", "1\n")]),
        |repo| repo.write("b", "2\n"),
    );
    for round in 0..3 {
        repo.git(["reset", "--quiet", "--hard", "old"]);
        repo.write("a", "x\n");
        repo.git(["add", "a"]);
        repo.write("a", "y\n");
        update(&repo, "HEAD", "new").unwrap().pending.finish().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(400 * round));
        assert_eq!(repo.git(["diff", "--name-only"]), "a", "round {round}");
    }
}
