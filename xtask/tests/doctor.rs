//! Tests `lockstep doctor`: each check, with the real cause of what it finds.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use common::identity;
use serde_json::Value;
use testkit::{Invocation, Repo, World};

fn doctor(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_lockstep")).args(["doctor", "--repo", repo.path().as_str()])
}

/// A clone with which all is well.
fn healthy() -> (World, Repo, Repo) {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    identity(&mike, r#"{"user": "mike"}"#);
    (world, origin, mike)
}

/// The exit code, and of each check that is not well its state and its words.
fn findings(invocation: Invocation) -> (i32, Vec<(String, String)>) {
    let output = invocation.arg("--json").output();
    let json: Value = output.json();
    let checks = json["checks"].as_array().unwrap().iter().filter(|check| check["state"] != "ok");
    let told = checks.map(|check| {
        assert!(check["help"].is_string(), "something is to be done: {check}");
        let words = format!("{}: {} ({})", check["check"], check["message"], check["help"]).replace('"', "");
        (check["state"].as_str().unwrap().to_owned(), words)
    });
    (output.code, told.collect())
}

/// Asserts that the one thing which is not well is in this state and told with these words.
#[track_caller]
fn assert_finds(repo: &Repo, state: &str, words: &str) {
    assert_found(doctor(repo), state, words);
}

#[track_caller]
fn assert_found(invocation: Invocation, state: &str, words: &str) {
    let (code, found) = findings(invocation);
    assert!(
        found.iter().any(|(its, told)| its == state && told.contains(words)),
        "{words:?} is not in {found:#?}"
    );
    let is_bad = found.iter().any(|(state, _)| state == "bad");
    assert_eq!(code, i32::from(is_bad), "{found:#?}");
}

#[test]
fn where_all_is_well_it_says_so_and_changes_nothing() {
    let (_world, _origin, mike) = healthy();
    let before = mike.snapshot();
    let report = doctor(&mike).success().stdout;
    assert!(report.ends_with("\nall is well\n"), "{report}");
    for line in
        ["ok    branch        main\n", "ok    upstream      origin/main\n", "ok    lock          free\n"]
    {
        assert!(report.contains(line), "{line:?} is not in {report}");
    }
    assert_eq!(mike.snapshot(), before);
    assert_eq!(findings(doctor(&mike)), (0, Vec::new()));
}

#[test]
fn a_folder_that_is_no_repository_is_bad() {
    let world = World::new();
    let output = world.program(env!("CARGO_BIN_EXE_lockstep")).arg("doctor").output();
    output.assert_code(1);
    assert!(output.stdout.contains("bad   repository  there is no git repository"), "{output}");
}

#[test]
fn what_runs_refuse_of_the_remote_s_configuration_is_named_in_their_words() {
    let (_world, _origin, mike) = healthy();
    mike.git(["config", "remote.origin.fetch", "refs/heads/main:refs/heads/main"]);
    assert_finds(&mike, "bad", "fetches into refs/heads/main, which is checked out at");
    mike.git(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]);
    mike.git(["remote", "set-url", "--add", "origin", "https://mike:secret@host.example/x.git"]);
    assert_finds(&mike, "bad", "has several URLs to push to");
    assert!(!doctor(&mike).output().stdout.contains("secret"));
    mike.git(["config", "--unset-all", "remote.origin.url", "host.example"]);
    mike.git(["config", "remote.origin.push", "refs/heads/main:refs/heads/review"]);
    assert_finds(&mike, "bad", "pushes refs/heads/main to refs/heads/review");
}

#[test]
fn what_cannot_be_synced_is_named() {
    let (world, _origin, mike) = healthy();
    let bare = world.bare("bare.git");
    assert_finds(&bare, "bad", "it is bare");
    mike.git(["switch", "--quiet", "--detach"]);
    assert_finds(&mike, "bad", "HEAD is detached");
    mike.git(["switch", "--quiet", "main"]);
    std::fs::write(mike.git_dir().join("MERGE_HEAD"), format!("{}\n", mike.head())).unwrap();
    assert_finds(&mike, "bad", "a `git merge` is not finished");
    std::fs::remove_file(mike.git_dir().join("MERGE_HEAD")).unwrap();
    mike.git(["config", "remote.origin.promisor", "true"]);
    assert_finds(&mike, "bad", "partial clone");
}

#[test]
fn what_a_broken_disk_has_swallowed_is_named() {
    let (_world, _origin, mike) = healthy();
    let index = mike.git_dir().join("index");
    let whole = std::fs::read(&index).unwrap();
    std::fs::write(&index, &whole[..40]).unwrap();
    assert_finds(&mike, "bad", "it cannot be read");
    std::fs::write(&index, whole).unwrap();
    std::fs::write(mike.git_dir().join("refs/heads/main"), format!("{}\n", "1".repeat(40))).unwrap();
    assert_finds(&mike, "bad", "HEAD cannot be read");
}

#[test]
fn formats_that_are_not_supported_are_named_or_refused() {
    let world = World::new();
    for (option, words) in [("--ref-format=reftable", "reftable"), ("--object-format=sha256", "SHA-256")] {
        let name = option.trim_start_matches("--");
        let made = world.program("git").args(["init", "--quiet", option, name]).output();
        // An older git knows no reftables.
        if made.code == 0 {
            let repo = world.repo(world.path().join(name));
            let (code, found) = findings(doctor(&repo).arg("--offline"));
            assert_eq!(code, 1);
            let told = found.iter().any(|(state, told)| {
                state == "bad" && (told.contains(words) || told.contains("cannot be opened"))
            });
            assert!(told, "{words}: {found:#?}");
        }
    }
}

#[test]
fn a_remote_that_is_missing_or_does_not_answer_is_bad_unless_it_is_not_to_be_asked() {
    let (world, origin, mike) = healthy();
    std::fs::rename(origin.path(), world.path().join("away.git")).unwrap();
    assert_finds(&mike, "bad", "remote: ");
    assert_eq!(findings(doctor(&mike).arg("--offline")), (0, Vec::new()));
    mike.git(["remote", "remove", "origin"]);
    assert_finds(&mike, "bad", "git remote add origin URL");
}

#[test]
fn an_upstream_that_is_gone_or_local_is_bad() {
    let (_world, origin, mike) = healthy();
    mike.git(["config", "branch.main.remote", "."]);
    assert_finds(&mike, "bad", "is a local branch");
    mike.git(["config", "branch.main.remote", "origin"]);
    origin.git(["branch", "--move", "main", "trunk"]);
    assert_finds(&mike, "bad", "has no branch main any more");
}

#[test]
fn refspecs_that_overwrite_notes_are_bad_and_the_remedy_helps() {
    let (_world, _origin, mike) = healthy();
    mike.git(["config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*"]);
    let (code, found) = findings(doctor(&mike));
    assert_eq!(code, 1);
    let (_, told) = found.into_iter().find(|(_, told)| told.contains("local notes")).unwrap();
    let remedy = told.split_once('(').unwrap().1.trim_end_matches(')').to_owned();
    mike.program("sh").args(["-c", &remedy]).success();
    assert_eq!(findings(doctor(&mike)), (0, Vec::new()));
}

#[test]
fn who_the_user_is_must_be_known() {
    let (_world, _origin, mike) = healthy();
    identity(&mike, "{}");
    assert_finds(&mike, "warn", "messages are looked for under git's user.name");
    identity(&mike, "{\"user\": ");
    assert_finds(&mike, "bad", "identity.json is broken");
    identity(&mike, r#"{"user": "mike"}"#);
    mike.git(["config", "user.name", ""]);
    mike.git(["config", "user.email", ""]);
    let without_a_name = doctor(&mike).env("GIT_CONFIG_GLOBAL", "/dev/null");
    assert_found(without_a_name, "bad", "git does not know who commits here");
}

#[test]
fn an_identity_that_the_next_run_would_commit_is_told_until_git_ignores_it() {
    let (_world, _origin, mike) = healthy();
    std::fs::write(mike.join(".git/info/exclude"), "").unwrap();
    assert_finds(&mike, "warn", "would commit it for everybody");
    let (_, found) = findings(doctor(&mike));
    let remedy = found[0].1.split_once("let git ignore it: ").unwrap().1.trim_end_matches(')').to_owned();
    mike.program("sh").args(["-c", &remedy]).success();
    assert_eq!(findings(doctor(&mike)), (0, Vec::new()));
    mike.git(["add", "--force", ".claude/identity.json"]);
    std::fs::remove_file(mike.join(".gitignore")).unwrap();
    assert_eq!(findings(doctor(&mike)), (0, Vec::new()), "whoever tracks it means to");
}

#[test]
fn a_vault_that_cannot_be_synced_is_bad() {
    let (world, origin, mike) = healthy();
    identity(&mike, r#"{"user": "mike", "vault_path": "../nowhere"}"#);
    assert_finds(&mike, "bad", "the vault is missing");
    identity(&mike, r#"{"user": "mike", "vault_path": "."}"#);
    assert_finds(&mike, "bad", "is this repository itself");
    mike.linked_work_tree("linked");
    identity(&mike, r#"{"user": "mike", "vault_path": "../linked"}"#);
    assert_finds(&mike, "bad", "is another work tree of this repository");
    let vault = world.clone_of(&origin, "vault");
    identity(&mike, r#"{"user": "mike", "vault_path": "../vault"}"#);
    assert_eq!(findings(doctor(&mike)), (0, Vec::new()));
    vault.git(["config", "--unset", "user.name"]);
    std::fs::write(world.git_config(), "").unwrap();
    assert_finds(&mike, "bad", "git does not know who commits in the vault");
}

#[cfg(unix)]
#[test]
fn hooks_that_git_passes_over_are_told() {
    let (world, _origin, mike) = healthy();
    mike.hook("pre-push", "#!/bin/sh\n");
    assert!(doctor(&mike).success().stdout.contains("hooks         pre-push"));
    let hook = mike.git_dir().join("hooks/pre-push");
    world.program("chmod").args(["-x", hook.as_str()]).success();
    assert_finds(&mike, "warn", "is not executable");
    // Only root can give a file away.
    if world.program("chown").args(["12345", hook.as_str()]).output().code == 0 {
        assert_finds(&mike, "warn", "belongs to somebody else");
    }
    mike.git(["config", "core.hooksPath", "no-such-folder"]);
    assert_finds(&mike, "warn", "core.hooksPath is");
}

#[test]
fn locks_that_were_left_behind_are_told() {
    let (world, _origin, mike) = healthy();
    let lock = mike.common_dir().join("claudetools-sync.lock");
    std::fs::write(&lock, "").unwrap();
    assert_finds(&mike, "bad", "claudetools-sync.lock is a file");
    assert_eq!(findings(doctor(&mike)).1.len(), 1, "it is no lock of git's");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    world.program("touch").args(["-d", "2 hours ago", lock.as_str()]).success();
    assert_finds(&mike, "warn", "left behind by");
    world.program("touch").args(["-d", "2 hours", lock.as_str()]).success();
    assert_finds(&mike, "warn", "lies in the future");
    std::fs::remove_dir(&lock).unwrap();
    for name in ["index.lock", "refs/heads/main.lock"] {
        let file = mike.git_dir().join(name);
        std::fs::write(&file, "").unwrap();
        assert_finds(&mike, "warn", "let the program that holds it");
        world.program("touch").args(["-d", "1 day ago", file.as_str()]).success();
        assert_finds(&mike, "bad", name);
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn keys_that_nobody_reads_and_values_that_nobody_understands_are_told() {
    let (_world, _origin, mike) = healthy();
    let with = |key: &str, value: &str, state: &str, words: &str| {
        mike.git(["config", key, value]);
        assert_finds(&mike, state, words);
        mike.git(["config", "--unset-all", key]);
    };
    with("lockstep.sessionLog", "x", "warn", "did you mean lockstep.sessionLogs?");
    with("lockstep.mem/*.saveCommand", "x", "warn", "it cannot be said for a part");
    with("lockstep.notesStrategy", "best", "bad", "no way to merge notes");
    with("lockstep.notesRef", "refs/heads/*", "bad", "can match no notes ref");
    with("lockstep.sessionLogs", "(", "bad", "is no regular expression");
    with("notes.mergeStrategy", "records", "bad", "git does not know it");
    assert_eq!(findings(doctor(&mike)), (0, Vec::new()));
}

#[test]
fn session_logs_that_would_reach_nobody_are_told() {
    let (_world, _origin, mike) = healthy();
    mike.write("clients/acme/session-logs/2026-06-05.md", "# Mail\n");
    mike.commit_all("a log");
    mike.write(".gitignore", "clients/acme/session-logs/\n");
    assert_finds(&mike, "warn", "clients/acme/session-logs/ are ignored by git");
    mike.write(".gitignore", "session-logs\n");
    assert_finds(&mike, "warn", "new ones in session-logs/ are ignored");
    mike.remove(".gitignore");
    mike.git(["config", "lockstep.sessionLogs", "^diary/"]);
    assert_finds(&mike, "warn", "no tracked file matches");
}

#[test]
fn a_folder_of_commands_that_cannot_be_written_to_is_bad() {
    let (world, _origin, mike) = healthy();
    mike.write(".claude/commands/sync.md", "Sync.\n");
    assert!(doctor(&mike).success().stdout.contains("they go to "));
    std::fs::write(world.home().join(".claude"), "a file").unwrap();
    assert_finds(&mike, "bad", "they cannot be copied");
}

#[test]
fn an_ssh_remote_without_an_agent_fails_in_the_background() {
    let (_world, _origin, mike) = healthy();
    mike.git(["remote", "set-url", "origin", "git@host.example:tools.git"]);
    assert_found(doctor(&mike).arg("--offline"), "warn", "SSH_AUTH_SOCK");
    let with = doctor(&mike).arg("--offline").env("SSH_AUTH_SOCK", "/run/agent");
    assert_eq!(findings(with), (0, Vec::new()));
}

#[test]
fn a_clock_that_is_far_off_is_told() {
    let (world, _origin, mike) = healthy();
    world.program("touch").args(["-d", "3 days", mike.git_dir().join("HEAD").as_str()]).success();
    assert_finds(&mike, "warn", "in the future: a clock is or was wrong");
}

#[cfg(unix)]
#[test]
fn binaries_that_are_missing_or_of_another_version_are_bad() {
    let (world, _origin, mike) = healthy();
    let folder = world.path().join("bin");
    std::fs::create_dir(&folder).unwrap();
    for name in ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"] {
        std::os::unix::fs::symlink(testkit::binary(name), folder.join(name)).unwrap();
    }
    std::fs::copy(env!("CARGO_BIN_EXE_lockstep"), folder.join("lockstep")).unwrap();
    let doctor = || mike.program(folder.join("lockstep").as_str()).args(["doctor"]);
    assert_eq!(findings(doctor()), (0, Vec::new()));
    std::fs::remove_file(folder.join("cmdcopy")).unwrap();
    assert_found(doctor(), "bad", "there is no cmdcopy that runs");
    std::fs::write(folder.join("cmdcopy"), "#!/bin/sh\necho cmdcopy 9.9.9\n").unwrap();
    world.program("chmod").args(["+x", folder.join("cmdcopy").as_str()]).success();
    assert_found(doctor(), "bad", "cmdcopy 9.9.9");
}

#[test]
fn objects_that_are_borrowed_from_a_repository_that_is_gone_are_told_with_its_place() {
    let (world, origin, mike) = healthy();
    world.git(["clone", "--quiet", "--shared", mike.path().as_str(), "borrower"]);
    let borrower = world.repo(world.path().join("borrower"));
    borrower.belongs_to("howard");
    borrower.git(["remote", "set-url", "origin", origin.path().as_str()]);
    let (_, before) = findings(doctor(&borrower));
    assert!(!before.iter().any(|(_, told)| told.starts_with("objects:")), "{before:?}");

    let elsewhere = world.path().join("elsewhere");
    std::fs::rename(mike.path(), &elsewhere).unwrap();
    let gone =
        format!("objects: {}/.git/objects is gone, which this repository borrows objects from", mike.path());
    assert_finds(&borrower, "bad", &gone);

    std::fs::write(borrower.git_dir().join("objects/info/alternates"), format!("{elsewhere}/.git/objects\n"))
        .unwrap();
    let (_, after) = findings(doctor(&borrower));
    assert_eq!(after, before, "it does as it was told");
}
