//! Tests which notes are shown to whom, and how they look.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod story;

use contract::NoteKind;
use story::{NOTE, bodies, identify, mike_and_howard, publish, shown, shown_after_sync, surface, sync};
use testkit::{Sections as _, World};

const LOG: &str = "clients/acme/session-logs/2026-06-05.md";

#[test]
fn a_note_is_shown_in_full_before_anything_else() {
    let (_world, mike, howard) = mike_and_howard();
    let commit =
        publish(&howard, LOG, &format!("# Acme\n\n{NOTE}\n```\n## Note for Mike\n```\n\n## Done\nnothing\n"));
    let output = surface(&mike, &sync(&mike));
    let expected = "\
============================================================
MESSAGE FROM Howard (2026-06-05)
============================================================
## Note for Mike

The firewall at Acme is *ours* now.

```
## Note for Mike
```
============================================================
";
    assert!(output.stderr.starts_with(expected), "{output}");
    let document = output.document();
    let [note] = &document.notesurface().notes[..] else { panic!("one note: {output}") };
    assert_eq!((&*note.author, &*note.date, &*note.path), ("Howard", "2026-06-05", LOG));
    assert_eq!((note.kind, &*note.to, &*note.heading), (NoteKind::Note, "Mike", "Note for Mike"));
    assert_eq!(note.commit, commit);
    assert_eq!(note.body, "\nThe firewall at Acme is *ours* now.\n\n```\n## Note for Mike\n```");
    assert_eq!(document.notesurface().user.as_deref(), Some("mike"));
}

#[test]
fn only_what_is_new_in_a_log_is_shown() {
    let (_world, mike, howard) = mike_and_howard();
    publish(&howard, LOG, &format!("# Acme\n\n{NOTE}"));
    assert_eq!(shown_after_sync(&mike).len(), 1);
    publish(&howard, LOG, &format!("# Acme\n\n{NOTE}\n## Done\n\n## Message for Mike: lunch?\nat noon\n"));
    assert_eq!(shown_after_sync(&mike), ["at noon"]);
    publish(&howard, LOG, &format!("# Acme\r\n\r\n{}", NOTE.replace('\n', "\r\n")));
    assert_eq!(shown_after_sync(&mike), [""; 0]);
    publish(&howard, LOG, "## Note for Mike\n\nThe firewall is yours now.\n");
    assert_eq!(shown_after_sync(&mike), ["The firewall is yours now."]);
}

#[test]
fn notes_of_the_user_and_notes_for_others_are_not_shown() {
    let (world, mike, howard) = mike_and_howard();
    let laptop = world.clone_of(&world.repo(world.path().join("origin.git")), "laptop");
    laptop.git(["config", "user.email", "mike@example.com"]);
    publish(&laptop, "session-logs/laptop.md", "## Note for all\nfrom myself, by address\n");
    laptop.git(["config", "user.name", "MIKE"]);
    laptop.git(["config", "user.email", "m@laptop"]);
    publish(&laptop, "session-logs/laptop-2.md", "## Note for all\nfrom myself, by name\n");
    publish(
        &howard,
        "session-logs/howard.md",
        "## Note for Sandy\nnot for Mike\n\n## Note for team\nfor Mike too\n",
    );
    assert_eq!(shown_after_sync(&mike), ["for Mike too"]);
}

#[test]
fn only_session_logs_are_looked_at() {
    let (_world, mike, howard) = mike_and_howard();
    howard.write("notes.md", NOTE);
    howard.write("session-logs/a.txt", NOTE);
    publish(&howard, "session-logs/a.md", "## Note for Mike\nin a log\n");
    assert_eq!(shown_after_sync(&mike), ["in a log"]);
}

#[test]
fn configured_session_logs_are_looked_at() {
    let (_world, mike, howard) = mike_and_howard();
    mike.git(["config", "lockstep.sessionLogs", "^journal/"]);
    howard.write("session-logs/a.md", NOTE);
    publish(&howard, "journal/a.txt", "## Note for Mike\nin the journal\n");
    assert_eq!(shown_after_sync(&mike), ["in the journal"]);
}

#[test]
fn author_date_and_commit_are_those_of_the_commit_that_brought_the_note() {
    let (world, mike, howard) = mike_and_howard();
    let ann = world.clone_of(&world.repo(world.path().join("origin.git")), "ann");
    let of_howard = publish(&howard, LOG, &format!("# Acme\n\n{NOTE}"));
    ann.pull();
    let of_ann = publish(&ann, LOG, &format!("# Acme, Inc.\n\n{NOTE}\n## Note for Mike\nfrom Ann\n"));
    howard.pull();
    publish(&howard, "session-logs/other.md", "nothing\n");
    let document = surface(&mike, &sync(&mike)).document();
    let notes: Vec<_> = document
        .notesurface()
        .notes
        .iter()
        .map(|note| (&*note.author, &*note.commit, note.body.trim()))
        .collect();
    assert_eq!(
        notes,
        [("Howard", &*of_howard, "The firewall at Acme is *ours* now."), ("Ann", &*of_ann, "from Ann")]
    );
}

#[test]
fn the_mailmap_says_who_wrote_a_note() {
    let (_world, mike, howard) = mike_and_howard();
    howard.write(
        ".mailmap",
        "Howard Hill <hill@example.com> <howard@example.com>\nMike <mike@example.com> <robot@server>\n",
    );
    publish(&howard, LOG, NOTE);
    howard.git(["config", "user.name", "Robot"]);
    howard.git(["config", "user.email", "robot@server"]);
    publish(&howard, "session-logs/robot.md", "## Note for Mike\nfrom Mike's own robot\n");
    let document = surface(&mike, &sync(&mike)).document();
    let authors: Vec<_> = document.notesurface().notes.iter().map(|note| &*note.author).collect();
    assert_eq!(authors, ["Howard Hill"]);
}

#[test]
fn a_renamed_log_is_not_shown_again_and_the_note_keeps_its_author() {
    let (world, mike, howard) = mike_and_howard();
    let ann = world.clone_of(&world.repo(world.path().join("origin.git")), "ann");
    let commit = publish(&howard, LOG, NOTE);
    ann.pull();
    ann.rename(LOG, "clients/acme-inc/session-logs/june.md");
    publish(&ann, "README.md", "# Tools of ours\n");
    let document = surface(&mike, &sync(&mike)).document();
    let [note] = &document.notesurface().notes[..] else { panic!("one note") };
    assert_eq!((&*note.author, &*note.commit), ("Howard", &*commit));
    assert_eq!(note.path, "clients/acme-inc/session-logs/june.md");

    ann.rename("clients/acme-inc/session-logs/june.md", "archive/session-logs/june.md");
    publish(&ann, "README.md", "# Tools\n");
    assert_eq!(shown_after_sync(&mike), [""; 0]);
}

#[test]
fn a_note_that_came_through_a_merge_is_that_of_the_commit_on_the_branch() {
    let (_world, mike, howard) = mike_and_howard();
    howard.git(["checkout", "--quiet", "-b", "side"]);
    howard.write(LOG, NOTE);
    let commit = howard.commit_all("on the side");
    howard.git(["checkout", "--quiet", "main"]);
    howard.write("other.txt", "x");
    howard.commit_all("on main");
    howard.git(["merge", "--quiet", "--no-edit", "side"]);
    howard.push();
    let document = surface(&mike, &sync(&mike)).document();
    let commits: Vec<_> = document.notesurface().notes.iter().map(|note| &*note.commit).collect();
    assert_eq!(commits, [&*commit]);
}

#[test]
fn a_log_in_utf16_is_read() {
    let (_world, mike, howard) = mike_and_howard();
    let units = "\u{feff}## Note for Mike\r\n\r\nFrom PowerShell.\r\n".encode_utf16();
    howard.write(LOG, units.flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    howard.commit_all("a log");
    howard.push();
    assert_eq!(shown_after_sync(&mike), ["From PowerShell."]);
}

#[test]
fn notes_of_several_commits_come_oldest_first() {
    let (_world, mike, howard) = mike_and_howard();
    publish(&howard, "session-logs/z.md", "## Note for Mike\nfirst\n\n## Note for Mike\nsecond\n");
    publish(&howard, "session-logs/a.md", "## Note for Mike\nthird\n");
    assert_eq!(shown_after_sync(&mike), ["first", "second", "third"]);
}

#[test]
fn what_others_wrote_cannot_drive_the_terminal() {
    let (_world, mike, howard) = mike_and_howard();
    howard.git(["config", "user.name", "How\u{1b}[31mard\u{202e}"]);
    publish(&howard, LOG, "## Note for Mike: \u{1b}]0;title\u{7}\n\n\u{1b}[2J\u{9b}31mgone\r\nsecond line\n");
    let output = surface(&mike, &sync(&mike));
    assert!(!output.stderr.contains(['\u{1b}', '\u{7}', '\u{9b}', '\r', '\u{202e}']), "{output}");
    output.assert_says("MESSAGE FROM How^[[31mard\\u{202e} (2026-06-05)");
    output.assert_says("\n^[[2J\\u{9b}31mgone\nsecond line\n");
    assert_eq!(bodies(&output), ["\u{1b}[2J\u{9b}31mgone\r\nsecond line"]);
}

#[test]
fn without_a_user_only_notes_for_everybody_are_shown() {
    let (world, mike, howard) = mike_and_howard();
    publish(&howard, LOG, &format!("{NOTE}\n## Note for all\nhello\n"));
    let mut document = sync(&mike);
    document["identity"]["user"] = serde_json::Value::Null;
    assert_eq!(bodies(&surface(&mike, &document)), ["hello"]);
    drop(world);
}

#[test]
fn a_log_whose_name_is_not_utf8_is_named_and_its_note_is_shown() {
    use std::os::unix::ffi::OsStrExt as _;
    let (_world, mike, howard) = mike_and_howard();
    std::fs::create_dir(howard.join("session-logs")).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"session-logs/\xff.md");
    std::fs::write(howard.path().as_std_path().join(name), NOTE).unwrap();
    publish(&howard, "README.md", "# Tools of ours\n");
    let document = sync(&mike);
    let output = mike.program(env!("CARGO_BIN_EXE_notesurface")).stdin(document.to_string()).output();
    output.assert_code(1);
    output.assert_says("MESSAGE FROM Howard");
    output.assert_says(r"session-logs/\xff.md");
}

#[test]
fn a_bare_or_empty_repository_has_nothing_to_show() {
    let world = World::new();
    assert_eq!(shown(&world.bare("bare.git"), &[]), [""; 0]);
    let empty = world.init("mike");
    identify(&empty);
    assert_eq!(shown(&empty, &["--all"]), [""; 0]);
    assert_eq!(shown(&empty, &["ack"]), [""; 0]);
}
