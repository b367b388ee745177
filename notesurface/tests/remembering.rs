//! Tests that what was shown is not shown again, and that what was not shown is not forgotten.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod story;

use serde_json::json;
use story::{NOTE, bodies, identify, mike_and_howard, publish, shown, shown_after_sync, surface, sync};
use testkit::{Repo, Sections as _};

const POINTER: &str = "refs/lockstep/surfaced";

fn publish_note(repo: &Repo, name: &str) {
    publish(repo, &format!("session-logs/{name}.md"), &format!("## Note for Mike\n{name}\n"));
}

#[test]
fn a_note_is_shown_once() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    assert_eq!(shown_after_sync(&mike), ["one"]);
    assert_eq!(mike.rev(POINTER), mike.rev("origin/main"));
    assert_eq!(shown_after_sync(&mike), [""; 0]);
    assert_eq!(shown(&mike, &[]), [""; 0]);
}

#[test]
fn a_note_that_is_left_once_more_in_the_same_log_is_shown_once_more() {
    let (_world, mike, howard) = mike_and_howard();
    let log = "session-logs/day.md";
    publish(&howard, log, NOTE);
    assert_eq!(shown_after_sync(&mike).len(), 1);
    let again = publish(&howard, log, &format!("{NOTE}\n# Later\n\n{NOTE}"));
    let document = surface(&mike, &sync(&mike)).document();
    let commits: Vec<_> = document.notesurface().notes.iter().map(|note| &*note.commit).collect();
    assert_eq!(commits, [&*again]);
    howard.rename(log, "session-logs/moved.md");
    howard.commit_all("a move");
    publish(&howard, "session-logs/moved.md", &format!("{NOTE}\n# Later\n\n{NOTE}\n# Late\n\n{NOTE}"));
    assert_eq!(shown_after_sync(&mike).len(), 1);
}

#[test]
fn where_nothing_was_ever_shown_only_what_this_run_brought_in_is_new() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "old");
    mike.pull();
    publish_note(&howard, "new");
    assert_eq!(shown_after_sync(&mike), ["new"]);
}

#[test]
fn logs_that_the_sync_has_named_are_looked_at_and_no_others() {
    let (_world, mike, howard) = mike_and_howard();
    let from = mike.head();
    publish(&howard, "session-logs/named.md", NOTE);
    publish(&howard, "session-logs/other.md", &NOTE.replace("Acme", "Umbra"));
    let mut document = sync(&mike);
    let named = |path: &str| {
        let after = mike.rev(&format!("HEAD:{path}"));
        json!([{"path": path, "before": null, "after": after}])
    };
    let pulled = &mut document["phases"]["gitsync"]["main"]["pulled"];
    pulled["session_logs"] = named("session-logs/named.md");
    assert_eq!(bodies(&surface(&mike, &document)).len(), 1);

    // What is said of another part of history is of no use.
    mike.git(["update-ref", "-d", "refs/lockstep/surfaced"]);
    mike.git(["update-ref", "refs/lockstep/surfaced", &from]);
    document["phases"]["gitsync"]["main"]["pulled"]["from"] = json!(mike.rev("HEAD^"));
    assert_eq!(bodies(&surface(&mike, &document)).len(), 2);

    mike.git(["update-ref", "refs/lockstep/surfaced", &from]);
    document["phases"]["gitsync"]["main"]["pulled"]["from"] = json!(from);
    document["phases"]["gitsync"]["main"]["pulled"]["session_logs"][0]["after"] = json!("no id");
    let output = mike.program(env!("CARGO_BIN_EXE_notesurface")).stdin(document.to_string()).output();
    output.assert_code(65);
    output.assert_says("pulled.session_logs");
}

#[test]
fn a_run_that_died_before_showing_leaves_its_notes_to_the_next() {
    let (_world, mike, howard) = mike_and_howard();
    surface(&mike, &sync(&mike));
    publish_note(&howard, "one");
    sync(&mike);
    publish_note(&howard, "two");
    assert_eq!(shown_after_sync(&mike), ["one", "two"]);
}

#[test]
fn a_run_whose_reader_went_away_leaves_its_notes_to_the_next() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    let document = sync(&mike).to_string();
    mike.write("../document.json", &document);
    // A pipe that nobody reads any more.
    let gone = "mkfifo ../gone; exec 9<>../gone 8>../gone; exec 9<&-; rm ../gone";
    for streams in [">&8", "2>&8 >../out.json", ">/dev/full", ">&-", "--human >&-", "2>&- >../out.json"] {
        let script = format!("{gone}; '{}' <../document.json {streams}", env!("CARGO_BIN_EXE_notesurface"));
        mike.program("sh").args(["-c", &script]).output();
        assert_ne!(mike.try_rev(POINTER), Some(mike.rev("origin/main")), "{streams}");
    }
    assert_eq!(shown_after_sync(&mike), ["one"]);
}

#[test]
fn notes_that_the_caller_throws_away_count_as_shown() {
    // Some programs open `/dev/null` for reading too when they start another.
    for streams in [">/dev/null 2>&1", "1<>/dev/null", "2<>/dev/null >../out.json"] {
        let (_world, mike, howard) = mike_and_howard();
        publish_note(&howard, "one");
        mike.write("../document.json", sync(&mike).to_string());
        let script = format!("'{}' <../document.json {streams}", env!("CARGO_BIN_EXE_notesurface"));
        mike.program("sh").args(["-c", &script]).success();
        assert_eq!(mike.rev(POINTER), mike.rev("origin/main"), "{streams}");
    }
}

#[test]
fn pending_since_and_all_look_without_counting_as_shown() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    let before = howard.head();
    assert_eq!(shown_after_sync(&mike), ["one"]);
    publish_note(&howard, "two");
    mike.pull();
    for _ in 0..2 {
        assert_eq!(shown(&mike, &["--pending"]), ["two"]);
        assert_eq!(shown(&mike, &["--all"]), ["one", "two"]);
        assert_eq!(shown(&mike, &["--since", &before]), ["two"]);
    }
    assert_eq!(shown(&mike, &[]), ["two"]);
    assert_eq!(shown(&mike, &["--pending"]), [""; 0]);
}

#[test]
fn ack_counts_everything_as_shown() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    mike.pull();
    assert_eq!(shown(&mike, &["ack"]), [""; 0]);
    assert_eq!(shown(&mike, &["--pending"]), [""; 0]);
    publish_note(&howard, "two");
    mike.pull();
    assert_eq!(shown(&mike, &[]), ["two"]);
}

#[test]
fn ack_counts_what_the_document_shows_and_not_what_came_in_since() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    let document = sync(&mike).to_string();
    let pending = mike.program(env!("CARGO_BIN_EXE_notesurface")).arg("--pending").stdin(document).success();
    publish_note(&howard, "two");
    mike.pull();
    let acknowledged =
        mike.program(env!("CARGO_BIN_EXE_notesurface")).arg("ack").stdin(pending.stdout).success();
    assert_eq!(bodies(&acknowledged), ["one"]);
    assert_eq!(shown(&mike, &[]), ["two"]);
}

#[test]
fn the_first_run_of_all_may_die_too() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    let document = sync(&mike).to_string();
    mike.program(env!("CARGO_BIN_EXE_notesurface")).arg("--pending").stdin(document).success();
    assert_eq!(shown(&mike, &[]), ["one"]);
}

#[test]
fn a_dry_run_leaves_the_pointer_alone_even_where_there_is_none() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    let mut document = sync(&mike);
    let dry_run = |document: &serde_json::Value| {
        let dry_run = mike.program(env!("CARGO_BIN_EXE_notesurface")).arg("--dry-run");
        bodies(&dry_run.stdin(document.to_string()).success())
    };
    assert_eq!(dry_run(&document), ["one"]);
    // What the remote has, and this repository has not: a dry run of gitsync only heard of it.
    document["phases"]["gitsync"]["main"]["pulled"]["to"] = "1234567890123456789012345678901234567890".into();
    assert_eq!(dry_run(&document), [""; 0]);
    assert_eq!(mike.try_rev(POINTER), None);
}

#[test]
fn a_revision_that_names_no_commit_is_refused() {
    let (_world, mike, _howard) = mike_and_howard();
    let output = mike.program(env!("CARGO_BIN_EXE_notesurface")).args(["--since", "nowhere"]).output();
    output.assert_code(1);
    output.assert_says("nowhere names no commit");
}

#[test]
fn each_machine_of_a_user_shows_a_note_once() {
    let (world, mike, howard) = mike_and_howard();
    let laptop = world.clone_of(&world.repo(world.path().join("origin.git")), "mikes-laptop");
    laptop.belongs_to("mike");
    identify(&laptop);
    publish_note(&howard, "one");
    assert_eq!(shown_after_sync(&mike), ["one"]);
    publish(&mike, "session-logs/mike.md", "a log of his own\n");
    assert_eq!(shown_after_sync(&laptop), ["one"]);
    assert_eq!(shown_after_sync(&laptop), [""; 0]);
}

#[test]
fn notes_survive_that_the_users_own_commits_are_rebased() {
    let (_world, mike, howard) = mike_and_howard();
    mike.write("session-logs/mike.md", "a log of his own\n");
    mike.commit_all("mine, not pushed yet");
    surface(&mike, &sync(&mike));
    publish_note(&howard, "one");
    assert_eq!(shown_after_sync(&mike), ["one"]);
    mike.push();
    assert_eq!(shown_after_sync(&mike), [""; 0]);
}

#[test]
fn an_upstream_that_was_rewritten_shows_nothing_twice() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    publish_note(&howard, "two");
    assert_eq!(shown_after_sync(&mike), ["one", "two"]);
    howard.git(["commit", "--quiet", "--amend", "--message", "other words"]);
    howard.write("session-logs/three.md", "## Note for Mike\nthree\n");
    howard.commit_all("three");
    howard.git(["push", "--quiet", "--force"]);
    assert_eq!(shown_after_sync(&mike), ["three"]);
    assert_eq!(shown_after_sync(&mike), [""; 0]);
}

#[test]
fn work_trees_on_branches_of_their_own_do_not_show_each_others_notes_again() {
    let (_world, mike, howard) = mike_and_howard();
    howard.git(["push", "--quiet", "origin", "main:feature"]);
    mike.pull();
    let linked = mike.linked_work_tree("feature-tree");
    linked.git(["branch", "--quiet", "--set-upstream-to", "origin/feature"]);
    identify(&linked);
    shown(&mike, &[]);

    for round in 0..3 {
        howard.git(["checkout", "--quiet", "main"]);
        publish_note(&howard, &format!("main-{round}"));
        howard.git(["fetch", "--quiet"]);
        howard.git(["checkout", "--quiet", "-B", "feature", "origin/feature"]);
        publish_note(&howard, &format!("feature-{round}"));
        mike.git(["fetch", "--quiet"]);
        assert_eq!(shown(&mike, &[]), [format!("main-{round}")]);
        assert_eq!(shown(&linked, &[]), [format!("feature-{round}")]);
        assert_eq!(shown(&mike, &[]), [""; 0]);
    }
    mike.git(["fsck", "--strict"]);
}

#[test]
fn a_note_that_was_taken_back_before_it_was_shown_is_not_shown() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    howard.remove("session-logs/one.md");
    publish_note(&howard, "two");
    assert_eq!(shown_after_sync(&mike), ["two"]);
}

#[test]
fn a_shallow_clone_shows_what_it_has() {
    let (world, _mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    publish_note(&howard, "two");
    let shallow = world.path().join("shallow");
    let origin = format!("file://{}", world.path().join("origin.git"));
    world.git(["clone", "--quiet", "--depth=1", &origin, shallow.as_str()]);
    let shallow = world.repo(shallow);
    identify(&shallow);
    assert_eq!(shown(&shallow, &["--all"]), ["one", "two"]);
}

#[test]
fn a_pointer_that_names_no_commit_is_explained() {
    let (_world, mike, _howard) = mike_and_howard();
    mike.git(["update-ref", POINTER, "HEAD^{tree}"]);
    let output = mike.program(env!("CARGO_BIN_EXE_notesurface")).output();
    output.assert_code(1);
    output.assert_says("git update-ref -d refs/lockstep/surfaced");
}

#[test]
fn a_pointer_that_is_no_ref_can_be_removed_as_its_help_says() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    mike.pull();
    for content in ["garbage\n", ""] {
        let file = mike.common_dir().join(POINTER);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, content).unwrap();
        let output = mike.program(env!("CARGO_BIN_EXE_notesurface")).output();
        output.assert_code(1);
        output.assert_says(&format!("remove the file {file}"));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(shown(&mike, &["--all"]), ["one"]);
    }
}

#[test]
fn a_run_that_has_ended_and_sections_of_others_pass_through() {
    let (_world, mike, howard) = mike_and_howard();
    publish(&howard, "session-logs/a.md", NOTE);
    let mut document = sync(&mike);
    document["more"] = serde_json::json!({"z": 1.50, "a": [true]});
    document["phases"]["other"] = serde_json::json!({"kept": "yes"});
    let passed = surface(&mike, &document).json();
    assert_eq!(passed["more"], document["more"]);
    assert_eq!(passed["phases"]["other"], document["phases"]["other"]);
    assert_eq!(passed["phases"]["gitsync"], document["phases"]["gitsync"]);

    document["ended"] = true.into();
    let output = surface(&mike, &document);
    assert_eq!(output.stdout, format!("{document}\n"));
}

#[test]
fn an_empty_pipe_means_that_the_phase_before_died() {
    let (_world, mike, _howard) = mike_and_howard();
    mike.program(env!("CARGO_BIN_EXE_notesurface")).stdin("").output().assert_code(65);
    assert_eq!(mike.try_rev(POINTER), None);
}

#[test]
fn after_a_conflict_what_was_fetched_is_shown_all_the_same() {
    let (_world, mike, howard) = mike_and_howard();
    surface(&mike, &sync(&mike));
    publish_note(&howard, "one");
    mike.git(["fetch", "--quiet"]);
    let mut document = sync(&mike);
    document["outcome"] = "conflict".into();
    document["phases"]["gitsync"]["main"]["pulled"] = serde_json::Value::Null;
    let output = mike.program(env!("CARGO_BIN_EXE_notesurface")).stdin(document.to_string()).output();
    output.assert_code(4);
    assert_eq!(bodies(&output), ["one"]);
}

#[test]
fn a_branch_that_has_a_second_name_has_the_upstream_of_its_own() {
    let (_world, mike, howard) = mike_and_howard();
    publish_note(&howard, "one");
    mike.git(["fetch", "--quiet"]);
    mike.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    mike.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
    assert_eq!(shown(&mike, &["--all"]), ["one"]);
}
