//! Tests what is staged against `git add -A`, case by case, judged by git in a twin.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::fs::File;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use common::{age, assert_stages_as_git, repo_with, stage_all};
use gitsync::stage::Why;
use testkit::World;

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

/// Of a file that was written in the very moment of the index its size and time tell nothing, see
/// <https://git-scm.com/docs/racy-git>.
#[test]
fn a_file_of_the_old_size_and_of_the_indexs_time_is_read() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "one\n")]);
    repo.git(["config", "core.trustctime", "false"]);
    let moment = SystemTime::now() - Duration::from_secs(3600);
    let date = |path: &str| {
        let file = File::options().write(true).open(repo.join(path)).unwrap();
        file.set_modified(moment).unwrap();
    };
    date("a");
    repo.git(["update-index", "--refresh"]);
    date(".git/index");
    repo.write("a", "two\n");
    date("a");
    assert_eq!(stage_all(&repo).ok().unwrap().counts.modified, 1);
    assert_eq!(repo.git(["status", "--porcelain"]), "M  a");
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
#[cfg(not(target_vendor = "apple"))]
fn a_name_in_decomposed_unicode_is_staged_whatever_a_mac_has_left_in_the_configuration() {
    let world = World::new();
    let repo = repo_with(&world, &[("e\u{301}", "1\n")]);
    repo.git(["config", "core.precomposeUnicode", "true"]);
    repo.write("e\u{301}", "2\n");
    repo.write("o\u{308}", "1\n");
    let staged = assert_stages_as_git(&world, &repo);
    assert_eq!((staged.counts.added, staged.counts.modified, staged.counts.deleted), (1, 1, 0));
}

#[test]
fn a_case_only_rename_is_a_rename_where_case_counts() {
    let world = World::new();
    let repo = repo_with(&world, &[("Readme", "1\n")]);
    repo.rename("Readme", "README");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_repository_without_a_commit_in_place_of_a_file_is_refused() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.remove("a");
    let nested = world.repo(repo.join("a"));
    std::fs::create_dir(nested.path()).unwrap();
    nested.git(["init", "--quiet"]);
    nested.write("inside", "1\n");
    let Err(refused) = stage_all(&repo) else { panic!("what is inside would be in no commit") };
    assert!(matches!(refused[0].why, Why::NoCommitCheckedOut));
    assert_ne!(repo.try_git(["add", "--all"]).code, 0);
}
