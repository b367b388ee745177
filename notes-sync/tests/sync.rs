//! The phase, on real repositories: what comes in, what goes out, and what is reported.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use contract::{NotesResult, Outcome, SyncedRef};
use testkit::{Invocation, Output, Repo, Sections, World};

const REF: &str = "refs/notes/mem/decisions";

fn sync(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_notes-sync")).arg("--json")
}

fn synced(output: &Output) -> Vec<SyncedRef> {
    output.document().notes_sync().refs.clone()
}

#[track_caller]
fn the_one(output: &Output) -> SyncedRef {
    let mut refs = synced(output);
    assert_eq!(refs.len(), 1, "{refs:?}");
    refs.remove(0)
}

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
    let second = howard.commit_all_empty();
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
fn a_ref_that_the_server_refuses_is_reported_and_the_others_go_through() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    origin.hook(
        "update",
        "#!/bin/sh\nif [ \"$1\" = refs/notes/mem/secret ]; then echo 'not that one' >&2; exit 1; fi\n",
    );
    for name in ["refs/notes/mem/open", "refs/notes/mem/secret", "refs/notes/mem/zen"] {
        howard.note(name, "HEAD", "text");
    }
    let out = sync(&howard).output();
    out.assert_code(69);
    let refs = synced(&out);
    let results: Vec<_> = refs.iter().map(|synced| synced.result).collect();
    assert_eq!(results, [NotesResult::Pushed, NotesResult::Rejected, NotesResult::Pushed]);
    assert!(refs[1].message.as_deref().unwrap().contains("hook declined"), "{:?}", refs[1]);
    assert_eq!(origin.try_rev("refs/notes/mem/secret"), None);
    assert_eq!(origin.rev("refs/notes/mem/zen"), howard.rev("refs/notes/mem/zen"));
    assert_eq!(out.document().outcome, Outcome::Failed);
    out.assert_says("refs/notes/mem/secret");
}

#[test]
fn each_ref_that_the_server_refuses_has_the_words_about_it_and_no_others() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    origin.hook("update", "#!/bin/sh\necho \"never ${1##*/}\" >&2\nexit 1\n");
    for name in ["refs/notes/mem/x", "refs/notes/mem/xy"] {
        howard.note(name, "HEAD", "text");
    }
    let out = sync(&howard).output();
    out.assert_code(69);
    let told: Vec<_> = synced(&out).into_iter().map(|synced| synced.message.unwrap()).collect();
    for (message, name) in told.iter().zip(["x", "xy"]) {
        let said = format!("never {name}; error: hook declined to update refs/notes/mem/{name}");
        assert_eq!(*message, format!("hook declined: {said}"));
    }
    let error = out.document().error.unwrap().message;
    assert_eq!(error.matches("never x;").count(), 1, "{error}");

    origin.hook("update", "#!/bin/sh\n");
    origin.hook("pre-receive", "#!/bin/sh\necho 'closed today' >&2\nexit 1\n");
    let out = sync(&howard).output();
    let error = out.document().error.unwrap().message;
    assert_eq!(error.matches("closed today").count(), 1, "{error}");
}

/// A ref of notes that are fine, beside one that is not.
const FINE: &str = "refs/notes/mem/fine";

#[test]
fn a_local_ref_that_names_no_commit_keeps_no_other_one_back() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note(FINE, "HEAD", "text");
    for object in ["HEAD:README.md", "HEAD^{tree}"] {
        howard.git(["update-ref", REF, &howard.rev(object)]);
        howard.git(["notes", "--ref", FINE, "append", "-m", object]);
        let out = sync(&howard).output();
        out.assert_code(1);
        out.assert_says("refs/notes/mem/decisions does not name a commit with notes");
        out.assert_says("git update-ref -d refs/notes/mem/decisions");
        out.assert_says("the other refs were synced");
        let results: Vec<_> = synced(&out).into_iter().map(|synced| synced.result).collect();
        assert_eq!(results, [NotesResult::Rejected, NotesResult::Pushed]);
        assert!(synced(&out)[0].message.as_ref().unwrap().contains("does not name a commit"));
        assert_eq!(origin.rev(FINE), howard.rev(FINE));
        assert_eq!(origin.try_rev(REF), None);
    }
}

#[test]
fn a_ref_at_the_remote_that_names_no_commit_keeps_no_other_one_back() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.note("refs/notes/mem/theirs", "HEAD", "howard");
    sync(&howard).success();
    mike.note(FINE, "HEAD", "mike");
    origin.git(["update-ref", REF, &origin.rev("main:README.md")]);
    for round in ["one", "two"] {
        mike.git(["notes", "--ref", FINE, "append", "-m", round]);
        let out = sync(&mike).output();
        out.assert_code(1);
        out.assert_says("refs/notes/mem/decisions at origin does not name a commit with notes, but a blob");
        out.assert_says("git push origin :refs/notes/mem/decisions");
        assert_eq!(synced(&out)[0].result, NotesResult::Rejected);
        assert_eq!(synced(&out)[1].result, NotesResult::Pushed);
        assert_eq!(origin.rev(FINE), mike.rev(FINE));
        assert_eq!(mike.notes("refs/notes/mem/theirs"), howard.notes("refs/notes/mem/theirs"));
    }
    // Also where there are notes of that name here, and in a dry run.
    mike.note(REF, "HEAD", "mine");
    for args in [&["--json"][..], &["--dry-run", "--json"]] {
        let out = mike.program(env!("CARGO_BIN_EXE_notes-sync")).args(args.iter().copied()).output();
        out.assert_code(1);
        out.assert_says("git push origin :refs/notes/mem/decisions");
    }
    // The remedy is one.
    mike.git(["push", "--quiet", "origin", &format!(":{REF}")]);
    sync(&mike).success();
    assert_eq!(origin.rev(REF), mike.rev(REF));
    sync(&mike).success();
}

#[test]
fn notes_that_were_not_sent_are_not_called_unchanged() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note(FINE, "HEAD", "sent");
    sync(&howard).success();
    howard.note(REF, "HEAD", "not sent");
    std::fs::rename(origin.path(), origin.path().with_extension("away")).unwrap();
    let out = sync(&howard).output();
    assert!([69, 78].contains(&out.code), "{out}");
    let results: Vec<_> = synced(&out).into_iter().map(|synced| (synced.name, synced.result)).collect();
    let expected = [(REF, NotesResult::Rejected), (FINE, NotesResult::Unchanged)];
    assert_eq!(results, expected.map(|(name, result)| (name.to_owned(), result)));
    assert!(synced(&out)[0].message.as_ref().unwrap().contains("were not sent"));
}

#[test]
fn a_remote_that_is_gone_is_69_and_changes_nothing() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note(REF, "HEAD", "text");
    std::fs::rename(origin.path(), origin.path().with_extension("away")).unwrap();
    let before = howard.snapshot();
    let out = sync(&howard).output();
    assert!([69, 78].contains(&out.code), "{}", out.code);
    assert_eq!(howard.snapshot(), before);
}

#[test]
fn a_repository_without_a_remote_is_78() {
    let world = World::new();
    let alone = world.init("alone");
    let out = sync(&alone).output();
    out.assert_code(78);
    out.assert_says("git remote add");
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
fn a_refspec_that_overwrites_notes_is_named_and_what_it_overwrote_comes_back() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.note(REF, "HEAD", "howard");
    sync(&howard).success();
    mike.git(["config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*"]);
    mike.note(REF, "HEAD", "mike");
    mike.git(["fetch", "-q"]);
    assert_eq!(mike.notes(REF), howard.notes(REF), "git threw mike's note away");
    let out = sync(&mike).success();
    assert!(out.document().notes_sync().warnings[0].contains("+refs/notes/*:refs/notes/*"));
    assert_eq!(mike.notes(REF).into_values().collect::<Vec<_>>(), ["howard\nmike"]);
    assert_eq!(the_one(&out).rescued.len(), 1);
    assert_eq!(origin.rev(REF), mike.rev(REF));
}

#[test]
fn notes_that_a_forced_fetch_took_back_to_what_was_synced_come_back() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.note(REF, "HEAD", "synced");
    sync(&mike).success();
    mike.git(["notes", "--ref", REF, "append", "-m", "not yet"]);
    mike.git(["fetch", "-q", "origin", "+refs/notes/mem/*:refs/notes/mem/*"]);
    assert!(!mike.notes(REF).into_values().any(|note| note.contains("not yet")));
    sync(&mike).success();
    assert!(origin.notes(REF).into_values().any(|note| note.contains("not yet")));
}

#[test]
fn a_tip_that_a_racing_writer_threw_out_is_rescued_and_a_reset_is_reported() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    let first = howard.head();
    howard.note(REF, &first, "kept");
    let base = howard.rev(REF);
    howard.note(REF, &first, "lost");
    let lost = howard.rev(REF);
    // What `git notes` does in a race: it writes a commit on the older tip, whatever the ref is by then.
    let tree = howard.rev(&format!("{base}^{{tree}}"));
    let racing = howard.git(["commit-tree", "-m", "Notes added by 'git notes add'", "-p", &base, &tree]);
    howard.git(["update-ref", "-m", "notes: Notes added by 'git notes add'", REF, &racing]);
    let out = sync(&howard).success();
    assert_eq!(the_one(&out).rescued, [lost]);
    assert!(howard.notes(REF)[&first].contains("lost"));

    howard.git(["notes", "--ref", REF, "append", "-m", "dropped"]);
    let dropped = howard.rev(REF);
    howard.git(["update-ref", "-m", "on purpose", REF, &format!("{REF}^")]);
    howard.git(["notes", "--ref", REF, "append", "-m", "later"]);
    let out = sync(&howard).success();
    assert_eq!(the_one(&out).rescued, Vec::<String>::new());
    assert!(out.document().notes_sync().warnings[0].contains(&dropped[..12]));
    assert!(!howard.notes(REF)[&first].contains("dropped"));
}

#[test]
fn a_reset_that_the_remote_undoes_is_not_reported() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    for note in ["one", "two", "three"] {
        howard.note(REF, "HEAD", note);
    }
    sync(&howard).success();
    let whole = howard.rev(REF);
    howard.git(["update-ref", REF, &format!("{REF}~2")]);
    let out = sync(&howard).success();
    assert_eq!(howard.rev(REF), whole);
    assert_eq!(out.document().notes_sync().warnings, [""; 0]);
}

#[test]
fn no_rescue_leaves_lost_tips_alone() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    howard.note(REF, "HEAD", "kept");
    let base = howard.rev(REF);
    howard.note(REF, "HEAD", "lost");
    howard.git(["update-ref", "-m", "notes: Notes added by 'git notes add'", REF, &base]);
    let after = the_one(&sync(&howard).arg("--no-rescue").success());
    assert_eq!(after.after.unwrap(), base);
}

#[test]
fn a_commit_that_undid_another_writers_note_is_repaired_once() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    let first = howard.head();
    let second = howard.commit_all_empty();
    howard.note(REF, &first, "first");
    let read = howard.rev(REF);
    howard.note(REF, &second, "second");
    let parent = howard.rev(REF);
    // `git notes append` had read the notes at `read`, and then took `parent` for its parent.
    howard.git(["update-ref", "refs/notes/scratch", &read]);
    howard.git(["notes", "--ref", "scratch", "append", "-m", "more", &first]);
    let tree = howard.rev("refs/notes/scratch^{tree}");
    let message = "Notes added by 'git notes append'";
    let blind = howard.git(["commit-tree", "-m", message, "-p", &parent, &tree]);
    howard.git(["update-ref", "-m", "notes: Notes added by 'git notes append'", REF, &blind]);
    assert_eq!(howard.notes(REF).len(), 1);

    let out = the_one(&sync(&howard).arg("--no-push").success());
    assert_eq!(out.rescued, [blind]);
    assert_eq!(howard.notes(REF).len(), 2);
    assert!(howard.notes(REF)[&first].contains("more"));

    // What is removed afterwards is removed.
    howard.remove_note(REF, &second);
    sync(&howard).success();
    assert_eq!(howard.notes(REF).len(), 1);
}

#[test]
fn the_very_first_note_is_put_back_where_a_writer_that_saw_no_notes_undid_it() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    let first = howard.head();
    let second = howard.commit_all_empty();
    howard.note(REF, &first, "first");
    let parent = howard.rev(REF);
    // `git notes append` had read that there are no notes, and then took `parent` for its parent.
    howard.git(["notes", "--ref", "scratch", "append", "-m", "second", &second]);
    let tree = howard.rev("refs/notes/scratch^{tree}");
    let message = "Notes added by 'git notes append'";
    let blind = howard.git(["commit-tree", "-m", message, "-p", &parent, &tree]);
    howard.git(["update-ref", "-m", "notes: Notes added by 'git notes append'", REF, &blind]);
    assert_eq!(howard.notes(REF).len(), 1);

    let out = the_one(&sync(&howard).arg("--no-push").success());
    assert_eq!(out.rescued, [blind]);
    assert_eq!(howard.notes(REF)[&first], "first");
    assert_eq!(howard.notes(REF)[&second], "second");
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

/// What the test kit has no word for.
trait Empty {
    fn commit_all_empty(&self) -> String;
}

impl Empty for Repo {
    fn commit_all_empty(&self) -> String {
        self.git(["commit", "-q", "--allow-empty", "-m", "empty"]);
        self.head()
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
