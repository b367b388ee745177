//! Tests the prefetch of local notes commits by a run in a pipeline: whatever changes later, the push is up to date.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]
#![cfg(unix)]

use contract::NotesResult;
use testkit::{Pipeline, Repo, Sections as _, World};

const REF: &str = "refs/notes/mem/decisions";

/// Enough commits for a look ahead.
const OWN: usize = 40;

/// `notes-sync` behind a step that does `meanwhile` before it hands the document on: what became of the notes.
fn notes_sync_after(repo: &Repo, meanwhile: &str) -> NotesResult {
    let notes_sync = repo.program(env!("CARGO_BIN_EXE_notes-sync")).args(["--repo", ".", "--json"]);
    let mut ran = Pipeline::after(repo, meanwhile).then(notes_sync).output();
    let notes_sync = ran.parts.pop().unwrap();
    notes_sync.assert_success();
    let refs = notes_sync.document().notes_sync().refs.clone();
    assert_eq!(refs.len(), 1, "{refs:?}");
    refs[0].result
}

fn append(repo: &Repo, text: &str) {
    repo.git(["notes", "--ref", REF, "append", "-m", text, "HEAD"]);
}

/// Mike with commits of his own since the last sync, and Howard, who may have some at the remote.
fn diverged(has_howard_some: bool) -> (World, Repo, Repo) {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    append(&howard, "from the beginning");
    howard.git(["push", "-q", "origin", REF]);
    let refspec = format!("{REF}:{REF}");
    mike.git(["fetch", "-q", "origin", &refspec, &format!("{REF}:refs/notes/origin/mem/decisions")]);
    for line in 0..OWN {
        append(&mike, &format!("mike {line:02}"));
    }
    if has_howard_some {
        append(&howard, "howard");
        howard.git(["push", "-q", "origin", REF]);
    }
    (world, origin, mike)
}

/// That both have the same, that git finds nothing wrong with it, and that these lines are in it.
fn assert_synced(origin: &Repo, mike: &Repo, lines: &[&str]) {
    assert_eq!(origin.rev(REF), mike.rev(REF));
    assert_eq!(mike.rev("refs/notes/origin/mem/decisions"), mike.rev(REF));
    let note = mike.git(["notes", "--ref", REF, "show", "HEAD"]);
    for line in lines {
        assert!(note.lines().any(|other| other == *line), "{line} is missing in\n{note}");
    }
    for repo in [origin, mike] {
        repo.git(["fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn what_was_there_before_goes_out() {
    for has_howard_some in [false, true] {
        let (_world, origin, mike) = diverged(has_howard_some);
        let own = mike.rev(REF);
        let result = notes_sync_after(&mike, ":");
        let lines = ["from the beginning", "mike 00", "mike 39"];
        if has_howard_some {
            assert_eq!(result, NotesResult::Merged);
            assert_synced(&origin, &mike, &[&lines[..], &["howard"]].concat());
        } else {
            assert_eq!(result, NotesResult::Pushed);
            assert_synced(&origin, &mike, &lines);
            assert_eq!(mike.rev(REF), own);
        }
        origin.git(["merge-base", "--is-ancestor", &own, REF]);
    }
}

#[test]
fn what_somebody_adds_meanwhile_goes_out_with_it() {
    let (_world, origin, mike) = diverged(true);
    let result = notes_sync_after(&mike, &format!("git notes --ref {REF} append -m late HEAD"));
    assert_eq!(result, NotesResult::Merged);
    assert_synced(&origin, &mike, &["howard", "mike 00", "mike 39", "late"]);
}

#[test]
fn what_somebody_pushes_meanwhile_is_not_sent_again() {
    let (_world, origin, mike) = diverged(false);
    let own = mike.rev(REF);
    let result = notes_sync_after(&mike, &format!("git push -q origin {REF}"));
    assert_eq!(result, NotesResult::Unchanged);
    assert_synced(&origin, &mike, &["mike 00", "mike 39"]);
    assert_eq!(mike.rev(REF), own);
}

/// So many commits in a repository, each with a note, in the folders in which git puts so many.
fn many_notes(repo: &Repo, commits: usize) -> Vec<String> {
    let who = "committer M <m@example.com> 1700000000 +0000\n";
    let mut script = String::new();
    for number in 1..=commits {
        script += &format!("commit refs/heads/noted\nmark :{number}\n{who}data 5\n{number:05}\n");
    }
    script += &format!("commit {REF}\n{who}data 0\n");
    for number in 1..=commits {
        script += &format!("N inline :{number}\ndata 12\nnote {number:06}\n\n");
    }
    repo.program("git").args(["fast-import", "--quiet"]).stdin(script).success();
    repo.git(["rev-list", "refs/heads/noted"]).lines().map(str::to_owned).collect()
}

#[test]
fn folders_of_notes_become_what_git_makes_of_them() {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let commits = many_notes(&howard, 400);
    howard.git(["push", "-q", "origin", REF, "refs/heads/noted"]);
    let refspec = format!("{REF}:{REF}");
    mike.git(["fetch", "-q", "origin", "refs/heads/noted:refs/heads/noted", &refspec]);
    mike.git(["update-ref", "refs/notes/origin/mem/decisions", REF]);
    for (repo, name, first) in [(&howard, "howard", 0), (&mike, "mike", 25)] {
        for (number, commit) in commits.iter().skip(first).take(50).enumerate() {
            // One note now and then is changed twice, and one goes away.
            let text = format!("{name} {number}");
            repo.git(["notes", "--ref", REF, "append", "-m", &text, commit]);
            if number % 10 == 3 {
                repo.git(["notes", "--ref", REF, "append", "-m", "again", commit]);
            }
        }
        repo.git(["notes", "--ref", REF, "remove", &commits[300 + first]]);
    }
    howard.git(["push", "-q", "origin", REF]);
    let git = world.clone_of(&mike, "git");
    git.git(["fetch", "-q", mike.path().as_str(), &refspec, "refs/heads/noted"]);
    git.git(["fetch", "-q", origin.path().as_str(), &format!("{REF}:refs/notes/theirs")]);
    git.git(["notes", "--ref", REF, "merge", "-q", "-s", "cat_sort_uniq", "refs/notes/theirs"]);

    assert_eq!(notes_sync_after(&mike, ":"), NotesResult::Merged);
    assert_eq!(mike.rev(&format!("{REF}^{{tree}}")), git.rev(&format!("{REF}^{{tree}}")));
    assert_eq!(origin.rev(REF), mike.rev(REF));
    for repo in [&origin, &mike] {
        repo.git(["fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn what_is_missing_here_or_not_what_it_is_called_is_sent_to_nobody() {
    for (what, instead) in [
        ("~20^{tree}", None),
        ("~20^{tree}", Some("~10^{tree}")),
        ("~20^{commit}", Some("~10^{commit}")),
        ("~20:NOTE", None),
        ("~20:NOTE", Some("~10:NOTE")),
    ] {
        let (_world, origin, mike) = diverged(true);
        let before = origin.rev(REF);
        let file = |revision: &str| {
            let id = mike.rev(&format!("{REF}{}", revision.replace("NOTE", &mike.head())));
            mike.common_dir().join(format!("objects/{}/{}", &id[..2], &id[2..]))
        };
        let (file, instead) = (file(what), instead.map(file));
        std::fs::remove_file(&file).unwrap();
        if let Some(instead) = &instead {
            std::fs::copy(instead, &file).unwrap();
        }
        let failed = mike.program(env!("CARGO_BIN_EXE_notes-sync")).arg("--json").output();
        assert_ne!(failed.code, 0, "{what}, {instead:?}: {failed}");
        assert_eq!(origin.rev(REF), before, "{what}, {instead:?}");
        origin.git(["fsck", "--strict", "--no-dangling"]);
    }
}
