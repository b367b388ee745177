//! Tests that notes which others dropped from a ref are restored, and cases that only look like it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod story;

use story::{REF, commit_empty, sync, the_one};
use testkit::{Sections as _, World};

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
fn a_lost_tip_is_rescued_whatever_the_length_of_the_messages_that_came_after_it() {
    for length in [100, 3500, 4095, 6000, 100_000] {
        let (_world, _origin, [howard]) = World::with_clones(["howard"]);
        let first = howard.head();
        howard.note(REF, &first, "kept");
        sync(&howard).success();
        let base = howard.rev(REF);
        howard.note(REF, &first, "lost");
        let lost = howard.rev(REF);
        let tree = howard.rev(&format!("{base}^{{tree}}"));
        let racing = howard.git(["commit-tree", "-m", "Notes added by 'git notes add'", "-p", &base, &tree]);
        howard.git(["update-ref", "-m", "notes: Notes added by 'git notes add'", REF, &racing]);
        howard.note(REF, &first, "later");
        let long = howard.git(["commit-tree", "-m", "long", "-p", REF, &format!("{REF}^{{tree}}")]);
        howard.git(["update-ref", "-m", &"long ".repeat(length / 5), REF, &long]);
        assert!(howard.git(["reflog", "-1", "--format=%gs", REF]).len() >= length - 5);
        assert_eq!(the_one(&sync(&howard).success()).rescued, [lost], "{length}");
        assert!(howard.notes(REF)[&first].contains("lost"), "{length}");
    }
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
    let second = commit_empty(&howard);
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
    let second = commit_empty(&howard);
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
