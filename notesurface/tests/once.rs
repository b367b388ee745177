//! Tests that each note is shown exactly once, whatever happens to the logs and to the runs in between.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod story;

use proptest::prelude::*;
use story::{mike_and_howard, shown_after_sync, sync};

/// Something that happens, to a log by its number where it is one.
#[derive(Debug, Clone)]
enum Event {
    /// Howard leaves a note for Mike.
    Note(usize),
    /// Howard writes something else into a log.
    Text(usize),
    /// Howard's editor changes the line ends of a log.
    LineEnds(usize),
    /// Howard moves a log to another folder.
    Rename(usize),
    /// Howard does what follows on a branch, and merges it.
    Branch(usize),
    /// Mike pushes a log of his own.
    Own,
    /// Mike syncs, and reads.
    Sync,
    /// Mike's run dies before it shows anything.
    Death,
}

fn event() -> impl Strategy<Value = Event> {
    let log = || 0..3_usize;
    prop_oneof![
        4 => log().prop_map(Event::Note),
        1 => log().prop_map(Event::Text),
        1 => log().prop_map(Event::LineEnds),
        2 => log().prop_map(Event::Rename),
        1 => log().prop_map(Event::Branch),
        1 => Just(Event::Own),
        2 => Just(Event::Sync),
        1 => Just(Event::Death),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_note_is_shown_exactly_once(events in prop::collection::vec(event(), 1..14)) {
        let (_world, mike, howard) = mike_and_howard();
        let mut paths = [0, 1, 2].map(|log| format!("session-logs/{log}.md"));
        for path in &paths {
            howard.write(path, "# Log\n\n## Done\n\nmuch\n");
        }
        howard.commit_all("logs");
        howard.push();
        let mut written = Vec::new();
        let mut shown = shown_after_sync(&mike);
        for (number, event) in events.into_iter().chain([Event::Sync]).enumerate() {
            match event {
                Event::Note(log) => {
                    written.push(format!("note {number}"));
                    howard.append(&paths[log], format!("\n## Note for Mike\n\nnote {number}\n"));
                    howard.commit_all("a note");
                }
                Event::Text(log) => {
                    let text = format!("\n## Done\n\ntext {number}\n");
                    howard.append(&paths[log], text);
                    howard.commit_all("a text");
                }
                Event::LineEnds(log) => {
                    let text = howard.read(&paths[log]);
                    let unix = text.replace("\r\n", "\n");
                    let other = if text == unix { unix.replace('\n', "\r\n") } else { unix };
                    howard.write(&paths[log], other);
                    howard.commit_all("line ends");
                }
                Event::Rename(log) => {
                    let to = format!("moved-{number}/session-logs/{log}.md");
                    howard.rename(&paths[log], &to);
                    paths[log] = to;
                    howard.commit_all("a move");
                }
                Event::Branch(log) => {
                    written.push(format!("note {number}"));
                    howard.git(["checkout", "--quiet", "-b", "side"]);
                    howard.append(&paths[log], format!("\n## Note for Mike\n\nnote {number}\n"));
                    howard.commit_all("a note on the side");
                    howard.git(["checkout", "--quiet", "main"]);
                    howard.write("other.txt", number.to_string());
                    howard.commit_all("meanwhile");
                    howard.git(["merge", "--quiet", "--no-edit", "side"]);
                    howard.git(["branch", "--quiet", "-D", "side"]);
                }
                Event::Own => {
                    mike.write("mike/session-logs/mike.md", format!("## Note for Howard\n\n{number}\n"));
                    mike.commit_all("mine");
                    mike.pull();
                    mike.push();
                }
                Event::Sync | Event::Death => {
                    howard.git(["pull", "--quiet", "--no-rebase", "--no-edit"]);
                    howard.push();
                    if matches!(event, Event::Sync) {
                        shown.extend(shown_after_sync(&mike));
                    } else {
                        sync(&mike);
                    }
                }
            }
        }
        shown.sort();
        written.sort();
        prop_assert_eq!(shown, written);
    }
}
