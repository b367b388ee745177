//! Tests the notes of replayed commits against what git does with them.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Repo, Sections as _, World};

const REFS: [&str; 3] = ["refs/notes/commits", "refs/notes/mem/decisions", "refs/notes/mem/other"];

/// Two commits of mike's, each with notes, on what howard has gone beyond; and the same once more, for git.
fn to_be_replayed(config: &[(&str, &str)]) -> (World, Repo, Repo) {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    for number in ["1", "2"] {
        mike.write(&format!("mine {number}"), "1\n");
        mike.commit_all(&format!("mine {number}"));
        for name in REFS {
            mike.git(["notes", "--ref", name, "add", "-m", &format!("{name} of {number}\n\nz\na")]);
        }
    }
    for (key, value) in config {
        mike.git(["config", "--add", key, value]);
    }
    world.program("cp").args(["-a", mike.path().as_str(), "for git"]).success();
    let git = world.repo(world.path().join("for git"));
    (world, mike, git)
}

/// What the notes say of the newest commits.
fn notes(repo: &Repo) -> Vec<Option<String>> {
    let of = |name: &str, commit: &str| {
        let shown = repo.try_git(["notes", "--ref", name, "show", commit]);
        (shown.code == 0).then_some(shown.stdout)
    };
    REFS.iter().flat_map(|name| [of(name, "HEAD"), of(name, "HEAD~1")]).collect()
}

#[test]
fn notes_go_with_the_commits_that_are_replayed_where_git_would_take_them_along() {
    for (config, copied) in [
        (&[][..], 0),
        (&[("notes.rewriteRef", "refs/notes/*")][..], 6),
        (&[("notes.rewriteRef", "refs/notes/mem/*")][..], 4),
        (&[("notes.rewriteRef", "refs/notes/commits"), ("notes.rewriteRef", "refs/notes/mem/other")][..], 4),
        (&[("notes.rewriteRef", "refs/notes/*"), ("notes.rewriteMode", "overwrite")][..], 6),
        (&[("notes.rewriteRef", "refs/notes/*"), ("notes.rewriteMode", "cat_sort_uniq")][..], 6),
        (&[("notes.rewriteRef", "refs/notes/*"), ("notes.rewriteMode", "ignore")][..], 6),
        (&[("notes.rewriteRef", "refs/notes/*"), ("notes.rewrite.rebase", "false")][..], 0),
        (&[("notes.rewriteRef", "refs/heads/*")][..], 0),
    ] {
        let (_world, mike, git) = to_be_replayed(config);
        // Git first: it pushes nothing.
        git.git(["pull", "--quiet", "--rebase"]);
        gitsync(&mike).success();
        let now = notes(&mike);
        assert_eq!(now, notes(&git), "{config:?}");
        assert_eq!(now.iter().flatten().count(), copied, "{config:?}");
        mike.assert_sound();
    }
}

#[test]
fn the_environment_names_other_refs_but_does_not_turn_the_copying_on() {
    let named = ("GIT_NOTES_REWRITE_REF", "refs/notes/commits:refs/notes/mem/*");
    for (config, copied) in [(&[][..], 6), (&[("notes.rewrite.rebase", "false")][..], 0)] {
        let (_world, mike, git) = to_be_replayed(config);
        git.git_invocation().args(["pull", "--quiet", "--rebase"]).env(named.0, named.1).success();
        gitsync(&mike).env(named.0, named.1).success();
        let now = notes(&mike);
        assert_eq!(now, notes(&git), "{config:?}");
        assert_eq!(now.iter().flatten().count(), copied, "{config:?}");
    }
}

#[test]
fn a_mode_that_there_is_not_is_told_and_the_sync_goes_through() {
    let config = [("notes.rewriteRef", "refs/notes/*"), ("notes.rewriteMode", "newest")];
    let (_world, mike, _git) = to_be_replayed(&config);
    let document = gitsync(&mike).success().document();
    let [warning] = document.main().warnings.as_slice() else { panic!("{:?}", document.main()) };
    assert!(warning.contains("notes.rewriteMode is newest"), "{warning}");
    assert_eq!(notes(&mike), vec![None; 6]);
    mike.assert_clean();
}
