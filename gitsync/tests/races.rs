//! Tests concurrent changes between any two steps of a run: none is overwritten, and the next run catches up.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::{Beginning, Copy, PLACES, at_the, gitsync};
use testkit::{Invocation, Repo, Sections as _, World};

/// Two clones that both moved on: Howard's commits are at the remote, Mike's are not made yet.
fn beginning() -> Beginning {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for name in ["one", "two", "three", "four"] {
        howard.write(&format!("shared/{name}.md"), format!("{name}\n"));
    }
    gitsync(&howard).success();
    gitsync(&mike).success();
    howard.write("shared/one.md", "one, by Howard\n");
    howard.write("shared/new.md", "new, by Howard\n");
    howard.write("shared/four.md", "four, by Howard\n");
    howard.remove("shared/three.md");
    gitsync(&howard).success();
    mike.write("mine.md", "mine\n");
    Beginning::new(world)
}

/// Runs it while `command` is run, once, each time at another place; then once more in peace.
fn at_every_place(command: &str, check: impl Fn(&str, &Repo, &Repo)) {
    let beginning = beginning();
    for place in PLACES {
        let Copy { origin, mike, .. } = beginning.copy();
        let once = format!("{place}=test -e .git/once || {{ touch .git/once; {command}; }}");
        let first = gitsync(&mike).env("LOCKSTEP_FAILPOINT", once).output();
        assert!([0, 1, 4, 69].contains(&first.code), "{place}: {first:?}");
        std::fs::remove_file(mike.join(".git/once")).unwrap_or_else(|_| panic!("{place} was never reached"));
        let second = gitsync(&mike).output();
        assert!([0, 4].contains(&second.code), "{place}: {second:?}");
        assert_eq!(mike.read("mine.md"), "mine\n", "{place}");
        check(place, &mike, &origin);
        mike.assert_sound();
        mike.assert_unlocked();
    }
}

/// Whether some commit of the branch has a file with this content.
fn is_committed(repo: &Repo, path: &str, content: &str) -> bool {
    repo.git(["log", "--format=%H", "--", path])
        .lines()
        .filter_map(|id| {
            let output = repo.try_git(["show", &format!("{id}:{path}")]);
            (output.code == 0).then_some(output.stdout)
        })
        .any(|found| found == content)
}

#[test]
fn files_that_are_edited_added_or_deleted_meanwhile_are_kept() {
    let edits = "echo 'one, by Mike' > shared/one.md; echo 'three, by Mike' > shared/three.md; \
                 echo 'new, by Mike' > shared/new.md; rm -f shared/two.md";
    at_every_place(edits, |place, mike, _| {
        for (path, content) in [
            ("shared/one.md", "one, by Mike\n"),
            ("shared/three.md", "three, by Mike\n"),
            ("shared/new.md", "new, by Mike\n"),
        ] {
            let here = std::fs::read_to_string(mike.join(path)).is_ok_and(|found| found == content);
            assert!(here || is_committed(mike, path, content), "{place}: {path}");
        }
        assert!(is_committed(mike, "shared/two.md", "two\n"), "{place}");
    });
}

#[test]
fn between_any_two_files_of_the_update_too() {
    // Written, replaced by renaming, made where something new comes, and a folder where a file was.
    let edits = "echo 'one, by Mike' > shared/one.md; echo 'four, by Mike' > shared/.four; mv shared/.four shared/four.md; \
                 echo 'new, by Mike' > shared/new.md; rm -f shared/two.md; \
                 rm -f shared/three.md; mkdir -p shared/three.md; echo 'inside, by Mike' > shared/three.md/inside.md";
    let written = [
        ("shared/one.md", "one, by Mike\n"),
        ("shared/four.md", "four, by Mike\n"),
        ("shared/new.md", "new, by Mike\n"),
        ("shared/three.md/inside.md", "inside, by Mike\n"),
    ];
    let beginning = beginning();
    let mut reached = 0;
    for nth in 1.. {
        let Copy { mike, .. } = beginning.copy();
        let first =
            gitsync(&mike).env("LOCKSTEP_FAILPOINT", format!("update-file={}", at_the(nth, edits))).output();
        if std::fs::remove_file(mike.join(".git/once")).is_err() {
            assert_eq!(first.code, 0, "{nth}: {first:?}");
            break;
        }
        reached = nth;
        assert!([0, 1, 4].contains(&first.code), "{nth}: {first:?}");
        let second = gitsync(&mike).output();
        assert!([0, 4].contains(&second.code), "{nth}: {second:?}");
        for (path, content) in written {
            let here = std::fs::read_to_string(mike.join(path)).is_ok_and(|found| found == content);
            assert!(here || is_committed(&mike, path, content), "{nth}: {path}");
        }
        assert_eq!(mike.read("mine.md"), "mine\n", "{nth}");
        mike.assert_sound();
        mike.assert_unlocked();
    }
    assert!(reached >= 4, "only {reached} files were updated");
}

/// Howard has changed a file's first line; Mike's program adds to its end whenever `when` holds, before it comes in.
fn written_during_the_run(when: &str) -> (World, Repo, Invocation) {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("log", "first\n\n\n\n\nlast\n");
    gitsync(&howard).success();
    gitsync(&mike).success();
    howard.write("log", "first, by Howard\n\n\n\n\nlast\n");
    gitsync(&howard).success();
    mike.write("mine.md", "mine\n");
    let write = format!("fetched=if {when}; then echo more >>log; echo >>.git/written; fi");
    let invocation = gitsync(&mike).env("LOCKSTEP_FAILPOINT", write);
    (world, mike, invocation)
}

#[test]
fn a_file_that_is_written_time_and_again_comes_in_once_it_rests() {
    let (_world, mike, gitsync) = written_during_the_run("[ $(cat .git/written 2>/dev/null | wc -l) -lt 4 ]");
    let output = gitsync.success();
    assert_eq!(output.document().main().attempts, 5);
    assert_eq!(mike.read("log"), "first, by Howard\n\n\n\n\nlast\nmore\nmore\nmore\nmore\n");
    assert_eq!(mike.rev("origin/main"), mike.head());
    mike.assert_clean();
    mike.assert_sound();
}

#[test]
fn a_file_that_never_rests_ends_the_attempts_and_loses_nothing() {
    let (_world, mike, invocation) = written_during_the_run("true");
    let output = invocation.args(["--attempts", "3"]).output();
    output.assert_code(1);
    output.assert_says("files or the branch here moved each time; tried 3 times");
    assert_eq!(output.document().main().attempts, 3);
    assert_eq!(mike.read("log"), "first\n\n\n\n\nlast\nmore\nmore\nmore\n");
    gitsync(&mike).success();
    assert_eq!(mike.read("log"), "first, by Howard\n\n\n\n\nlast\nmore\nmore\nmore\n");
    mike.assert_clean();
}

#[test]
fn a_commit_that_somebody_makes_meanwhile_is_kept() {
    at_every_place(
        "echo theirs > theirs.md; git add theirs.md; git commit --quiet -m meanwhile -- theirs.md",
        |place, mike, origin| {
            // While the run holds the index, git is refused; the file is there all the same.
            assert_eq!(mike.read("theirs.md"), "theirs\n", "{place}");
            assert_eq!(origin.rev("main"), mike.head(), "{place}");
            assert!(is_committed(mike, "theirs.md", "theirs\n"), "{place}");
        },
    );
}

#[test]
fn a_branch_that_somebody_switches_to_meanwhile_is_not_moved_by_mistake() {
    at_every_place("git switch --quiet -c elsewhere", |place, mike, _| {
        let at_main = mike.git(["log", "--format=%s", "main"]);
        assert!(!at_main.is_empty(), "{place}");
        assert!(is_committed(mike, "mine.md", "mine\n"), "{place}");
    });
}

#[test]
fn a_remote_that_moves_meanwhile_is_caught_up_with() {
    let beginning = beginning();
    for place in ["looked", "fetched", "updated", "pushing"] {
        let Copy { origin, howard, mike } = beginning.copy();
        howard.write("late.md", "late\n");
        howard.commit_all("late");
        let once = format!(
            "{place}=test -e .git/once || {{ touch .git/once; git -C '{}' push --quiet; }}",
            howard.path()
        );
        let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", once).output();
        assert_eq!(output.code, 0, "{place}: {output:?}");
        gitsync(&mike).success();
        if origin.files("main").contains(&"late.md".to_owned()) {
            assert_eq!(mike.read("late.md"), "late\n", "{place}");
        }
        assert_eq!(origin.rev("main"), mike.head(), "{place}");
        mike.assert_clean();
    }
}

#[test]
fn commits_that_are_about_to_become_the_branch_are_not_repacked_away() {
    let beginning = beginning();
    for place in PLACES {
        let Copy { mike, .. } = beginning.copy();
        for number in 0..8 {
            mike.write("mine.md", format!("{number}\n"));
            mike.commit_all("mine");
        }
        let run = gitsync(&mike).env("LOCKSTEP_FAILPOINT", format!("{place}=git repack -a -d -q")).output();
        assert_eq!(run.code, 0, "{place}: {run:?}");
        assert_eq!(mike.git(["rev-list", "--count", "origin/main..HEAD"]).trim(), "0", "{place}");
        mike.assert_sound();
    }
}
