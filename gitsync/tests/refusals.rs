//! Tests that what cannot be synced is refused before any change, by name, with the right exit code and a remedy.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::Exit;
use run::gitsync;
use testkit::{Repo, Sections as _, World};

/// Runs it and expects a refusal with `exit` that says `words` and changes nothing.
fn assert_refused(repo: &Repo, exit: Exit, words: &str) {
    let before = repo.snapshot();
    let output = gitsync(repo).output();
    output.assert_code(exit.code().into());
    output.assert_says(words);
    output.assert_says("help:");
    let document = output.document();
    assert_eq!(document.error.as_ref().unwrap().code, exit.code());
    assert_eq!(repo.snapshot(), before);
}

fn mike() -> (World, Repo, Repo) {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("a", "1\n");
    (world, origin, mike)
}

#[test]
fn a_bare_repository() {
    let (world, origin, _mike) = mike();
    let output = world
        .program(env!("CARGO_BIN_EXE_gitsync"))
        .args(["--fresh", "--json", "--repo"])
        .arg(origin.path())
        .output();
    output.assert_code(78);
    output.assert_says("bare");
}

#[test]
fn a_detached_head() {
    let (_world, _origin, mike) = mike();
    mike.git(["switch", "--quiet", "--detach"]);
    assert_refused(&mike, Exit::Failed, "detached");
}

#[test]
fn a_branch_that_another_work_tree_is_on_as_well() {
    let (_world, _origin, mike) = mike();
    let other = mike.linked_work_tree("other");
    other.git(["switch", "--quiet", "--ignore-other-worktrees", "main"]);
    for repo in [&mike, &other] {
        assert_refused(repo, Exit::Misconfigured, "as well");
    }
    // What is damaged, or is not there, is in nobody's way.
    std::fs::create_dir(mike.git_dir().join("worktrees/damaged")).unwrap();
    std::fs::remove_dir_all(other.path()).unwrap();
    gitsync(&mike).output().assert_code(0);
}

#[test]
fn an_unborn_branch_with_nothing_to_commit() {
    let world = World::new();
    let origin = world.bare("origin.git");
    let mike = world.init("mike");
    mike.git(["remote", "add", "origin", origin.path().as_str()]);
    for options in [&[][..], &["--dry-run"]] {
        let output = gitsync(&mike).args(options).output();
        output.assert_code(1);
        output.assert_says("no commit yet");
    }
}

#[test]
fn an_unmerged_index() {
    let (_world, _origin, mike) = mike();
    mike.git(["switch", "--quiet", "-c", "other"]);
    mike.write("README.md", "other\n");
    mike.commit_all("other");
    mike.git(["switch", "--quiet", "main"]);
    mike.write("README.md", "main\n");
    mike.commit_all("main");
    mike.try_git(["merge", "other"]);
    assert_refused(&mike, Exit::Failed, "merge");
    std::fs::remove_file(mike.git_dir().join("MERGE_HEAD")).unwrap();
    assert_refused(&mike, Exit::Failed, "README.md");
}

#[test]
fn what_somebody_is_in_the_middle_of() {
    for (command, words) in [("rebase", "rebase"), ("cherry-pick", "cherry-pick"), ("revert", "revert")] {
        let (_world, _origin, [mike]) = World::with_clones(["mike"]);
        mike.git(["switch", "--quiet", "-c", "other"]);
        mike.write("README.md", "other\n");
        mike.commit_all("other");
        mike.git(["switch", "--quiet", "main"]);
        mike.write("README.md", "main\n");
        mike.commit_all("main");
        mike.write("README.md", "main, again\n");
        mike.commit_all("again");
        let target = if command == "revert" { "HEAD~1" } else { "other" };
        assert_ne!(mike.try_git([command, target]).code, 0, "{command} was to stop half-way");
        if command == "rebase" {
            let output = gitsync(&mike).output();
            output.assert_code(1);
            output.assert_says(words);
        } else {
            assert_refused(&mike, Exit::Failed, words);
        }
    }
    let (_world, _origin, mike) = mike();
    mike.git(["bisect", "start"]);
    assert_refused(&mike, Exit::Failed, "bisect");
}

#[test]
fn a_series_of_which_one_commit_is_made_and_the_rest_is_still_to_come() {
    for command in ["cherry-pick", "revert"] {
        let (_world, _origin, [mike]) = World::with_clones(["mike"]);
        if command == "cherry-pick" {
            mike.git(["switch", "--quiet", "-c", "other"]);
        }
        let series: Vec<String> = ["one\n", "two\n", "three\n"]
            .into_iter()
            .map(|text| {
                mike.write("README.md", text);
                mike.commit_all(text)
            })
            .collect();
        mike.git(["switch", "--quiet", "-C", "main"]);
        mike.write("README.md", "main\n");
        mike.commit_all("main");
        mike.try_git([command, &series[1], &series[2]]).assert_code(1);
        mike.write("README.md", "resolved\n");
        mike.commit_all("resolved");
        mike.write("new", "new\n");
        assert_refused(&mike, Exit::Failed, &format!("a {command} is in progress"));
        mike.git([command, "--quit"]);
        gitsync(&mike).success();
    }
}

#[test]
fn a_fresh_index_lock_that_is_somebody_else_s() {
    let (_world, _origin, mike) = mike();
    std::fs::write(mike.git_dir().join("index.lock"), "").unwrap();
    assert_refused(&mike, Exit::Failed, "index.lock");
}

#[test]
fn refs_in_reftables_and_objects_by_sha_256() {
    for format in ["--ref-format=reftable", "--object-format=sha256"] {
        let world = World::new();
        let path = world.path().join("odd");
        world.git(["init", "--quiet", format, path.as_str()]);
        let repo = world.repo(path);
        repo.write("a", "1\n");
        let output = gitsync(&repo).output();
        output.assert_code(78);
        assert!(!repo.status().is_empty());
    }
}

#[test]
fn an_extension_that_nobody_here_knows() {
    let (_world, _origin, mike) = mike();
    mike.git(["config", "core.repositoryFormatVersion", "1"]);
    for known in ["noop", "preciousObjects", "worktreeConfig"] {
        mike.git(["config", &format!("extensions.{known}"), "true"]);
    }
    gitsync(&mike).success();
    mike.write("new", "1\n");
    let branch = mike.git_dir().join("refs/heads/main");
    let before = std::fs::read(&branch).unwrap();
    mike.git(["config", "extensions.futureStorage", "true"]);
    let output = gitsync(&mike).output();
    output.assert_code(78);
    output.assert_says("extension 'futureStorage'");
    assert_eq!(std::fs::read(branch).unwrap(), before);
}

#[test]
fn a_partial_clone() {
    let (world, origin, _mike) = mike();
    origin.git(["config", "uploadpack.allowFilter", "true"]);
    let path = world.path().join("partial");
    world.git([
        "clone",
        "--quiet",
        "--filter=blob:none",
        &format!("file://{}", origin.path()),
        path.as_str(),
    ]);
    let partial = world.repo(path);
    partial.belongs_to("mike");
    assert_refused(&partial, Exit::Misconfigured, "partial clone");
}

#[test]
fn a_clone_whose_checkout_failed_or_was_left_out_deletes_nothing() {
    let (world, origin, howard) = mike();
    howard.write(".gitattributes", "big filter=large\n");
    howard.write("big", "1\n");
    howard.write("c", "1\n");
    howard.commit_all("three files, of which one needs a filter");
    howard.push();
    let all = howard.files("HEAD");
    for options in
        [&["--config=filter.large.required=true", "--config=filter.large.smudge=false"][..], &["-n"]]
    {
        let path = world.path().join(format!("mike-{}", options.len()));
        let line = [&["clone", "--quiet"], options, &[origin.path().as_str(), path.as_str()]].concat();
        // What failed is the checkout; the clone is there.
        world.repo(world.path()).try_git(line);
        let mike = world.repo(path);
        mike.belongs_to("mike");
        assert_refused(&mike, Exit::Failed, "nothing was checked out here");
        for filter in ["filter.large.clean", "filter.large.smudge"] {
            mike.git(["config", filter, "cat"]);
        }
        mike.git(["reset", "--quiet"]);
        mike.git(["restore", "."]);
        gitsync(&mike).success();
        assert_eq!(origin.files("main"), all);
    }
    let linked = world.path().join("linked");
    howard.git(["worktree", "add", "--quiet", "--no-checkout", "-b", "side", linked.as_str()]);
    assert_refused(&world.repo(linked), Exit::Failed, "nothing was checked out here");
}

#[test]
fn no_remote_and_several_of_which_none_is_the_branch_s() {
    let world = World::new();
    let mike = world.init("mike");
    mike.write("a", "1\n");
    assert_refused(&mike, Exit::Misconfigured, "no remote");
    for name in ["one", "two"] {
        mike.git(["remote", "add", name, "/nowhere"]);
    }
    assert_refused(&mike, Exit::Misconfigured, "one, two");
}

#[test]
fn an_upstream_that_cannot_be_synced_with() {
    let (_world, _origin, mike) = mike();
    mike.git(["config", "branch.main.remote", "gone"]);
    assert_refused(&mike, Exit::Misconfigured, "gone");
    mike.git(["config", "branch.main.remote", "."]);
    assert_refused(&mike, Exit::Misconfigured, "local branch");
    mike.git(["config", "branch.main.remote", "origin"]);
    mike.git(["config", "branch.main.pushRemote", "elsewhere"]);
    assert_refused(&mike, Exit::Misconfigured, "elsewhere");
    mike.git(["config", "--unset", "branch.main.pushRemote"]);
    mike.git(["config", "--add", "branch.main.merge", "refs/heads/other"]);
    assert_refused(&mike, Exit::Misconfigured, "several upstreams");
    // The remedy is one.
    let remedy = ["config", "--replace-all", "branch.main.merge", "refs/heads/main"];
    assert_refused(&mike, Exit::Misconfigured, &format!("git {}", remedy.join(" ")));
    mike.git(remedy);
    gitsync(&mike).success();
}

#[test]
fn a_quotation_mark_in_a_path_stays_in_the_command_that_is_advised() {
    let (world, origin, _mike) = mike();
    world.git(["clone", "--quiet", origin.path().as_str(), "mike's own"]);
    let own = world.repo(world.path().join("mike's own"));
    own.write("a", "1\n");
    let lock = own.git_dir().join("index.lock");
    std::fs::write(&lock, "").unwrap();
    let help = gitsync(&own).output().document().error.unwrap().help.unwrap();
    let (_, command) = help.split_once("it was left behind: ").unwrap();
    own.program("sh").args(["-c", command]).success();
    assert!(!lock.exists(), "{command}");
}

#[test]
fn unrelated_histories() {
    let (world, origin, _mike) = mike();
    let other = world.init("other");
    other.git(["remote", "add", "origin", origin.path().as_str()]);
    other.write("b", "1\n");
    let output = gitsync(&other).output();
    output.assert_code(1);
    output.assert_says("unrelated histories");
    assert_eq!(other.log("HEAD").len(), 1);
    other.assert_clean();
}

#[test]
fn an_upstream_that_is_gone_and_stays_gone() {
    let (_world, origin, mike) = mike();
    mike.git(["push", "--quiet", "origin", "main:other"]);
    origin.git(["symbolic-ref", "HEAD", "refs/heads/other"]);
    origin.git(["update-ref", "-d", "refs/heads/main"]);
    mike.git(["config", "fetch.prune", "true"]);
    for _ in 0..2 {
        let output = gitsync(&mike).output();
        output.assert_code(1);
        output.assert_says("gone");
        assert!(origin.try_rev("refs/heads/main").is_none(), "it must not come back");
    }
}

#[test]
fn nobody_who_commits() {
    let (world, _origin, mike) = mike();
    mike.git(["config", "--unset", "user.name"]);
    std::fs::write(world.git_config(), "").unwrap();
    assert_refused(&mike, Exit::Misconfigured, "who you are");
}

#[test]
fn a_name_that_is_not_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;
    let (_world, _origin, mike) = mike();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
    std::fs::write(mike.path().as_std_path().join(name), "x").unwrap();
    let before = mike.head();
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("caf");
    output.assert_says("UTF-8");
    assert_eq!(mike.head(), before);
}

#[test]
fn a_pathspec_that_matches_nothing() {
    let (_world, _origin, mike) = mike();
    let output = gitsync(&mike).args(["--only", "nothing-of-that-name"]).output();
    output.assert_code(1);
    output.assert_says("nothing-of-that-name");
    assert_eq!(mike.status(), "?? a");
}

#[test]
fn a_remote_that_is_not_there_is_told_from_one_that_cannot_be_reached() {
    let (_world, _origin, mike) = mike();
    mike.git(["remote", "set-url", "origin", "/nowhere/at/all.git"]);
    let output = gitsync(&mike).output();
    assert!([69, 78].contains(&output.code), "{output:?}");
    output.assert_says("/nowhere/at/all.git");
    assert!(output.document().main().committed.is_some(), "the commit is in place");
}

#[cfg(unix)]
#[test]
fn a_configuration_that_cannot_be_read() {
    let (_world, _origin, mike) = mike();
    let config = mike.git_dir().join("config");
    std::fs::rename(&config, mike.git_dir().join("config.away")).unwrap();
    std::os::unix::fs::symlink("config", &config).unwrap();
    let output = gitsync(&mike).output();
    output.assert_code(78);
    output.assert_says("config cannot be read: ");
}

#[test]
fn a_configuration_of_the_system_or_an_include_that_cannot_be_read() {
    let (world, _origin, mike) = mike();
    std::fs::create_dir(world.path().join("folder")).unwrap();
    let folder = world.path().join("folder");
    let output = gitsync(&mike).without_env("GIT_CONFIG_NOSYSTEM").env("GIT_CONFIG_SYSTEM", &folder).output();
    output.assert_code(78);
    output.assert_says("folder cannot be read: ");
    for path in [folder.as_str(), "../../folder", "~/../folder"] {
        mike.git(["config", "include.path", path]);
        let output = gitsync(&mike).output();
        output.assert_code(78);
        output.assert_says("folder cannot be read: ");
        mike.write(".git/config", mike.read(".git/config").replace("[include]", "[other]"));
    }
    mike.git(["config", "include.path", "not/there"]);
    gitsync(&mike).success();
}

#[cfg(unix)]
#[test]
fn a_branch_stays_where_it_is_while_the_reflog_of_head_cannot_be_written() {
    let (_world, _origin, mike) = mike();
    let log = mike.git_dir().join("logs/HEAD");
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("HEAD", &log).unwrap();
    let before = [mike.head(), mike.status()];
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("cannot write the reflog of HEAD");
    assert_eq!([mike.head(), mike.status()], before);
    std::fs::remove_file(&log).unwrap();
    gitsync(&mike).success();
    assert_eq!(mike.status(), "");
}
