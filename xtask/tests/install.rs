//! Tests `lockstep install`: everything is in its place under a prefix, and works there.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]
#![cfg(unix)]

use camino::{Utf8Path, Utf8PathBuf};
use testkit::World;

const BINARIES: [&str; 7] =
    ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy", "lockstep"];

/// Installs what is built, and says where.
fn installed(world: &World) -> Utf8PathBuf {
    let prefix = world.path().join("a prefix");
    let built = Utf8Path::new(env!("CARGO_BIN_EXE_lockstep")).parent().unwrap();
    let install = || {
        let lockstep = world.program(env!("CARGO_BIN_EXE_lockstep"));
        lockstep.args(["install", "--root", prefix.as_str(), "--from", built.as_str()]).success()
    };
    let said = install().stdout;
    assert!(said.contains("is not on your PATH"), "{said}");
    // Over what is there, as at an update.
    install();
    prefix
}

#[test]
fn what_is_installed_works_from_there() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let prefix = installed(&world);
    let bin = prefix.join("bin");
    let mut names: Vec<String> =
        bin.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    let mut expected = BINARIES.map(str::to_owned);
    expected.sort();
    assert_eq!(names, expected, "and nothing half-written beside");

    let path = format!("{bin}:/usr/bin:/bin");
    mike.write("new.md", "new\n");
    mike.program("sh").args(["-c", "lockstep full-run"]).env("PATH", &path).success();
    assert_eq!(origin.head(), mike.head());
    mike.write("newer.md", "newer\n");
    let pipeline = "set -o pipefail; lock acquire | logcheck | gitsync | notes-sync | notesurface | cmdcopy | lock release";
    mike.program("bash").args(["-c", pipeline]).env("PATH", &path).success();
    assert_eq!(origin.head(), mike.head());
    mike.assert_clean();
    mike.program("sh").args(["-c", "lockstep hooks install --yes"]).env("PATH", &path).success();
    let settings = std::fs::read_to_string(world.home().join(".claude/settings.json")).unwrap();
    assert!(settings.contains(&format!("'{bin}/lockstep' full-run")), "{settings}");
}

#[test]
fn man_pages_and_completions_are_where_they_are_looked_for() {
    let world = World::new();
    let share = installed(&world).join("share");
    for name in BINARIES {
        for path in [
            format!("man/man1/{name}.1"),
            format!("bash-completion/completions/{name}"),
            format!("zsh/site-functions/_{name}"),
            format!("fish/vendor_completions.d/{name}.fish"),
        ] {
            assert!(share.join(&path).is_file(), "{path}");
        }
    }
    for page in ["lockstep-full-run.1", "lockstep-hooks-install.1", "lockstep-doctor.1"] {
        assert!(share.join("man/man1").join(page).is_file(), "{page}");
    }
}

#[test]
fn bash_completes_what_is_typed() {
    let world = World::new();
    let completions = installed(&world).join("share/bash-completion/completions");
    let complete = |name: &str, words: &str| {
        let script = format!(
            "source '{completions}/{name}' && function=$(complete -p {name} | sed 's/.*-F \\([^ ]*\\).*/\\1/') && \
             COMP_WORDS=({name} {words}) && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) && \
             $function {name} \"${{COMP_WORDS[$COMP_CWORD]}}\" \"${{COMP_WORDS[$COMP_CWORD-1]}}\" && \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        world.program("bash").args(["--norc", "--noprofile", "-c", &script]).success().stdout
    };
    assert_eq!(complete("lockstep", "ho"), "hooks\n");
    assert_eq!(complete("lockstep", "full-run --on-found pro"), "proceed\n");
    assert!(complete("lockstep", "hooks install sy").contains("systemd"));
    assert_eq!(complete("lock", "acq"), "acquire\n");
    assert_eq!(complete("gitsync", "--dry"), "--dry-run\n");
}

#[test]
fn other_shells_take_their_completions_where_there_are_such_shells() {
    let world = World::new();
    let share = installed(&world).join("share");
    for (shell, check) in [
        (
            "zsh",
            format!(
                "fpath=('{share}/zsh/site-functions' $fpath); autoload -Uz compinit; compinit -u; whence -w _lockstep"
            ),
        ),
        (
            "fish",
            format!("source '{share}/fish/vendor_completions.d/lockstep.fish'; complete -C 'lockstep ho'"),
        ),
    ] {
        let there = world.program("sh").args(["-c", &format!("command -v {shell}")]).output().code == 0;
        if there {
            let said = world.program(shell).args(["-c", &check]).success().stdout;
            assert!(said.contains("function") || said.contains("hooks"), "{shell}: {said}");
        }
    }
}

#[test]
fn every_help_has_examples_that_fit_a_terminal() {
    let world = World::new();
    let shows = |name: &str, args: &[&str]| {
        let help = world.binary(name).args(args).arg("--help").success().stdout;
        let examples = help.split_once("Examples:\n");
        let (_, examples) = examples.unwrap_or_else(|| panic!("{name} {args:?} --help shows none"));
        for line in examples.lines() {
            assert!(line.chars().count() <= 80, "too wide, and would be broken: {line}");
        }
    };
    BINARIES.into_iter().for_each(|name| shows(name, &[]));
    ["full-run", "hooks", "doctor", "install"].into_iter().for_each(|command| shows("lockstep", &[command]));
}

#[test]
fn a_prefix_that_cannot_be_written_is_named() {
    let world = World::new();
    let file = world.path().join("file");
    std::fs::write(&file, "").unwrap();
    let built = Utf8Path::new(env!("CARGO_BIN_EXE_lockstep")).parent().unwrap();
    let lockstep = world.program(env!("CARGO_BIN_EXE_lockstep"));
    let output = lockstep.args(["install", "--root", file.as_str(), "--from", built.as_str()]).output();
    output.assert_code(1);
    output.assert_says("file/bin could not be written");
}
