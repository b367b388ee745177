//! Tests the phase on real repositories: what is fetched, what is pushed, and what is reported.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod story;

use contract::NotesResult;
use story::{REF, commit_empty, sync, synced, the_one};
use testkit::{Repo, Sections as _, World};

#[test]
fn notes_go_out_and_come_in() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.note(REF, "HEAD", "use postgres");
    let out = sync(&howard).success();
    assert_eq!(the_one(&out).result, NotesResult::Pushed);
    assert_eq!(origin.notes(REF), howard.notes(REF));

    let out = sync(&mike).success();
    let came = the_one(&out);
    assert_eq!(came.result, NotesResult::Fetched);
    assert_eq!(came.notes.added, 1);
    assert_eq!(came.before, None);
    assert_eq!(mike.notes(REF), howard.notes(REF));
    assert_eq!(mike.rev("refs/notes/origin/mem/decisions"), howard.rev(REF));
}

#[test]
fn notes_of_both_sides_are_merged_and_go_out() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.note(REF, "HEAD", "b");
    sync(&howard).success();
    mike.note(REF, "HEAD", "a");
    let merged = the_one(&sync(&mike).success());
    assert_eq!(merged.result, NotesResult::Merged);
    assert_eq!(merged.notes.combined, 1);
    assert_eq!(merged.strategy, "cat_sort_uniq");
    assert_eq!(mike.notes(REF).into_values().collect::<Vec<_>>(), ["a\nb"]);
    sync(&howard).success();
    for repo in [&howard, &mike, &origin] {
        assert_eq!(repo.rev(REF), merged.after.clone().unwrap());
        repo.assert_sound();
    }
    let message = mike.git(["log", "-1", "--format=%B", REF]);
    assert_eq!(message.trim_end(), format!("Merged notes from refs/notes/origin/mem/decisions into {REF}"));
    assert!(mike.git(["reflog", "-1", "--format=%gs", REF]).starts_with("notes: Merged notes from "));
}

#[test]
fn notes_whose_commits_end_after_their_headers_come_in_are_merged_and_go_out() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let cut_off = |repo: &Repo| {
        let commit = repo.git(["cat-file", "commit", REF]);
        let (headers, _) = commit.split_once("\n\n").unwrap();
        let made = repo.git_invocation().args(["hash-object", "-t", "commit", "-w", "--stdin"]);
        let id = made.stdin(format!("{headers}\n")).success().stdout;
        repo.git(["fsck", "--strict", id.trim()]);
        repo.git(["update-ref", REF, id.trim()]);
    };
    howard.note(REF, "HEAD", "x");
    sync(&howard).success();
    sync(&mike).success();
    howard.note(REF, "HEAD", "b");
    cut_off(&howard);
    assert_eq!(the_one(&sync(&howard).success()).result, NotesResult::Pushed);
    mike.note(REF, "HEAD", "a");
    cut_off(&mike);
    assert_eq!(the_one(&sync(&mike).success()).result, NotesResult::Merged);
    assert_eq!(origin.notes(REF).into_values().collect::<Vec<_>>(), ["a\nb"]);
}

#[test]
fn nothing_to_do_changes_nothing_and_starts_one_program() {
    let (world, _origin, [howard]) = World::with_clones(["howard"]);
    howard.note(REF, "HEAD", "text");
    sync(&howard).success();
    let before = howard.snapshot();
    let recorder = world.recorder();
    let out = sync(&howard).recorded_by(&recorder).success();
    assert_eq!(the_one(&out).result, NotesResult::Unchanged);
    assert_eq!(howard.snapshot(), before);
    assert_eq!(recorder.calls(), Vec::<String>::new(), "no git is started");
}

#[test]
fn notes_nowhere_are_nothing_to_do() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    assert!(synced(&sync(&howard).success()).is_empty());
}

#[test]
fn at_the_start_of_a_session_notes_only_come_in() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.note(REF, "HEAD", "b");
    sync(&howard).success();
    let theirs = origin.rev(REF);
    mike.note(REF, "HEAD", "a");
    assert_eq!(the_one(&sync(&mike).arg("--no-push").success()).result, NotesResult::Merged);
    assert_eq!(origin.rev(REF), theirs);
    sync(&mike).success();
    assert_eq!(origin.rev(REF), mike.rev(REF));
}

#[test]
fn an_agents_hook_says_where_the_repository_is() {
    let (world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note(REF, "HEAD", "text");
    let hook = format!("{{\"hook_event_name\": \"Stop\", \"cwd\": \"{}\"}}", howard.path());
    world.program(env!("CARGO_BIN_EXE_notes-sync")).arg("--json").stdin(hook).success();
    assert_eq!(origin.rev(REF), howard.rev(REF));
}

#[test]
fn a_removed_note_is_removed_everywhere_unless_somebody_changed_it() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let first = howard.head();
    let second = commit_empty(&howard);
    howard.push();
    mike.pull();
    for commit in [&first, &second] {
        howard.note(REF, commit, "text");
    }
    sync(&howard).success();
    sync(&mike).success();
    mike.remove_note(REF, &first);
    mike.remove_note(REF, &second);
    howard.git(["notes", "--ref", REF, "append", "-m", "more", &second]);
    sync(&mike).success();
    sync(&howard).success();
    sync(&mike).success();
    assert_eq!(mike.notes(REF), howard.notes(REF));
    assert_eq!(mike.notes(REF).into_keys().collect::<Vec<_>>(), [second]);
}

#[test]
fn a_remote_that_was_rewound_gets_its_notes_back() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.note(REF, "HEAD", "one");
    sync(&howard).success();
    let old = origin.rev(REF);
    howard.git(["notes", "--ref", REF, "append", "-m", "two"]);
    sync(&howard).success();
    sync(&mike).success();
    origin.git(["update-ref", REF, &old]);
    assert_eq!(the_one(&sync(&mike).success()).result, NotesResult::Pushed);
    assert_eq!(origin.notes(REF), howard.notes(REF));
}

#[test]
fn bare_clones_and_linked_work_trees_sync_alike() {
    let (world, origin, [howard]) = World::with_clones(["howard"]);
    let linked = howard.linked_work_tree("linked");
    linked.note(REF, "HEAD", "from the linked work tree");
    sync(&linked).success();
    assert_eq!(origin.notes(REF), howard.notes(REF));

    world.git(["clone", "-q", "--bare", origin.path().as_str(), "mirror.git"]);
    let bare = world.repo(world.path().join("mirror.git"));
    sync(&bare).success();
    assert_eq!(bare.notes(REF), howard.notes(REF));
    bare.git([
        "-c",
        "user.name=M",
        "-c",
        "user.email=m@example.com",
        "notes",
        "--ref",
        REF,
        "append",
        "-m",
        "more",
        "HEAD",
    ]);
    sync(&bare).success();
    assert_eq!(origin.notes(REF), bare.notes(REF));
}

#[test]
fn all_notes_are_never_the_tracking_ones() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note("refs/notes/commits", "HEAD", "text");
    for _ in 0..3 {
        sync(&howard).args(["--ref", "refs/notes/*"]).success();
    }
    let refs = origin.git(["for-each-ref", "--format=%(refname)", "refs/notes"]);
    assert_eq!(refs, "refs/notes/commits");
    let refs = howard.git(["for-each-ref", "--format=%(refname)", "refs/notes"]);
    assert_eq!(refs, "refs/notes/commits\nrefs/notes/origin/commits");
}

#[test]
fn the_strategy_is_the_one_that_is_configured_closest() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let record = |id: &str| format!("---\nid: {id}\n---\n\n# {id}\n\nz\na\n");
    howard.note(REF, "HEAD", &record("howard"));
    sync(&howard).success();
    mike.note(REF, "HEAD", &record("mike"));
    mike.git(["config", "notes.mergeStrategy", "ours"]);
    mike.git(["config", "notes.mem/decisions.mergeStrategy", "theirs"]);
    mike.git(["config", "lockstep.mem/*.notesStrategy", "records"]);
    let merged = the_one(&sync(&mike).success());
    assert_eq!(merged.strategy, "records");
    let note = mike.notes(REF).into_values().next().unwrap();
    assert_eq!(note, format!("{}\n{}", record("mike"), record("howard")).trim_end());
}

#[test]
fn a_note_whose_lines_are_about_to_be_shredded_is_pointed_out() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.note(REF, "HEAD", "---\nid: 1\n---\ntext");
    sync(&howard).success();
    mike.note(REF, "HEAD", "plain");
    let out = sync(&mike).success();
    assert!(out.document().notes_sync().warnings[0].contains("notesStrategy records"));
}

#[test]
fn a_strategy_that_there_is_not_is_78() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    howard.note(REF, "HEAD", "text");
    for strategy in ["manual", "newest"] {
        howard.git(["config", "notes.mergeStrategy", strategy]);
        let out = sync(&howard).output();
        out.assert_code(78);
        out.assert_says(strategy);
        assert_eq!(out.document().notes_sync().refs, [], "nothing is known of any");
        let told = howard.binary("notes-sync").args(["--fresh", "--human"]).output();
        assert!(!told.stdout.contains("none") && !told.stdout.contains("unchanged"), "{told}");
    }
}

#[test]
fn a_dry_run_tells_what_would_become_of_each_ref_and_changes_nothing() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let commit = mike.head();
    for name in ["same", "moved", "both"] {
        howard.note(&format!("refs/notes/mem/{name}"), &commit, "one\n");
    }
    howard.git(["push", "--quiet", "origin", "refs/notes/mem/*"]);
    mike.binary("notes-sync").success();
    howard.note("refs/notes/mem/theirs", &commit, "theirs\n");
    howard.note("refs/notes/mem/moved", &commit, "two\n");
    howard.note("refs/notes/mem/both", &commit, "howard's\n");
    howard.git(["push", "--quiet", "--force", "origin", "refs/notes/mem/*"]);
    mike.note("refs/notes/mem/both", &commit, "mike's\n");
    mike.note("refs/notes/mem/ours", &commit, "ours\n");
    let before = (mike.snapshot(), origin.snapshot());

    let told = mike.program(env!("CARGO_BIN_EXE_notes-sync")).args(["--dry-run", "--human"]).success().stdout;

    assert_eq!(
        told,
        "notes: here and at origin, nothing is changed\n\
         \u{20} refs/notes/mem/both: would be fetched, and merged where both sides moved, then pushed\n\
         \u{20} refs/notes/mem/moved: would be fetched, and merged where both sides moved, then pushed\n\
         \u{20} refs/notes/mem/ours: would be pushed\n\
         \u{20} refs/notes/mem/same: nothing to do\n\
         \u{20} refs/notes/mem/theirs: would be fetched\n"
    );
    assert_eq!((mike.snapshot(), origin.snapshot()), before);

    // Once the objects are here, it is known which of them are merged.
    mike.git(["fetch", "--quiet", "origin", "refs/notes/mem/*:refs/notes/origin/mem/*", "--force"]);
    let told = mike.program(env!("CARGO_BIN_EXE_notes-sync")).args(["--dry-run", "--human"]).success().stdout;
    assert!(told.contains("mem/both: would be merged, would be pushed\n"), "{told}");
    let quiet = mike.program(env!("CARGO_BIN_EXE_notes-sync")).args(["--dry-run", "--no-push", "--human"]);
    assert!(quiet.success().stdout.contains("mem/ours: would not be pushed\n"));
}
