//! Tests what staging must leave alone in the index and beside it, case by case, judged by git in a twin.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use common::{age, assert_same_index, assert_stages_as_git, open, repo_with, stage, stage_all, twin};
use gitsync::index::{self, Acquire, Edits, Looked, Revised};
use gitsync::stage::Scope;
use testkit::World;

#[test]
fn what_was_only_intended_to_be_added_is_added() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.write("intended", "x\n");
    repo.write("folder/gone", "x\n");
    repo.git(["add", "--intent-to-add", "intended", "folder/gone"]);
    repo.remove("folder/gone");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn what_was_staged_and_changed_again_is_staged_as_it_is_now() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n"), ("b", "1\n")]);
    repo.write("a", "2\n");
    repo.write("staged then gone", "x\n");
    repo.git(["add", "--all"]);
    repo.git(["rm", "--quiet", "--cached", "b"]);
    repo.write("a", "3\n");
    repo.remove("staged then gone");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn files_that_git_was_told_not_to_look_at_are_not_looked_at() {
    let world = World::new();
    let repo =
        repo_with(&world, &[("assumed", "1\n"), ("skipped", "1\n"), ("gone", "1\n"), ("plain", "1\n")]);
    repo.git(["update-index", "--assume-unchanged", "assumed", "gone"]);
    repo.git(["update-index", "--skip-worktree", "skipped"]);
    for name in ["assumed", "skipped", "plain"] {
        repo.write(name, "changed\n");
    }
    repo.remove("gone");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_sparse_checkout_keeps_what_it_leaves_out() {
    for cone in ["--cone", "--no-cone"] {
        let world = World::new();
        let repo =
            repo_with(&world, &[("top", "1\n"), ("in/a", "1\n"), ("in/deep/b", "1\n"), ("out/c", "1\n")]);
        repo.git(["sparse-checkout", "set", cone, "in"]);
        repo.write("in/a", "2\n");
        repo.write("in/new", "3\n");
        repo.write("out/unwanted", "4\n");
        assert_stages_as_git(&world, &repo);
        assert!(repo.files(&repo.git(["write-tree"])).contains(&"out/c".to_owned()));
    }
}

#[test]
fn a_sparse_index_is_written_whole() {
    let world = World::new();
    let repo = repo_with(&world, &[("top", "1\n"), ("in/a", "1\n"), ("out/deep/c", "1\n"), ("out/d", "1\n")]);
    repo.git(["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    assert!(
        repo.git(["ls-files", "--sparse", "--stage"]).contains("out/\n")
            || repo.git(["ls-files", "--sparse"]).contains("out/")
    );
    repo.write("in/a", "2\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_split_index_is_understood() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n"), ("b/c", "1\n"), ("b/d", "1\n")]);
    repo.git(["update-index", "--split-index"]);
    repo.write("a", "2\n");
    repo.git(["add", "a"]);
    repo.remove("b/d");
    repo.write("b/e", "x\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_linked_work_tree_has_an_index_of_its_own() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let linked = repo.linked_work_tree("side");
    linked.write("a", "2\n");
    linked.write("b", "3\n");
    stage_all(&linked).ok().unwrap();
    assert_eq!(linked.git(["diff", "--cached", "--name-only"]), "a\nb");
    assert_eq!(repo.status(), "");
}

#[test]
fn an_edit_made_right_after_staging_is_seen() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    for round in 0..20 {
        repo.write("a", format!("{:04}", round * 2));
        stage_all(&repo).ok().unwrap();
        repo.write("a", format!("{:04}", round * 2 + 1));
        assert_eq!(repo.git(["diff", "--name-only"]), "a", "round {round}");
        stage_all(&repo).ok().unwrap();
        assert_eq!(repo.git(["show", ":a"]), format!("{:04}", round * 2 + 1));
    }
}

#[test]
fn an_edit_of_the_second_before_survives_staging_of_other_files() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n"), ("b", "1\n")]);
    repo.write("a", "2\n");
    repo.git(["add", "a"]);
    repo.write("a", "3\n");
    repo.write("b", "4\n");
    stage(&repo, Scope::Only(vec!["b".into()])).ok().unwrap();
    assert_eq!(repo.git(["diff", "--name-only"]), "a");
}

#[test]
fn one_sessions_files_are_committed_and_the_rest_stays_as_it_is() {
    let world = World::new();
    let repo =
        repo_with(&world, &[("mine", "1\n"), ("theirs", "1\n"), ("staged", "1\n"), ("logs/gone", "1\n")]);
    repo.write("staged", "2\n");
    repo.git(["add", "staged"]);
    repo.write("theirs", "2\n");
    repo.write("mine", "2\n");
    repo.remove("logs/gone");
    repo.write("logs/new", "x\n");
    repo.write("untracked", "x\n");
    let twin = twin(&world, &repo);
    let staged = stage(&repo, Scope::Only(vec!["mine".into(), "logs".into()])).ok().unwrap();
    twin.git(["add", "--all", "--", "mine", "logs"]);
    twin.git(["commit", "--quiet", "--only", "--message", "x", "--", "mine", "logs"]);
    assert_eq!(staged.tree, twin.rev("HEAD^{tree}"));
    assert_eq!(repo.git(["ls-files", "-s"]), twin.git(["ls-files", "-s"]));
    assert_eq!((staged.counts.added, staged.counts.modified, staged.counts.deleted), (1, 1, 1));
}

#[test]
fn the_trees_of_untouched_folders_are_not_built_again_and_still_right() {
    let world = World::new();
    let files: Vec<String> =
        (0..60).map(|number| format!("d{}/e{}/f{number}", number % 5, number % 3)).collect();
    let repo = repo_with(&world, &[]);
    files.iter().for_each(|path| repo.write(path, path));
    assert_stages_as_git(&world, &repo);
    repo.git(["commit", "--quiet", "--message", "files"]);
    repo.write("d1/e1/f1", "changed\n");
    repo.remove("d2/e2/f2");
    std::fs::remove_dir_all(repo.join("d3")).unwrap();
    repo.write("d3", "a file\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn files_staged_long_ago_are_not_read_again() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n"), ("b", "1\n")]);
    age(&repo, "a");
    age(&repo, "b");
    stage_all(&repo).ok().unwrap();
    let index = gitsync::index::open(&open(&repo)).unwrap();
    let changes = gitsync::stage::scan(&open(&repo), &index, &Default::default(), &()).unwrap();
    assert!(changes.is_empty(), "{:?}", changes.candidates);
    // Scripts ask like this whether anything has changed, without a look at the content.
    assert_eq!(repo.try_git(["diff-files", "--quiet"]).code, 0);
}

#[test]
fn somebody_elses_index_lock_is_named_and_left_alone() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let path = repo.git_dir().join("index.lock");
    std::fs::write(&path, "").unwrap();
    let gitsync::index::Acquire::Held(by) = gitsync::index::lock(&open(&repo)).unwrap() else {
        panic!("taken")
    };
    assert_eq!(by.path, path.as_std_path());
    assert!(path.exists());
}

#[test]
fn the_index_lock_of_a_killed_run_is_cleared() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let gitsync::index::Acquire::Ours(lock) = gitsync::index::lock(&open(&repo)).unwrap() else {
        panic!("held")
    };
    std::mem::forget(lock);
    assert!(repo.git_dir().join("index.lock").exists());
    repo.write("b", "2\n");
    stage_all(&repo).ok().unwrap();
    repo.assert_unlocked();
    assert_eq!(repo.git(["diff", "--cached", "--name-only"]), "b");
}

#[test]
fn a_hook_may_stage_more_in_its_private_copy_of_the_index() {
    use gitsync::stage::sink::{Loose, Sink as _};
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.write("a", "2\n");
    let gix = open(&repo);
    let gitsync::index::Acquire::Ours(mut lock) = gitsync::index::lock(&gix).unwrap() else { panic!("held") };
    let since = lock.taken_at().unwrap();
    let policy = Default::default();
    let index = gitsync::index::open(&gix).unwrap();
    let changes = gitsync::stage::scan(&gix, &index, &policy, &()).unwrap();
    let (head, mut sink) = (common::head_tree(&gix), Loose::new(&gix));
    let staged =
        gitsync::stage::prepare(&gix, index, head, changes, &policy, &mut sink, &()).unwrap().ok().unwrap();
    sink.sync().unwrap();
    let copy = lock.private_copy(&gix, staged.for_hooks()).unwrap();
    repo.write("by the hook", "3\n");
    let hook = repo
        .git_invocation()
        .args(["add", "by the hook"])
        .env("GIT_INDEX_FILE", copy.to_str().unwrap())
        .output();
    hook.assert_success();
    let staged = gitsync::stage::reread(&gix, &copy, head, &policy, staged, &mut sink).unwrap();
    sink.sync().unwrap();
    lock.write(&gix, staged.index, staged.index_tree.as_ref(), gitsync::index::Looked::AtSome, since)
        .unwrap();
    assert_eq!(repo.git(["diff", "--cached", "--name-only"]), "a\nby the hook");
    assert_eq!(repo.git(["write-tree"]), staged.tree.id.to_string());
    repo.assert_unlocked();
    assert!(!copy.exists());
}

#[test]
fn a_dry_run_computes_the_same_tree_and_leaves_nothing_behind() {
    use gitsync::stage::sink::Memory;
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.write("a", "2\n");
    repo.write("b/c", "3\n");
    let before = repo.git(["count-objects"]);
    let gix = open(&repo).with_object_memory();
    let index = gitsync::index::open(&gix).unwrap();
    let policy = Default::default();
    let changes = gitsync::stage::scan(&gix, &index, &policy, &()).unwrap();
    let head = common::head_tree(&gix);
    let staged =
        gitsync::stage::prepare(&gix, index, head, changes, &policy, &mut Memory(&gix), &()).unwrap();
    let staged = staged.ok().unwrap();
    assert_eq!(repo.git(["count-objects"]), before);
    assert_eq!((staged.counts.added, staged.counts.modified), (1, 1));
    assert_eq!(stage_all(&repo).ok().unwrap().tree, staged.tree.id.to_string());
}

#[test]
fn what_differs_only_in_its_stat_data_is_refreshed() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    age(&repo, "a");
    let twin = twin(&world, &repo);
    twin.git(["add", "--all"]);
    let staged = stage_all(&repo).ok().unwrap();
    assert!(staged.index_changed);
    assert_same_index(&repo, &twin);
    assert_eq!(repo.try_git(["diff-files", "--quiet"]).code, 0);
}

#[test]
fn a_git_directory_that_is_gone_is_not_taken_for_a_lock_that_was_taken_over() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let write = |meanwhile: &dyn Fn()| {
        let gix = open(&repo);
        let Acquire::Ours(lock) = index::lock(&gix).unwrap() else { panic!("index.lock is somebody else's") };
        let (since, index) = (lock.taken_at().unwrap(), index::open(&gix).unwrap());
        meanwhile();
        let revised = Revised { index, edits: Edits::default() };
        let error =
            lock.write(&gix, revised, None, Looked::AtAll, since).expect_err("it was not ours any more");
        format!("{error:#}")
    };
    let took_over = write(&|| drop(std::fs::remove_file(repo.git_dir().join("index.lockstep"))));
    assert!(took_over.contains("taken over"), "{took_over}");
    repo.remove(".git/index.lock");
    let gone = write(&|| std::fs::rename(repo.git_dir(), repo.join("elsewhere")).unwrap());
    assert!(gone.contains("No such file"), "{gone}");
}
