//! Tests `notes-sync merge` and `notes-sync append` against git's own commands.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use testkit::{Invocation, Repo, World};

const REF: &str = "refs/notes/mem/decisions";

fn tool(repo: &Repo, command: &str) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_notes-sync")).arg(command)
}

/// A repository with three commits, and notes that went two ways.
fn diverged(world: &World) -> Repo {
    let repo = world.init("repo");
    for name in ["a", "b", "c"] {
        repo.write(name, name);
        repo.commit_all(name);
    }
    repo.note("refs/notes/here", "HEAD", "base");
    repo.git(["update-ref", "refs/notes/there", "refs/notes/here"]);
    repo.note("refs/notes/here", "HEAD", "z\na");
    repo.note("refs/notes/here", "HEAD~1", "here");
    repo.note("refs/notes/there", "HEAD", "b\nz");
    repo.note("refs/notes/there", "HEAD~2", "there");
    repo
}

#[test]
fn merge_does_what_git_does() {
    for strategy in ["cat_sort_uniq", "union", "ours", "theirs"] {
        let world = World::new();
        let repo = diverged(&world);
        repo.git(["update-ref", "refs/notes/twin", "refs/notes/here"]);
        repo.git(["notes", "--ref", "twin", "merge", "-q", "-s", strategy, "there"]);
        tool(&repo, "merge").args(["--ref", "here", "--strategy", strategy, "there"]).success();
        assert_eq!(repo.rev("refs/notes/here^{tree}"), repo.rev("refs/notes/twin^{tree}"), "{strategy}");
        assert_eq!(
            repo.git(["rev-parse", "refs/notes/here^@"]),
            repo.git(["rev-parse", "refs/notes/twin^@"])
        );
        let raw = |name: &str| {
            let commit = repo.git(["cat-file", "commit", name]);
            commit.split_once("\n\n").unwrap().1.to_owned()
        };
        assert_eq!(raw("refs/notes/here"), "Merged notes from refs/notes/there into refs/notes/here");
        assert_eq!(raw("refs/notes/twin"), "Merged notes from refs/notes/there into refs/notes/twin");
        let reflog = |name: &str| repo.git(["reflog", "-1", "--format=%gs", name]).replace("twin", "here");
        assert_eq!(reflog("refs/notes/here"), reflog("refs/notes/twin"));
        repo.assert_sound();
    }
}

#[test]
fn merge_takes_missing_sides_and_fast_forwards_as_git_does() {
    let world = World::new();
    let repo = diverged(&world);
    let there = repo.rev("refs/notes/there");
    tool(&repo, "merge").args(["--ref", "new", "there"]).success();
    assert_eq!(repo.rev("refs/notes/new"), there, "a ref that was not there becomes the other");
    tool(&repo, "merge").args(["--ref", "new", "unborn"]).success();
    assert_eq!(repo.rev("refs/notes/new"), there, "there is nothing to merge");
    repo.git(["update-ref", "refs/notes/new", "refs/notes/there~1"]);
    tool(&repo, "merge").args(["--ref", "new", "refs/notes/there"]).success();
    assert_eq!(repo.rev("refs/notes/new"), there, "forward");
    tool(&repo, "merge").args(["--ref", "new", "refs/notes/there~1"]).success();
    assert_eq!(repo.rev("refs/notes/new"), there, "already merged");
    tool(&repo, "merge").args(["--ref", "unborn", "neither"]).output().assert_code(1);
}

#[test]
fn notes_with_the_same_tree_and_another_history_become_a_merge_all_the_same() {
    let world = World::new();
    let repo = diverged(&world);
    repo.git([
        "update-ref",
        "refs/notes/twin",
        &repo.git(["commit-tree", "-m", "x", "refs/notes/here^{tree}"]),
    ]);
    repo.git(["update-ref", "refs/notes/git", "refs/notes/here"]);
    repo.git(["notes", "--ref", "git", "merge", "-q", "-s", "union", "twin"]);
    tool(&repo, "merge").args(["--ref", "here", "--strategy", "union", "twin"]).success();
    assert_eq!(repo.rev("refs/notes/here^{tree}"), repo.rev("refs/notes/git^{tree}"));
    assert_eq!(repo.rev("refs/notes/here^2"), repo.rev("refs/notes/twin"));
}

#[test]
fn a_new_ref_below_a_packed_one_is_refused() {
    let world = World::new();
    let repo = diverged(&world);
    repo.git(["pack-refs", "--all"]);
    let out = tool(&repo, "merge").args(["--ref", "here/below", "there"]).output();
    out.assert_code(1);
    out.assert_says("refs/notes/here");
    let before = repo.git(["for-each-ref"]);
    tool(&repo, "append").args(["--ref", "here/below", "-m", "x"]).output().assert_code(1);
    assert_eq!(repo.git(["for-each-ref"]), before);
}

#[test]
fn append_adds_to_a_note_as_git_does() {
    let world = World::new();
    let repo = diverged(&world);
    for (text, file) in [("first", None), ("second\n\nwith a gap", None), ("", Some("from a file\n"))] {
        if let Some(content) = file {
            repo.write("text", content);
            tool(&repo, "append").args(["--ref", REF, "-F", "text"]).success();
            repo.git(["notes", "--ref", "twin", "append", "-F", "text"]);
        } else {
            tool(&repo, "append").args(["--ref", REF, "-m", text]).success();
            repo.git(["notes", "--ref", "twin", "append", "-m", text]);
        }
        assert_eq!(repo.rev(&format!("{REF}^{{tree}}")), repo.rev("refs/notes/twin^{tree}"));
    }
    tool(&repo, "append").args(["--ref", REF, "--object", "HEAD~1", "-"]).stdin("from stdin").success();
    assert_eq!(repo.git(["notes", "--ref", REF, "show", "HEAD~1"]), "from stdin");
    repo.assert_sound();
}

#[test]
fn nothing_to_append_makes_no_note() {
    let world = World::new();
    let repo = diverged(&world);
    for nothing in ["", "\n \n"] {
        let output = tool(&repo, "append").args(["--ref", "mem/none", "-"]).stdin(nothing).success();
        assert!(format!("{output}").contains("nothing to append"), "{output}");
        assert_eq!(repo.try_rev("refs/notes/mem/none"), None);
    }
}

#[test]
fn append_says_what_is_wrong() {
    let world = World::new();
    let repo = diverged(&world);
    tool(&repo, "append").args(["--ref", REF]).output().assert_code(2);
    tool(&repo, "append").args(["--ref", REF, "-m", "x", "-F", "y"]).output().assert_code(2);
    tool(&repo, "append").args(["--ref", "a..b", "-m", "x"]).output().assert_code(78);
    let out = tool(&repo, "append").args(["--ref", REF, "--object", "nothing", "-m", "x"]).output();
    out.assert_code(1);
    out.assert_says("nothing");
}

#[test]
fn nothing_is_written_into_the_copy_of_a_remotes_notes_which_the_next_fetch_overwrites() {
    const COPY: &str = "refs/notes/origin/mem/decisions";
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.note(REF, "HEAD", "mine");
    mike.git(["push", "--quiet", "origin", REF]);
    mike.git(["fetch", "--quiet", "origin", &format!("{REF}:{COPY}")]);
    let before = mike.rev(COPY);
    for name in [COPY, "origin/mem/decisions", "origin/mem/new"] {
        for (command, args) in [("append", ["-m", "text"].as_slice()), ("merge", &[REF])] {
            let output = tool(&mike, command).args(["--ref", name]).args(args).output();
            output.assert_code(78);
            output.assert_says("is only a copy of what the remote 'origin' has");
        }
    }
    assert_eq!((mike.rev(COPY), mike.try_rev("refs/notes/origin/mem/new")), (before, None));
    // Where no remote is called so, it is a name as any.
    tool(&mike, "append").args(["--ref", "upstream/mem/decisions", "-m", "text"]).success();
}

#[test]
fn of_many_appends_at_once_none_is_lost() {
    let world = World::new();
    let repo = diverged(&world);
    let linked = repo.linked_work_tree("linked");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let at = if writer % 2 == 0 { &repo } else { &linked };
            scope.spawn(move || {
                for round in 0..5 {
                    let text = format!("writer {writer} round {round}");
                    tool(at, "append").args(["--ref", REF, "-q", "-m", &text]).success();
                }
            });
        }
    });
    let note = repo.git(["notes", "--ref", REF, "show", "HEAD"]);
    assert_eq!(note.lines().filter(|line| !line.is_empty()).count(), 40, "{note}");
    repo.assert_sound();
}

#[test]
fn a_note_may_be_about_what_is_not_here() {
    let world = World::new();
    let repo = diverged(&world);
    let elsewhere = "1234567890123456789012345678901234567890";
    tool(&repo, "append").args(["--ref", REF, "--object", elsewhere, "-m", "text"]).success();
    assert_eq!(repo.git(["notes", "--ref", REF, "show", elsewhere]), "text");
}

#[test]
fn a_tag_is_no_notes_ref() {
    let world = World::new();
    let repo = diverged(&world);
    repo.git(["tag", "-a", "-m", "a tag", "notes", "refs/notes/here"]);
    repo.git(["update-ref", REF, "refs/tags/notes"]);
    let output = tool(&repo, "append").args(["--ref", REF, "-m", "text"]).output();
    output.assert_code(1);
    output.assert_says("does not name a commit with notes");
}
