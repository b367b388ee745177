//! Tests `lockstep hooks`: changes are shown first, hooks are installed, work, and are removed without a trace.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]
#![cfg(unix)]

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use testkit::{Invocation, Output, Repo, World};

fn hooks(repo: &Repo, words: &[&str]) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_lockstep")).arg("hooks").args(words)
}

fn settings(world: &World) -> Utf8PathBuf {
    world.home().join(".claude/settings.json")
}

fn write(path: &Utf8Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const SETTINGS: &str = "{\n    \"model\": \"opus\",\n    \"hooks\": {\n        \"Stop\": [\n            {\"hooks\": [{\"type\": \"command\", \
                        \"command\": \"say d\\u00f6ne\"}]}\n        ]\n    },\n\n    \"cost\": 1.50\n}\n";

#[test]
fn without_yes_the_change_is_shown_and_nothing_is_changed() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    write(&settings(&world), SETTINGS);
    let shown = hooks(&mike, &["install"]).success().stdout;
    assert!(shown.contains("  + ") && shown.contains("full-run --repo"), "{shown}");
    assert!(shown.contains("nothing was changed; --yes changes it"), "{shown}");
    assert!(!shown.contains("\"model\""), "lines far from the change are left out: {shown}");
    assert_eq!(std::fs::read_to_string(settings(&world)).unwrap(), SETTINGS);
    assert_eq!(std::fs::read_dir(settings(&world).parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn an_agents_settings_keep_every_byte_and_are_given_back_as_they_were() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let path = settings(&world);
    write(&path, SETTINGS);
    hooks(&mike, &["install", "agent", "--yes"]).success();

    let text = std::fs::read_to_string(&path).unwrap();
    for line in SETTINGS.lines().filter(|line| !line.contains(['[', ']', '}'])) {
        assert!(text.contains(line), "{line:?} is missing in {text}");
    }
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["hooks"]["Stop"].as_array().unwrap().len(), 2);
    assert_eq!(json["hooks"]["SessionStart"].as_array().unwrap().len(), 1);
    let backup = std::fs::read_to_string(format!("{path}.before-lockstep")).unwrap();
    assert_eq!(backup, SETTINGS);

    let again = hooks(&mike, &["install", "agent", "--yes"]).success().stdout;
    assert_eq!(again, "nothing to change: everything is as it should be\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    hooks(&mike, &["uninstall", "agent", "--yes"]).success();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), SETTINGS);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "and no backup is left");
}

#[test]
fn a_file_that_was_not_there_is_gone_afterwards() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    hooks(&mike, &["install", "agent", "systemd", "launchd", "windows", "--yes"]).success();
    assert!(settings(&world).exists());
    let said = hooks(&mike, &["uninstall", "--yes"]).success().stdout;
    assert!(said.contains("removed ") && !said.contains("changed "), "{said}");
    let files =
        world.program("find").args([world.home().as_str(), "-type", "f", "-name", "*lockstep*"]).success();
    assert_eq!(files.stdout, "");
    assert!(!settings(&world).exists());
}

#[test]
fn settings_that_are_a_link_stay_one_and_keep_their_rights() {
    use std::os::unix::fs::PermissionsExt as _;
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let real = world.path().join("dotfiles/settings.json");
    write(&real, "{}\n");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::create_dir_all(settings(&world).parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&real, settings(&world)).unwrap();
    hooks(&mike, &["install", "--yes"]).success();
    assert!(settings(&world).is_symlink());
    assert!(std::fs::read_to_string(&real).unwrap().contains("full-run"));
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn broken_settings_are_named_and_left_alone() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    write(&settings(&world), "{\n  // my own\n}\n");
    let output = hooks(&mike, &["install", "--yes"]).output();
    output.assert_code(78);
    output.assert_says("line 2 column 3");
    assert_eq!(std::fs::read_to_string(settings(&world)).unwrap(), "{\n  // my own\n}\n");
}

/// Runs the command of an agent's hook as the agent does: by a shell, with the event's JSON on stdin.
fn fire(repo: &Repo, world: &World, event: &str) -> Output {
    let json: Value = serde_json::from_str(&std::fs::read_to_string(settings(world)).unwrap()).unwrap();
    let command = json["hooks"][event][0]["hooks"][0]["command"].as_str().unwrap().to_owned();
    let words = serde_json::json!({"session_id": "1", "hook_event_name": event, "cwd": repo.path()});
    repo.program("sh").args(["-c", &command]).in_dir(world.path()).stdin(words.to_string()).output()
}

#[test]
fn what_an_agents_hooks_say_is_what_syncs() {
    let world = World::with_an_odd_path();
    let origin = world.bare("origin.git");
    let howard = world.clone_of(&origin, "howard");
    howard.write("README.md", "# Tools\n");
    let first = howard.commit_all("first");
    howard.push();
    let mike = world.clone_of(&origin, "mike's 100% $tools");
    hooks(&mike, &["install", "--yes"]).success();
    howard.write("session-logs/2026-06-05-a1b2.md", "## Note for all\n\nCall Acme back.\n");
    howard.commit_all("from Howard");
    howard.note("refs/notes/mem/facts", &first, "a fact\n");
    howard.git(["push", "--quiet", "origin", "HEAD", "refs/notes/mem/facts"]);

    let started = fire(&mike, &world, "SessionStart");
    started.assert_success();
    assert_eq!((started.stdout.as_str(), started.stderr.as_str()), ("", ""));
    assert_eq!(mike.notes("refs/notes/mem/facts").len(), 1);
    assert_ne!(mike.head(), howard.head(), "a session's beginning brings notes only");

    mike.write("new.md", "new\n");
    let stopped = fire(&mike, &world, "Stop");
    stopped.assert_success();
    assert_eq!(stopped.stdout, "");
    assert_eq!(origin.head(), mike.head());
    assert_eq!(mike.log("HEAD")[1], "from Howard");
    let seen = mike.binary("notesurface").args(["--fresh", "--human"]).success().stdout;
    assert!(seen.contains("Call Acme back."), "messages wait for somebody who looks: {seen}");
}

#[test]
fn a_session_log_that_is_not_saved_stops_the_agents_run_and_is_told() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    hooks(&mike, &["install", "--yes"]).success();
    mike.write("session-logs/2026-06-05-a1b2.md", "# What I did\n");
    let stopped = fire(&mike, &world, "Stop");
    stopped.assert_code(3);
    assert!(stopped.stderr.contains("session-logs/2026-06-05-a1b2.md"), "{stopped}");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let said = hooks(&mike, &["install", "systemd", "--every", "15m", "--yes"]).success().stdout;
    assert!(said.contains("systemctl --user enable --now lockstep-"), "{said}");
    let units = world.home().join(".config/systemd/user");
    let timer = std::fs::read_dir(&units).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = timer.collect();
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    let service = std::fs::read_to_string(&files[0]).unwrap();
    assert!(service.contains(&format!("\"--repo\" \"{}\"", mike.path())), "{service}");
    assert!(std::fs::read_to_string(&files[1]).unwrap().contains("OnUnitInactiveSec=900"));
    let verify = ["systemd-analyze", "--user", "verify", "--man=no"];
    let here = world.program("sh").args(["-c", "command -v systemd-analyze"]).output().code == 0;
    if here {
        let mut command = world.program(verify[0]).args(&verify[1..]);
        for file in &files {
            command = command.arg(file.to_str().unwrap());
        }
        let verified = command.env("XDG_RUNTIME_DIR", world.path().as_str()).output();
        let about_ours = verified.stderr.lines().filter(|line| line.contains("lockstep")).collect::<Vec<_>>();
        assert!(about_ours.is_empty(), "{verified}");
    }
}

#[test]
fn what_launchd_and_the_task_scheduler_get_can_be_parsed() {
    let world = World::with_an_odd_path();
    let mike = world.init("mike & <tools> -- 'x'");
    let read = |kind: &str, program: &str| {
        let text = hooks(&mike, &["print", kind]).success().stdout;
        world.program("python3").args(["-c", program]).stdin(text).success().stdout
    };
    let launchd = read(
        "launchd",
        "import plistlib,sys\np=plistlib.loads(sys.stdin.buffer.read())\nprint(p['StartInterval'], '|'.join(p['ProgramArguments']))",
    );
    let expected = format!("600 {}|full-run|--repo|{}|", env!("CARGO_BIN_EXE_lockstep"), mike.path());
    assert!(launchd.starts_with(&expected), "{launchd}");
    let windows = read(
        "windows",
        "import xml.etree.ElementTree as e,sys\nt=e.parse(sys.stdin.buffer)\n\
         n='{http://schemas.microsoft.com/windows/2004/02/mit/task}'\n\
         print(t.find(f'.//{n}Command').text, t.find(f'.//{n}Arguments').text, t.find(f'.//{n}Interval').text)",
    );
    let expected = format!("{} full-run --repo \"{}\" ", env!("CARGO_BIN_EXE_lockstep"), mike.path());
    assert!(windows.starts_with(&expected), "{windows}");
    assert!(windows.trim_end().ends_with(" PT600S"), "{windows}");
}

#[test]
fn what_there_is_to_type_for_launchd_works_also_where_an_older_agent_is_loaded() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    // Stands for the system's, which refuses to load an agent twice.
    let loaded = world.path().join("loaded");
    let programs = world.path().join("programs");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in bootstrap) exec mkdir '{loaded}';; bootout) exec rmdir '{loaded}';; esac\n"
    );
    write(&programs.join("launchctl"), &script);
    world.program("chmod").args(["+x", programs.join("launchctl").as_str()]).success();
    for every in ["10m", "1h"] {
        let said = hooks(&mike, &["install", "launchd", "--every", every, "--yes"]).success().stdout;
        let (_, commands) = said.split_once("then type:\n").unwrap();
        let path = format!("{programs}:/usr/bin:/bin");
        world.program("sh").args(["-c", commands]).env("PATH", path).success();
        assert!(loaded.exists());
    }
}

#[test]
fn the_crontab_gets_two_lines_and_loses_them_again() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    // Stands for the system's: it keeps the table in a file.
    let table = world.path().join("crontab.txt");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n-l) test -e '{table}' && exec cat '{table}'; echo 'no crontab' >&2; exit 1;;\n\
         -r) exec rm '{table}';;\n-) exec cat >'{table}';;\nesac\n"
    );
    let programs = world.path().join("programs");
    write(&programs.join("crontab"), &script);
    world.program("chmod").args(["+x", programs.join("crontab").as_str()]).success();
    let path = format!("{programs}:/usr/bin:/bin");
    let cron = |words: &[&str]| hooks(&mike, words).env("PATH", &path).success().stdout;

    cron(&["install", "cron", "--yes"]);
    let line = std::fs::read_to_string(&table).unwrap();
    assert!(line.contains("\n*/10 * * * * /"), "{line}");
    cron(&["uninstall", "cron", "--yes"]);
    assert!(!table.exists());

    std::fs::write(&table, "MAILTO=mike\n0 4 * * * backup\n").unwrap();
    cron(&["install", "cron", "--every", "1h", "--yes"]);
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.starts_with("MAILTO=mike\n0 4 * * * backup\n# lockstep hooks for "), "{text}");
    let command = text.lines().last().unwrap().strip_prefix("0 * * * * ").unwrap();
    mike.write("new.md", "new\n");
    world.program("sh").args(["-c", command]).stdin("").success();
    mike.assert_clean();
    cron(&["uninstall", "--yes"]);
    assert_eq!(std::fs::read_to_string(&table).unwrap(), "MAILTO=mike\n0 4 * * * backup\n");
}

#[test]
fn a_crontab_that_cannot_be_read_is_not_written_over() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let programs = world.path().join("programs");
    let written = world.path().join("written");
    let assert_left_alone = |listing: &str, why: &str| {
        let script = format!("#!/bin/sh\ntest \"$1\" != - || exec cat >'{written}'\n{listing}\n");
        write(&programs.join("crontab"), &script);
        world.program("chmod").args(["+x", programs.join("crontab").as_str()]).success();
        let path = format!("{programs}:/usr/bin:/bin");
        let output = hooks(&mike, &["install", "cron", "--yes"]).env("PATH", &path).output();
        output.assert_code(1);
        output.assert_says(why);
        assert!(!written.exists(), "{listing}");
        hooks(&mike, &["install", "agent", "--yes"]).success();
        let output = hooks(&mike, &["uninstall", "--yes"]).env("PATH", &path).output();
        output.assert_code(1);
        output.assert_says(why);
        assert!(!settings(&world).exists(), "the others are taken out");
    };
    assert_left_alone("echo 'crontabs/mike: Input/output error' >&2; exit 1", "Input/output error");
    assert_left_alone("printf '# M\\374ller\\n5 4 * * * backup\\n'", "it is not UTF-8");
}

#[test]
fn on_a_terminal_one_is_asked() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let answer = |answer: &str| {
        let line = format!(
            "{{ sleep 0.3; printf '{answer}\\n'; sleep 0.5; }} | script -qec \"'{}' hooks install\" /dev/null",
            env!("CARGO_BIN_EXE_lockstep")
        );
        mike.program("sh").args(["-c", &line]).env("TERM", "xterm").success().stdout
    };
    let screen = answer("n");
    assert!(screen.contains("Change this? [y/N]"), "{screen}");
    assert!(!settings(&world).exists());
    answer("y");
    assert!(settings(&world).exists());
}

#[test]
fn files_of_somebody_else_are_in_the_way() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    hooks(&mike, &["install", "launchd", "--yes"]).success();
    let folder = world.home().join("Library/LaunchAgents");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, "mine\n").unwrap();
    let output = hooks(&mike, &["install", "launchd", "--yes"]).output();
    output.assert_code(1);
    output.assert_says("was not put there by this program");
    hooks(&mike, &["uninstall", "launchd", "--yes"]).success();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
}
