//! Tests how the report looks on a real terminal, which is tmux, and in a file.
//!
//! It is shown at two widths, with and without colour. The expected screens are in `tests/screens`; `KEEP_SCREENS=1
//! cargo nextest run -p xtask screens` rewrites them.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]
#![cfg(unix)]

mod common;

use common::identity;
use testkit::{Repo, Terminal, World};

/// A clone whose next sync has something to say about everything.
fn eventful() -> (World, Repo) {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    identity(&mike, r#"{"user": "mike"}"#);
    let first = howard.head();
    for number in 1..=9 {
        howard.write("steps.md", format!("{number}\n"));
        howard.commit_all(&format!("small step {number}"));
    }
    howard.git(["config", "user.name", "Håkon 世界"]);
    howard.write("wide.md", "wide\n");
    howard.commit_all("世界の名前が長いコミットの要約も、端末の幅に合わせて切られる: a summary in letters that take two columns each");
    for name in ["acme", "beta", "corporation-of-the-long-name", "delta", "epsilon", "zeta"] {
        howard.write(&format!("wiki/clients/{name}.md"), "known\n");
    }
    howard
        .write("session-logs/2026-06-05-a1b2.md", "# Mail\n\n## Note for Mike\n\nCall Acme \u{1b}[2Jback.\n");
    howard.write(".claude/commands/sync.md", "Sync.\n");
    howard.commit_all(
        "session: the mail server of Acme has moved, and everything that hangs on it has been told, one by one",
    );
    howard.note("refs/notes/mem/decisions", &first, "keep the parser\n");
    howard.git(["push", "--quiet", "origin", "HEAD", "refs/notes/mem/decisions"]);
    mike.write("wiki/projects/website.md", "new\n");
    (world, mike)
}

struct Screen {
    columns: u32,
    /// The variables that stand before the command.
    before: &'static str,
    colours: Colours,
}

/// Whether colours are of interest.
enum Colours {
    Left,
    Taken,
}

impl Screen {
    /// Runs a full run in a terminal of this size, and reads the screen.
    fn read(&self, repo: &Repo) -> String {
        let command = format!("{} '{}' full-run", self.before, env!("CARGO_BIN_EXE_lockstep"));
        let terminal = Terminal::open(repo, self.columns, &command);
        terminal.wait();
        let screen = match self.colours {
            Colours::Left => terminal.coloured_screen(),
            Colours::Taken => terminal.screen(),
        };
        steady(repo, screen.trim_end()) + "\n"
    }
}

/// The screen without what differs at every run. Ids stay as wide as they are.
fn steady(repo: &Repo, screen: &str) -> String {
    let mut text = screen.replace('\u{1b}', "\\e").replace(repo.path().parent().unwrap().as_str(), "WORLD");
    for line in repo.git(["log", "--all", "--format=%H"]).lines() {
        text = text.replace(&line[..9], "000000000");
    }
    let line = |line: &str| {
        let line = match line.split_once("auto-sync from ") {
            Some((before, _)) => format!("{before}auto-sync from HOST at TIME"),
            None => line.to_owned(),
        };
        match line.rsplit_once(", ") {
            Some((before, time)) if time.ends_with(" s") => format!("{before}, TIME"),
            _ => line.trim_end().to_owned(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn assert_kept(name: &str, screen: &str) {
    let path = format!("{}/tests/screens/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("KEEP_SCREENS").is_some() {
        std::fs::write(&path, screen).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == screen, "{name} is not as it was kept:\n{screen}\nand it was:\n{kept}");
}

fn assert_fits(screen: &str, columns: usize) {
    for line in screen.lines() {
        let width = phase_columns(line);
        assert!(width <= columns, "{width} columns: {line}");
    }
}

/// What a line takes on the screen: the letters of these tests' Japanese take two columns.
fn phase_columns(line: &str) -> usize {
    line.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

const PLAIN: Screen = Screen { columns: 80, before: "NO_COLOR=1", colours: Colours::Taken };

#[test]
fn the_report_fits_a_terminal_of_80_columns() {
    let (_world, mike) = eventful();
    let screen = PLAIN.read(&mike);
    assert_fits(&screen, 80);
    assert_kept("report-80", &screen);
}

#[test]
fn the_report_uses_the_room_of_120_columns() {
    let (_world, mike) = eventful();
    let screen = Screen { columns: 120, ..PLAIN }.read(&mike);
    assert_fits(&screen, 120);
    assert_kept("report-120", &screen);
}

#[test]
fn colour_has_a_meaning_and_takes_no_room() {
    let (_world, mike) = eventful();
    let screen = Screen { before: "", colours: Colours::Left, ..PLAIN }.read(&mike);
    assert!(screen.contains("\\e["), "{screen}");
    assert_kept("report-80-colour", &screen);
}

#[test]
fn nobody_who_does_not_want_colour_gets_any() {
    for before in ["NO_COLOR=1", "TERM=dumb"] {
        let (_world, mike) = eventful();
        let screen = Screen { before, colours: Colours::Left, ..PLAIN }.read(&mike);
        assert!(!screen.contains('\\'), "{before}: {screen}");
        assert_kept("report-80", &screen);
    }
}

#[test]
fn a_report_that_goes_to_a_file_is_neither_cut_nor_coloured() {
    let (world, mike) = eventful();
    let file = world.path().join("report.txt");
    let line = format!("'{}' full-run >'{file}'", env!("CARGO_BIN_EXE_lockstep"));
    mike.program("sh").args(["-c", &line]).env("TERM", "xterm-256color").success();
    let report = std::fs::read_to_string(&file).unwrap();
    assert!(!report.contains(['\u{1b}', '…']), "{report}");
    assert_kept("report-in-a-file", &(steady(&mike, report.trim_end()) + "\n"));
}

#[test]
fn what_is_too_wide_is_broken_between_words_and_commands_are_left_whole() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["remote", "set-url", "origin", "http://127.0.0.1:1/a-folder/and-another-one/tools.git"]);
    mike.write("new.md", "new\n");
    let screen = PLAIN.read(&mike);
    assert_fits(&screen, 80);
    let report = screen.split_once("error: ").unwrap().1;
    assert!(
        report
            .starts_with("remote 'origin' at http://127.0.0.1:1/a-folder/and-another-one/tools.git\n       ")
    );
    let (message, help) = report.split_once("\n  help: ").unwrap();
    assert!(message.lines().skip(1).all(|line| line.starts_with("       ")), "{screen}");
    let last = help.split_once("\nfailed: ").unwrap().1;
    assert!(last.contains("\n  ") && !last.contains("  \n"), "between words: {screen}");
}
