//! Tests what a commit includes: the named files, and nothing outside of the sparse checkout; and what it leaves out.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Repo, Sections as _, World};

#[test]
fn only_the_named_files_are_committed_and_the_rest_stays_as_it_is() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    mike.write("session-logs/mine.md", "mine\n");
    mike.write("session-logs/other.md", "another session's\n");
    mike.write("staged", "staged\n");
    mike.git(["add", "staged"]);
    mike.append("README.md", "an edit\n");
    let document =
        gitsync(&mike).args(["--only", "session-logs/mine.md", "-m", "my notes"]).success().document();
    assert_eq!(document.main().committed.as_ref().unwrap().added, 1);
    assert_eq!(mike.log("HEAD")[0], "my notes");
    assert_eq!(mike.git(["show", "--name-only", "--format=", "HEAD"]), "session-logs/mine.md");
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(mike.read("theirs"), "1\n");
    assert_eq!(mike.status(), " M README.md\nA  staged\n?? session-logs/other.md");
}

#[test]
fn a_pathspec_takes_what_it_takes_in_git_whatever_the_environment_says_of_pathspecs() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in ["a.md", "b.md", "B.md", "logs/a.md", "logs/deep/b.md", "*.md"] {
        mike.write(name, "1\n");
    }
    let environments: [&[(&str, &str)]; 8] = [
        &[],
        &[("GIT_LITERAL_PATHSPECS", "true")],
        &[("GIT_LITERAL_PATHSPECS", "false")],
        &[("GIT_GLOB_PATHSPECS", "1")],
        &[("GIT_NOGLOB_PATHSPECS", "1")],
        &[("GIT_NOGLOB_PATHSPECS", "0")],
        &[("GIT_NOGLOB_PATHSPECS", "0"), ("GIT_GLOB_PATHSPECS", "1")],
        &[("GIT_ICASE_PATHSPECS", "1")],
    ];
    for variables in environments {
        for spec in ["*.md", "logs/*.md", "[ab].md", "logs", "?.md", "**/b.md", ":(glob)*.md"] {
            let list = mike.program("git").args(["ls-files", "-z", "--others", "--", spec]);
            let run = gitsync(&mike).args(["--dry-run", "--only", spec]);
            let with = |run: testkit::Invocation| {
                variables.iter().fold(run, |run, (name, value)| run.env(name, value))
            };
            // Where everything is literal, so is magic.
            let count = with(list).success().stdout.matches('\0').count();
            let told = with(run).output().stderr;
            let expected = match count {
                0 => "would commit nothing".to_owned(),
                count => format!("would commit: {count} added,"),
            };
            assert!(told.contains(&expected), "{spec} with {variables:?}: {told}, and not {count}");
        }
    }
    mike.write("new", "1\n");
    gitsync(&mike).args(["--only", "/"]).output().assert_code(1);
    gitsync(&mike).args(["--only", "logs/*.md"]).success();
    assert_eq!(mike.git(["show", "--name-only", "--format=", "HEAD"]), "logs/a.md\nlogs/deep/b.md");
}

#[test]
fn a_removal_that_is_staged_can_be_named() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("folder/one", "1\n");
    mike.write("two", "2\n");
    gitsync(&mike).success();
    mike.git(["rm", "--quiet", "folder/one", "two"]);
    mike.write("new", "1\n");
    for (named, left) in [("two", "D  folder/one\n?? new"), ("folder", "?? new")] {
        let document = gitsync(&mike).args(["--only", named]).success().document();
        assert_eq!(document.main().committed.as_ref().unwrap().deleted, 1);
        assert_eq!(mike.status(), left);
        assert_eq!(origin.rev("main"), mike.head());
    }
    let output = gitsync(&mike).args(["--only", "two"]).output();
    output.assert_code(1);
    output.assert_says("the pathspec 'two' matches no file");
}

#[test]
fn what_has_changed_outside_of_a_sparse_checkout_is_named_and_can_be_committed() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("in/a.md", "1\n");
    howard.write("out/b.md", "1\n");
    gitsync(&howard).success();
    gitsync(&mike).success();
    mike.git(["sparse-checkout", "set", "--cone", "in"]);
    assert_eq!(gitsync(&mike).success().document().main().warnings, [""; 0]);

    mike.write("out/b.md", "edited\n");
    mike.write("out/new.md", "new\n");
    let warned =
        "outside of the sparse checkout, and not committed: out/b.md, out/new.md; `git sparse-checkout add";
    let dry = gitsync(&mike).arg("--dry-run").success();
    assert!(dry.document().main().warnings[0].starts_with(warned), "{dry}");
    let output = gitsync(&mike).success();
    output.assert_says("warning: outside of the sparse checkout");
    assert!(output.document().main().warnings[0].starts_with(warned), "{output}");
    assert_eq!(output.document().main().committed, None);

    mike.git(["add", "--sparse", "out/new.md"]);
    mike.git(["sparse-checkout", "add", "out"]);
    let output = gitsync(&mike).success();
    assert_eq!(output.document().main().warnings, [""; 0]);
    mike.assert_clean();
}

#[test]
fn a_file_that_was_deleted_and_is_not_to_be_committed_stays_deleted() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("README.md", "theirs\n");
    gitsync(&howard).success();
    mike.remove("README.md");
    for options in [&["--no-commit"][..], &["--no-commit", "--dry-run"]] {
        let output = gitsync(&mike).args(options).output();
        output.assert_code(if options.len() == 1 { 1 } else { 0 });
        assert_eq!(mike.status(), " D README.md");
    }
    gitsync(&mike).output().assert_code(4);
}

#[test]
fn the_message_that_was_ready_for_the_commit_goes_with_it() {
    let made_ready = |how: &[&str]| {
        let (world, origin, [mike]) = World::with_clones(["mike"]);
        mike.git(["switch", "--quiet", "-c", "side"]);
        mike.write("new", "new\n");
        mike.commit_all("the side's words");
        mike.git(["switch", "--quiet", "main"]);
        mike.git(how.iter().copied().chain(["side"]));
        (world, origin, mike)
    };
    let left = |repo: &Repo| {
        let is_there = |name: &&str| repo.git_dir().join(name).exists();
        ["SQUASH_MSG", "MERGE_MSG", "AUTO_MERGE"].into_iter().filter(is_there).collect::<Vec<_>>()
    };
    for (how, file) in [
        (["merge", "--squash", "--quiet"], "SQUASH_MSG"),
        (["cherry-pick", "--no-commit", "-x"], "MERGE_MSG"),
    ] {
        for options in [&[][..], &["--only", "new"]] {
            let (_world, origin, mike) = made_ready(&how);
            let before = left(&mike);
            assert!(before.contains(&file), "{before:?}");
            gitsync(&mike).arg("--no-commit").success();
            assert_eq!(left(&mike), before, "nothing was committed");
            gitsync(&mike).args(options).success();
            assert_eq!(left(&mike), [""; 0]);
            assert_eq!(origin.rev("main"), mike.head());
        }
    }
}

#[test]
fn a_submodule_is_meant_by_its_name_with_a_slash_behind_it_too() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["init", "--quiet", "library"]);
    for text in ["one", "two"] {
        mike.write("library/lib.md", text);
        mike.git(["-C", "library", "add", "--all"]);
        mike.git(["-C", "library", "commit", "--quiet", "--message", text]);
        mike.write("other.md", text);
        gitsync(&mike).args(["--only", "library/"]).success();
        assert_eq!(origin.rev("main:library"), mike.git(["-C", "library", "rev-parse", "HEAD"]));
        assert_eq!(origin.files("main"), ["README.md", "library"]);
    }
}

#[test]
fn of_a_repository_inside_it_is_said_that_its_content_is_not_committed_unless_others_are_told_where_to_get_it()
 {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in ["inner", "named"] {
        mike.git(["init", "--quiet", name]);
        mike.git(["-C", name, "commit", "--quiet", "--allow-empty", "--message", "first"]);
    }
    mike.write(".gitmodules", "[submodule \"named\"]\n\tpath = named\n\turl = ../named\n");
    let said = "nothing but the commit that they are at is committed: inner; `git submodule add URL PATH`";
    for flag in ["--dry-run", "--quiet"] {
        let output = gitsync(&mike).arg(flag).success();
        let document = output.document();
        let warnings = &document.main().warnings;
        assert!(warnings.len() == 1 && warnings[0].contains(said), "{warnings:?}");
    }
    assert_eq!(gitsync(&mike).success().document().main().warnings, [""; 0]);
}

#[test]
fn what_lies_outside_of_a_sparse_checkout_as_it_was_committed_is_no_change() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    for path in ["in/a.md", "out/b.md", "out/run.sh"] {
        mike.write(path, "1\n");
    }
    mike.set_executable("out/run.sh", true);
    gitsync(&mike).success();
    mike.git(["sparse-checkout", "set", "--cone", "in"]);
    let warnings = || gitsync(&mike).success().document().main().warnings.clone();
    mike.write("out/b.md", "1\n");
    mike.write("out/run.sh", "1\n");
    mike.set_executable("out/run.sh", true);
    assert_eq!(warnings(), [""; 0]);
    mike.set_executable("out/run.sh", false);
    assert!(warnings()[0].contains("not committed: out/run.sh;"));
    mike.set_executable("out/run.sh", true);

    mike.write("out/b.md", "2\n");
    assert!(warnings()[0].contains("not committed: out/b.md;"));
    mike.git(["add", "--sparse", "out/b.md"]);
    assert_eq!(warnings(), [""; 0]);
    assert_eq!(origin.git(["show", "main:out/b.md"]), "2");
    assert_eq!(warnings(), [""; 0]);
}
