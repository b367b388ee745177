//! Tests updates of the working tree, case by case; real git in a twin gives the expected result.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::os::unix::fs::symlink;

use common::{
    assert_updates_as_git, head_tree, open, snapshot, stage_all, tree_of, two_commits, update, write_all,
};
use gitsync::worktree::{Recovered, recover, undo};
use testkit::{Repo, World};

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
fn attributes_that_became_a_link_have_no_say() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[(".gitattributes", "*.txt eol=crlf\n"), ("a.txt", "one\r\n")]),
        |repo| {
            repo.remove(".gitattributes");
            symlink("nowhere", repo.join(".gitattributes")).unwrap();
            write_all(repo, &[("d/x.txt", "two\n")]);
        },
    );
    assert_updates_as_git(&world, &repo, "new").pending.finish().unwrap();
    assert_eq!(repo.read("d/x.txt"), "two\n");
}

/// Updates to `new`, which must fail, and leave files, index and git directory as they were.
#[track_caller]
fn assert_fails_and_leaves_everything(repo: &Repo) {
    let before = snapshot(repo);
    let failed = std::panic::catch_unwind(|| update(repo, "HEAD", "new"));
    assert!(failed.is_err(), "the update reported an error");
    assert_eq!(snapshot(repo), before);
    assert!(!repo.git_dir().join("lockstep-update").exists());
    repo.assert_unlocked();
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
    assert_fails_and_leaves_everything(&repo);
}

#[test]
fn an_encoding_that_is_not_known_leaves_everything_as_it_was() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("a", "1\n"), ("z/gone", "1\n")]),
        |repo| {
            write_all(repo, &[(".gitattributes", "x working-tree-encoding=CP437\n"), ("a", "2\n")]);
            repo.write("x", b"\x81\n");
            repo.remove("z/gone");
        },
    );
    assert_eq!(repo.git(["cat-file", "-p", "new:x"]), "ü", "git knows it");
    assert_fails_and_leaves_everything(&repo);
}

#[test]
fn files_are_checked_out_in_their_encoding_or_as_they_are_if_it_lacks_a_character() {
    let world = World::new();
    let names = ["Shift-JIS", "EUC-JP", "Big5", "latin-1", "cp1252"];
    let repo = two_commits(
        &world,
        |repo| repo.write("a", "1\n"),
        |repo| {
            for name in names {
                repo.write(&format!("words.{name}"), "5 ¢ \\ 10 〜 20 − ═ 日本 grün\n");
                repo.write(&format!("face.{name}"), "😀\n");
            }
            repo.write("japan.Shift-JIS", "10 〜 20 − \\ 日本\n");
            repo.write("japan.EUC-JP", "10 〜 20 − \\ 日本\n");
            repo.write("box.Big5", "═ 中\n");
        },
    );
    let attributes = names.map(|name| format!("*.{name} working-tree-encoding={name}\n"));
    std::fs::write(repo.git_dir().join("info/attributes"), attributes.concat()).unwrap();
    // What git cannot encode counts as modified from the start, with git as here; so the index is not compared.
    let twin = common::twin(&world, &repo);
    twin.git(["read-tree", "-m", "-u", "HEAD", "new"]);
    update(&repo, "HEAD", "new").ok().unwrap().pending.finish().unwrap();
    assert_eq!(snapshot(&repo), snapshot(&twin));
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

/// Puts a submodule, which is not filled, in the place of a folder.
fn make_submodule(repo: &testkit::Repo, folder: &str) {
    repo.git(["rm", "--quiet", "-r", folder]);
    std::fs::create_dir_all(repo.join(folder)).unwrap();
    repo.git(["update-index", "--add", "--cacheinfo", &format!("160000,{},{folder}", repo.head())]);
}

#[test]
fn a_folder_that_becomes_a_submodule_stays_with_what_nobody_has_committed() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| {
            let files = ["lib/f", "deep/er/sub/a/b", "deep/er/sub/c", "kept/f", "elsewhere/f"];
            write_all(repo, &files.map(|file| (file, "1\n")));
            repo.write(".gitignore", "*.log\n");
        },
        |repo| {
            ["lib", "deep/er/sub", "kept"].into_iter().for_each(|folder| make_submodule(repo, folder));
            repo.git(["rm", "--quiet", "-r", "elsewhere"]);
        },
    );
    write_all(&repo, &[("kept/mine", "1\n"), ("kept/deeper/my.log", "1\n")]);
    assert_updates_as_git(&world, &repo, "new").pending.finish().unwrap();
    assert!(repo.join("lib").is_dir() && !repo.join("elsewhere").exists());
    assert_eq!(stage_all(&repo).ok().unwrap().tree, repo.rev("new^{tree}"), "nothing is left to commit");
}

#[test]
fn a_folder_that_was_to_become_a_submodule_is_filled_again() {
    let world = World::new();
    let repo = two_commits(
        &world,
        |repo| write_all(repo, &[("lib/a/b", "1\n"), ("lib/c", "1\n")]),
        |repo| make_submodule(repo, "lib"),
    );
    let before = snapshot(&repo);
    let done = update(&repo, "HEAD", "new").unwrap();
    let _ = undo(&open(&repo), done.pending, head_tree(&open(&repo)), &()).unwrap();
    assert_eq!(snapshot(&repo), before);
    repo.assert_clean();
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
    let index = gitsync::index::open(&gix).unwrap();
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
