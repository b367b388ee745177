//! What `git add -A` does, told one case at a time and judged by git in a twin.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::os::unix::fs::symlink;

use common::{age, assert_same_index, assert_stages_as_git, open, stage, stage_all, twin};
use gitsync::stage::{Scope, Why};
use testkit::{Repo, World};

fn repo_with(world: &World, files: &[(&str, &str)]) -> Repo {
    let repo = world.init("mike");
    for (path, content) in files {
        repo.write(path, content);
    }
    repo.commit_all("the beginning");
    repo
}

#[test]
fn files_that_are_new_changed_and_gone_are_staged() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n"), ("b/c", "2\n"), ("b/d", "3\n")]);
    repo.write("a", "changed\n");
    repo.remove("b/d");
    repo.write("new folder/with \"quotes\"\nand ümläuts", "4\n");
    repo.write("empty", "");
    let staged = assert_stages_as_git(&world, &repo);
    assert_eq!((staged.counts.added, staged.counts.modified, staged.counts.deleted), (2, 1, 1));
}

#[test]
fn nothing_changed_is_nothing_staged() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n"), ("b/c", "2\n")]);
    age(&repo, "a");
    age(&repo, "b/c");
    let staged = assert_stages_as_git(&world, &repo);
    assert!(staged.counts.is_empty());
    assert!(!stage_all(&repo).ok().unwrap().index_changed);
}

#[test]
fn the_first_commit_is_staged_without_an_index() {
    let world = World::new();
    let repo = world.init("mike");
    repo.write("a/b", "1\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn all_files_gone_is_the_empty_tree() {
    let world = World::new();
    let repo = repo_with(&world, &[("a/b", "1\n")]);
    repo.remove("a/b");
    let staged = assert_stages_as_git(&world, &repo);
    assert_eq!(staged.tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

#[test]
fn files_and_folders_change_places() {
    let world = World::new();
    let repo =
        repo_with(&world, &[("file", "1\n"), ("folder/x", "2\n"), ("folder/y", "3\n"), ("folder.txt", "")]);
    repo.remove("file");
    repo.write("file/now/a/folder", "4\n");
    std::fs::remove_dir_all(repo.join("folder")).unwrap();
    repo.write("folder", "now a file\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_link_in_place_of_a_folder_hides_what_was_in_it() {
    let world = World::new();
    let repo = repo_with(&world, &[("folder/x", "2\n"), ("other/x", "2\n"), ("link", "a file\n")]);
    std::fs::remove_dir_all(repo.join("folder")).unwrap();
    symlink("other", repo.join("folder")).unwrap();
    repo.remove("link");
    symlink("nowhere", repo.join("link")).unwrap();
    assert_stages_as_git(&world, &repo);
}

#[test]
fn executable_bits_count_where_the_file_system_keeps_them() {
    let world = World::new();
    let repo = repo_with(&world, &[("tool", "#!/bin/sh\n"), ("other", "x\n")]);
    repo.set_executable("tool", true);
    repo.write("new", "#!/bin/sh\n");
    repo.set_executable("new", true);
    assert_stages_as_git(&world, &repo);
}

#[test]
fn executable_bits_are_the_indexs_where_the_file_system_has_none() {
    let world = World::new();
    let repo = repo_with(&world, &[("tool", "#!/bin/sh\n"), ("other", "x\n")]);
    repo.git(["update-index", "--chmod=+x", "tool"]);
    repo.git(["config", "core.fileMode", "false"]);
    repo.write("tool", "#!/bin/sh\nchanged\n");
    repo.set_executable("other", true);
    repo.append("other", "more");
    repo.write("new", "");
    repo.set_executable("new", true);
    assert_stages_as_git(&world, &repo);
}

#[test]
fn links_are_plain_files_where_the_file_system_has_none() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    symlink("a", repo.join("link")).unwrap();
    repo.commit_all("a link");
    repo.git(["config", "core.symlinks", "false"]);
    repo.remove("link");
    repo.write("link", "b");
    assert_stages_as_git(&world, &repo);
    assert!(repo.git(["ls-files", "-s", "link"]).starts_with("120000"));
}

#[test]
fn line_ends_and_encodings_are_converted() {
    let world = World::new();
    let repo = repo_with(
        &world,
        &[(
            ".gitattributes",
            "*.txt text\n*.bat text eol=crlf\n*.auto text=auto\n*.bin -text\n*.u16 text working-tree-encoding=UTF-16LE-BOM\n*.id ident\n",
        )],
    );
    for name in ["a.txt", "a.bat", "a.auto", "a.bin", "a.none"] {
        repo.write(name, "one\r\ntwo\r\n");
    }
    repo.write("binary.auto", b"one\r\n\0two\r\n");
    repo.write("b.u16", b"\xff\xfeo\0n\0e\0\r\0\n\0");
    repo.write("c.id", "$Id: something$\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn automatic_line_ends_leave_files_alone_that_were_committed_with_them() {
    let world = World::new();
    let repo = repo_with(&world, &[("old", "one\r\ntwo\r\n")]);
    repo.git(["config", "core.autocrlf", "true"]);
    repo.write("old", "one\r\ntwo\r\nthree\r\n");
    repo.write("new", "one\r\ntwo\r\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn filters_clean_what_is_committed() {
    let world = World::new();
    let repo = repo_with(
        &world,
        &[(".gitattributes", "*.up filter=upper\n*.weak filter=weak\n*.none filter=unknown\n")],
    );
    repo.git(["config", "filter.upper.clean", "tr a-z A-Z"]);
    repo.git(["config", "filter.upper.required", "true"]);
    repo.git(["config", "filter.weak.clean", "false"]);
    for name in ["a.up", "a.weak", "a.none"] {
        repo.write(name, "text\n");
    }
    assert_stages_as_git(&world, &repo);
    assert_eq!(repo.git(["cat-file", "-p", ":a.up"]), "TEXT");
}

#[test]
fn a_required_filter_that_fails_is_refused_by_name() {
    let world = World::new();
    let repo = repo_with(&world, &[(".gitattributes", "*.x filter=broken\n")]);
    repo.git(["config", "filter.broken.clean", "false"]);
    repo.git(["config", "filter.broken.required", "true"]);
    repo.write("secret.x", "text\n");
    let before = std::fs::read(repo.git_dir().join("index")).unwrap();
    let refused = stage_all(&repo).err().unwrap();
    assert_eq!(refused[0].path, "secret.x");
    assert!(matches!(refused[0].why, Why::Unreadable(_)));
    assert_eq!(std::fs::read(repo.git_dir().join("index")).unwrap(), before);
    repo.assert_unlocked();
}

#[test]
fn a_filter_that_keeps_running_serves_many_files() {
    let world = World::new();
    let repo = repo_with(&world, &[(".gitattributes", "*.r filter=rot\n")]);
    let script = world.path().join("filter.py");
    std::fs::write(&script, LONG_RUNNING_FILTER).unwrap();
    repo.git(["config", "filter.rot.process", &format!("python3 '{script}'")]);
    repo.git(["config", "filter.rot.required", "true"]);
    for number in 0..20 {
        repo.write(&format!("{number}.r"), format!("text {number}\n"));
    }
    assert_stages_as_git(&world, &repo);
    assert_eq!(repo.git(["cat-file", "-p", ":7.r"]), "TEXT 7");
}

/// Upper case in, lower case out, by git's protocol for filters that keep running.
const LONG_RUNNING_FILTER: &str = r#"
import sys
inp, out = sys.stdin.buffer, sys.stdout.buffer
def read():
    head = inp.read(4)
    if not head: sys.exit(0)
    size = int(head, 16)
    return None if size == 0 else inp.read(size - 4)
def lines():
    all = []
    while (line := read()) is not None: all.append(line.rstrip(b"\n"))
    return all
def write(data): out.write(b"%04x" % (len(data) + 4) + data)
def flush(): out.write(b"0000"); out.flush()
lines(); write(b"git-filter-server\n"); write(b"version=2\n"); flush()
lines(); write(b"capability=clean\n"); write(b"capability=smudge\n"); flush()
while True:
    header = lines()
    data = b"".join(iter(read, None))
    data = data.upper() if b"command=clean" in header else data.lower()
    write(b"status=success\n"); flush()
    for at in range(0, len(data), 60000): write(data[at:at + 60000])
    flush(); flush()
"#;

#[test]
fn what_is_ignored_stays_out_unless_it_is_tracked() {
    let world = World::new();
    let repo = repo_with(&world, &[(".gitignore", "*.log\n/build/\n!keep.log\n"), ("tracked.txt", "1\n")]);
    repo.write("tracked.log", "1\n");
    repo.git(["add", "--force", "tracked.log"]);
    repo.write("tracked.log", "2\n");
    for name in ["other.log", "keep.log", "build/x", "deep/er/a.log", "deep/er/b"] {
        repo.write(name, "x\n");
    }
    repo.write("deep/.gitignore", "b\n");
    std::fs::write(repo.git_dir().join("info/exclude"), "private\n").unwrap();
    repo.write("private", "x\n");
    assert_stages_as_git(&world, &repo);
}

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
fn nested_repositories_are_links_to_their_commits() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n"), ("was/a/file", "1\n"), ("plain", "1\n")]);
    for name in ["nested", "deep/nested", "was", "plain"] {
        if name != "nested" {
            let _ = std::fs::remove_dir_all(repo.join(name));
            let _ = std::fs::remove_file(repo.join(name));
        }
        std::fs::create_dir_all(repo.join(name)).unwrap();
        let nested = world.repo(repo.join(name));
        nested.git(["init", "--quiet"]);
        nested.write("inside", name);
        nested.commit_all("nested");
    }
    assert_stages_as_git(&world, &repo);
    world.repo(repo.join("nested")).commit_all("moved on");
    assert_stages_as_git(&world, &repo);
    assert!(repo.git(["ls-files", "-s", "nested"]).starts_with("160000"));
}

#[test]
fn a_nested_repository_without_a_commit_is_refused_by_name() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    std::fs::create_dir(repo.join("young")).unwrap();
    world.repo(repo.join("young")).git(["init", "--quiet"]);
    repo.write("young/file", "x\n");
    let refused = stage_all(&repo).err().unwrap();
    assert_eq!((refused[0].path.to_string().as_str(), &refused[0].why), ("young", &Why::NoCommitCheckedOut));
    assert_ne!(repo.try_git(["add", "--all"]).code, 0, "git refuses it too");
}

#[test]
fn a_submodule_moves_with_its_commit_and_stays_when_it_is_not_checked_out() {
    let world = World::new();
    let library = world.init("library");
    library.write("lib", "1\n");
    library.commit_all("library");
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.git(["submodule", "--quiet", "add", library.path().as_str(), "sub"]);
    repo.git(["submodule", "--quiet", "add", library.path().as_str(), "bare"]);
    repo.commit_all("submodules");
    repo.git(["submodule", "--quiet", "deinit", "--force", "bare"]);
    world.repo(repo.join("sub")).commit_all("moved on");
    repo.write("sub/dirty", "not ours\n");
    assert_stages_as_git(&world, &repo);
    std::fs::remove_dir_all(repo.join("sub")).unwrap();
    assert_stages_as_git(&world, &repo);
}

#[test]
fn pipes_sockets_and_empty_folders_are_passed_over() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.program("mkfifo").args(["pipe"]).output().assert_success();
    let _socket = std::os::unix::net::UnixListener::bind(repo.join("socket")).unwrap();
    std::fs::create_dir_all(repo.join("empty/deep")).unwrap();
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_tracked_file_that_became_a_pipe_is_refused_by_name() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.remove("a");
    repo.program("mkfifo").args(["a"]).output().assert_success();
    assert_eq!(stage_all(&repo).err().unwrap()[0].why, Why::CannotBeHeld);
    assert_ne!(repo.try_git(["add", "--all"]).code, 0, "git refuses it too");
}

#[test]
fn names_that_are_not_utf_8_are_refused_by_name() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    std::fs::write(repo.path().as_std_path().join(name), "x").unwrap();
    let refused = stage_all(&repo).err().unwrap();
    assert_eq!(refused[0].why, Why::NotUtf8);
    assert_eq!(refused[0].to_string(), "\"caf\\351\": its name is not UTF-8");
}

#[test]
fn an_unreadable_file_is_refused_by_name_and_nothing_is_half_done() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.write("b", "readable\n");
    // Too long a chain of filters is not needed: a filter that cannot be started is as good as no permission, also for root.
    repo.write(".gitattributes", "locked filter=none\n");
    repo.git(["config", "filter.none.clean", "exit 3"]);
    repo.git(["config", "filter.none.required", "true"]);
    repo.write("locked", "x\n");
    let before = std::fs::read(repo.git_dir().join("index")).unwrap();
    let refused = stage_all(&repo).err().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].path, "locked");
    assert_eq!(std::fs::read(repo.git_dir().join("index")).unwrap(), before);
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
    use gitsync::stage::sink::Loose;
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
        gitsync::stage::prepare(&gix, index.into_decoded().unwrap(), head, changes, &policy, &mut sink, &())
            .unwrap()
            .ok()
            .unwrap();
    let copy = lock.private_copy(&gix, &staged.index).unwrap();
    repo.write("by the hook", "3\n");
    let hook = repo
        .git_invocation()
        .args(["add", "by the hook"])
        .env("GIT_INDEX_FILE", copy.to_str().unwrap())
        .output();
    hook.assert_success();
    let mut staged = gitsync::stage::reread(&gix, &copy, head, &policy, &mut sink).unwrap();
    lock.write(&gix, &mut staged.index, staged.index_tree.as_ref(), gitsync::index::Looked::AtSome, since)
        .unwrap();
    assert_eq!(repo.git(["diff", "--cached", "--name-only"]), "a\nby the hook");
    assert_eq!(repo.git(["write-tree"]), staged.tree.id.to_string());
    repo.assert_unlocked();
    assert!(!copy.exists());
}

#[test]
fn names_that_differ_in_case_only_are_staged_as_git_stages_them() {
    for ignore in ["false", "true"] {
        let world = World::new();
        let repo = repo_with(&world, &[("Folder/a", "1\n"), ("File", "1\n")]);
        repo.git(["config", "core.ignoreCase", ignore]);
        repo.write("folder/b", "2\n");
        repo.write("Folder/c", "2\n");
        assert_stages_as_git(&world, &repo);
    }
}

#[test]
fn a_case_only_rename_is_a_rename_where_case_counts() {
    let world = World::new();
    let repo = repo_with(&world, &[("Readme", "1\n")]);
    repo.rename("Readme", "README");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_dry_run_computes_the_same_tree_and_leaves_nothing_behind() {
    use gitsync::stage::sink::Loose;
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
    let staged = gitsync::stage::prepare(
        &gix,
        index.into_decoded().unwrap(),
        head,
        changes,
        &policy,
        &mut Loose::new(&gix),
        &(),
    )
    .unwrap();
    let staged = staged.ok().unwrap();
    assert_eq!(repo.git(["count-objects"]), before);
    assert_eq!((staged.counts.added, staged.counts.modified), (1, 1));
    assert_eq!(stage_all(&repo).ok().unwrap().tree, staged.tree.id.to_string());
}

#[test]
fn a_file_too_large_for_memory_is_staged_as_git_stages_it() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let mut content = Vec::new();
    for number in 0..2_500_000u32 {
        content.extend_from_slice(&number.wrapping_mul(2_654_435_761).to_le_bytes());
    }
    repo.write("large", &content);
    assert_stages_as_git(&world, &repo);
    let file = std::fs::File::options().append(true).open(repo.join("large")).unwrap();
    file.set_len(9_000_000).unwrap();
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_shared_repository_stays_open_to_its_group() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.git(["config", "core.sharedRepository", "group"]);
    repo.write("a", "2\n");
    stage_all(&repo).ok().unwrap();
    let mode = |path: camino::Utf8PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(repo.git_dir().join("index")) & 0o060, 0o060);
    let id = repo.git(["rev-parse", ":a"]);
    assert_eq!(mode(repo.git_dir().join("objects").join(&id[..2]).join(&id[2..])), 0o444);
    assert_eq!(mode(repo.git_dir().join("objects").join(&id[..2])) & 0o070, 0o070);
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
