//! Tests the report of a full run: what it contains, and that nothing is shown twice.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use common::{full_run, identity, sync};
use testkit::{Repo, World};

/// The report without what differs at every run: ids, times, and how long it took.
fn steady(repo: &Repo, report: &str) -> String {
    let mut text = report.replace(repo.path().parent().unwrap().as_str(), "WORLD");
    for line in repo.git(["log", "--all", "--format=%H"]).lines() {
        text = text.replace(&line[..9], "COMMIT");
    }
    let line = |line: &str| match (line.split_once(" from "), line.rsplit_once(", ")) {
        (Some((head, tail)), _) if head.ends_with("auto-sync") && tail.contains(" at ") => {
            format!("{head} from HOST at TIME\n")
        }
        (_, Some((head, time))) if time.ends_with(" s") => format!("{head}, TIME\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn messages_come_first_and_only_once() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    identity(&mike, r#"{"user": "mike"}"#);
    howard
        .write("session-logs/2026-06-05-a1b2.md", "# Mail\n\n## Note for Mike\n\nCall Acme \u{1b}[2Jback.\n");
    howard.commit_all("session: mail");
    howard.push();

    let report = full_run(&mike).success().stdout;
    let bar = "=".repeat(60);
    let expected = format!(
        "{bar}\nMESSAGE FROM Howard (2026-06-05)\n{bar}\n## Note for Mike\n\nCall Acme ^[[2Jback.\n{bar}\n"
    );
    assert!(report.starts_with(&expected), "{report}");

    let again = full_run(&mike).success().stdout;
    assert!(!again.contains("MESSAGE"), "{again}");
}

#[test]
fn messages_that_nobody_read_are_shown_by_the_next_run() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    identity(&mike, r#"{"user": "mike"}"#);
    howard.write("session-logs/2026-06-05-a1b2.md", "## Note for Mike\n\nCall Acme back.\n");
    howard.commit_all("session: mail");
    howard.push();
    // Neither the report nor the document can be written anywhere.
    for options in ["", "--json"] {
        let line = format!("'{}' full-run {options} >/dev/full", env!("CARGO_BIN_EXE_lockstep"));
        let output = mike.program("sh").args(["-c", &line]).output();
        output.assert_code(1);
        mike.assert_unlocked();
        let line = format!("'{}' full-run {options} >&-", env!("CARGO_BIN_EXE_lockstep"));
        mike.program("sh").args(["-c", &line]).success();
    }

    let report = full_run(&mike).success().stdout;
    assert!(report.contains("MESSAGE FROM Howard"), "{report}");
}

#[test]
fn the_report_reads_from_what_came_in_to_where_everything_stands() {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("wiki/clients/acme.md", "# Acme\n");
    howard.write("wiki/clients/beta.md", "# Beta\n");
    howard.write("wiki/systems/mail.md", "# Mail\n");
    howard.commit_all("wiki: two clients and a system");
    for number in 1..=11 {
        howard.commit_all(&format!("small step {number}"));
    }
    howard.note("refs/notes/mem/facts", "HEAD", "a fact");
    howard.git(["push", "--quiet", "origin", "HEAD", "refs/notes/*"]);
    mike.write(".claude/commands/sync.md", "sync\n");

    let report = full_run(&mike).success().stdout;

    let steps: String =
        (3..=11).rev().map(|number| format!("  COMMIT  Howard  small step {number}\n")).collect();
    let expected = format!(
        "Pulled 12 commits by Howard\n{steps}  COMMIT  Howard  small step 2\n  and 2 more\n\n\
         Wiki\n  clients   added     acme.md, beta.md\n  systems   added     mail.md\n\n\
         Pushed 1 commit\n  COMMIT  sync: auto-sync from HOST at TIME\n\n\
         Notes\n  mem/facts  fetched: 1 added\n\n\
         Commands in {}/.claude/commands\n  added     sync.md\n\n\
         done: main is at COMMIT, in step with origin/main, TIME\n",
        world.home().as_str().replace(world.path().as_str(), "WORLD"),
    );
    assert_eq!(steady(&mike, &report), expected);
}

#[test]
fn a_run_with_nothing_to_do_says_so_in_one_line_and_a_quiet_one_says_nothing() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    full_run(&mike).success();
    let report = full_run(&mike).success().stdout;
    assert_eq!(
        steady(&mike, &report),
        "done: main is at COMMIT, in step with origin/main; nothing to do, TIME\n"
    );
    let quiet = full_run(&mike).arg("--quiet").success();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn a_failure_is_told_once_with_its_remedy_and_the_state_of_things() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("README.md", "# Howard's\n");
    howard.commit_all("README");
    howard.push();
    mike.write("README.md", "# Mike's\n");

    let output = full_run(&mike).output();

    output.assert_code(4);
    let report = &output.stdout;
    assert_eq!(report.matches("error:").count() + output.stderr.matches("error:").count(), 1, "{output}");
    assert!(report.contains("  help: "), "{report}");
    assert_eq!(report.matches("README.md").count(), 1, "{report}");
    assert!(report.contains("Fetched 1 commit by Howard, not taken into main\n"), "{report}");
    assert!(report.contains("stopped at a conflict: main is at "), "{report}");
}

#[test]
fn what_failed_as_well_says_why_wherever_it_is_asked() {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for (name, clone) in [("howard", &howard), ("mike", &mike)] {
        clone.write("README.md", name);
        clone.git(["notes", "--ref", "mem/x", "add", "-m", name]);
    }
    sync(&howard);
    mike.git(["config", "notes.mem/x.mergeStrategy", "no such strategy"]);
    let run = full_run(&mike).in_dir(world.path()).output();
    run.assert_code(4);
    let command =
        run.stdout.split('`').find(|words| words.starts_with("notes-sync --fresh")).expect("the command");
    let (name, args) = command.split_once(' ').unwrap();
    let told = world.binary(name).args(args.split(' ')).output();
    told.assert_code(78);
    told.assert_says("no such strategy");
}

#[test]
fn a_run_that_was_refused_claims_no_commit_and_tells_of_a_missing_vault_as_well() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    common::identity(&mike, r#"{"user": "mike", "vault_path": "../nowhere"}"#);
    mike.git(["switch", "--quiet", "--detach"]);
    let output = full_run(&mike).output();
    output.assert_code(1);
    let report = &output.stdout;
    assert!(report.contains("error: HEAD is detached"), "{output}");
    assert!(report.contains("error: besides, the vault: the vault is missing"), "{output}");
    assert!(report.contains("failed: refused before anything was committed"), "{output}");
}

#[test]
fn colour_is_for_those_who_ask_for_it() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.md", "new\n");
    assert!(!full_run(&mike).success().stdout.contains('\u{1b}'));
    mike.write("newer.md", "newer\n");
    assert!(full_run(&mike).args(["--color", "always"]).success().stdout.contains('\u{1b}'));
}

#[test]
fn the_demo_runs_the_real_thing_and_says_where_to_look() {
    let world = World::new();
    let output = world.program(env!("CARGO_BIN_EXE_lockstep")).args(["full-run", "--demo"]).success();
    let report = &output.stdout;
    for part in [
        "MESSAGE FROM Howard",
        "Pulled 2 commits by Howard",
        "systems   added     mail.md",
        "Pushed 2 commits",
        "Vault: pulled 1 commit by Mike",
        "mem/decisions  merged: 1 added, 1 combined (cat_sort_uniq)",
        "what you had in sync.md is in sync.md.bak",
        "in step with origin/main",
        "The playground is in ",
    ] {
        assert!(report.contains(part), "{part:?} is missing: {output}");
    }
    let place = report.lines().find_map(|line| line.strip_prefix("The playground is in ")).unwrap();
    let mike = world.repo(format!("{place}/mike"));
    mike.assert_clean();
    mike.assert_sound();
    assert!(!world.home().join(".claude").exists(), "the user's own home is left alone");
    let commands: Vec<&str> = report.lines().skip_while(|line| *line != "Try").skip(1).collect();
    for command in commands {
        world.program("sh").args(["-c", command]).success();
    }
    assert!(!mike.path().exists(), "the last of them takes the playground away");
}

#[test]
fn messages_that_are_kept_are_counted_and_shown_by_the_next_run() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    identity(&mike, r#"{"user": "mike"}"#);
    howard.write("session-logs/2026-06-05-a1b2.md", "## Note for Mike\n\nCall Acme back.\n");
    howard.commit_all("session: mail");
    howard.push();

    for _ in 0..2 {
        let report = full_run(&mike).arg("--keep-messages").success().stdout;
        assert!(report.contains("1 message waits for you: type `notesurface`\n"), "{report}");
        assert!(!report.contains("Call Acme back."), "{report}");
    }
    let document = full_run(&mike).args(["--keep-messages", "--json"]).success();
    assert!(document.stdout.contains("Call Acme back."), "{document}");

    let report = full_run(&mike).success().stdout;
    assert!(report.contains("Call Acme back."), "{report}");
}

#[test]
fn a_run_that_cannot_record_that_messages_were_shown_fails_and_says_so() {
    for options in [&[][..], &["--json"]] {
        let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
        identity(&mike, r#"{"user": "mike"}"#);
        full_run(&mike).success();
        howard.write("session-logs/2026-06-05-a1b2.md", "## Note for Mike\n\nCall Acme back.\n");
        howard.commit_all("session: mail");
        howard.push();
        let lock = mike.common_dir().join("refs/lockstep/surfaced.lock");
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        std::fs::write(&lock, "").unwrap();

        let output = full_run(&mike).args(options).output();
        output.assert_code(1);
        assert!(output.stdout.contains("Call Acme back."), "{output}");
        assert!(format!("{output}").contains("messages were shown, and may be again"), "{output}");
        mike.assert_unlocked();

        std::fs::remove_file(&lock).unwrap();
        let again = full_run(&mike).success();
        assert!(again.stdout.contains("MESSAGE FROM Howard"), "{again}");
    }
}

#[test]
fn messages_of_a_run_that_fails_elsewhere_are_recorded_as_shown_all_the_same() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    identity(&mike, r#"{"user": "mike", "vault_path": "/nowhere/at/all"}"#);
    howard.write("session-logs/2026-06-05-a1b2.md", "## Note for Mike\n\nCall Acme back.\n");
    howard.commit_all("session: mail");
    howard.push();

    let output = full_run(&mike).output();
    assert!(output.stdout.contains("MESSAGE FROM Howard"), "{output}");
    assert!(output.stdout.contains("the vault is missing"), "{output}");
    assert!(!format!("{output}").contains("may be again"), "{output}");

    let again = full_run(&mike).output();
    assert!(!again.stdout.contains("MESSAGE"), "{again}");
}
