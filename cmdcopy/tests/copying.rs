//! Tests that commands are copied without losing any of the user's files, on real repositories and home directories.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use std::os::unix::fs::{PermissionsExt as _, symlink};

use camino::Utf8PathBuf;
use contract::{CopyResult, Outcome};
use testkit::{Invocation, Output, Repo, Sections as _, World};

struct Story {
    world: World,
    repo: Repo,
}

impl Story {
    /// A repository with the commands `sync.md` and `save.md`.
    fn begin() -> Self {
        let world = World::new();
        let repo = world.init("mike");
        repo.write(".claude/commands/sync.md", "sync, version 1\n");
        repo.write(".claude/commands/save.md", "save, version 1\n");
        repo.commit_all("the beginning");
        Self { world, repo }
    }

    fn cmdcopy(&self) -> Invocation {
        self.repo.program(env!("CARGO_BIN_EXE_cmdcopy"))
    }

    fn copy(&self, arguments: &[&str]) -> Vec<String> {
        shown(&self.cmdcopy().args(arguments).success())
    }

    fn target(&self, name: &str) -> Utf8PathBuf {
        self.world.home().join(".claude/commands").join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.target(name)).unwrap()
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::create_dir_all(self.target("")).unwrap();
        std::fs::write(self.target(name), content).unwrap();
    }

    /// All names in the target folder, hidden ones too.
    fn names(&self) -> Vec<String> {
        let entries = self.target("").read_dir_utf8().unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
        names.sort();
        names
    }
}

/// What became of the files, as `result name` by name, with the backup behind it.
fn shown(output: &Output) -> Vec<String> {
    let word = |result| match result {
        CopyResult::Added => "added",
        CopyResult::Updated => "updated",
        CopyResult::Unchanged => "unchanged",
        CopyResult::Kept => "kept",
        CopyResult::Removed => "removed",
    };
    let document = output.document();
    let files = document.cmdcopy().files.iter();
    let backup =
        |backup: &Option<String>| backup.as_ref().map(|name| format!(" > {name}")).unwrap_or_default();
    files.map(|file| format!("{} {}{}", word(file.result), file.name, backup(&file.backup))).collect()
}

#[test]
fn commands_are_copied_once_and_then_only_when_they_differ() {
    let story = Story::begin();
    let output = story.cmdcopy().success();
    assert_eq!(shown(&output), ["added save.md", "added sync.md"]);
    let document = output.document();
    assert_eq!(document.cmdcopy().to, story.target("").as_str().trim_end_matches('/'));
    assert_eq!(document.cmdcopy().from, story.repo.join(".claude/commands"));
    assert_eq!(story.copy(&[]), ["unchanged save.md", "unchanged sync.md"]);
    story.repo.write(".claude/commands/sync.md", "sync, version 2\n");
    assert_eq!(story.copy(&[]), ["unchanged save.md", "updated sync.md"]);
    assert_eq!(story.read("sync.md"), "sync, version 2\n");
    assert_eq!(story.names(), ["save.md", "sync.md"]);
}

#[test]
fn only_the_markdown_files_of_the_folder_itself_are_commands() {
    let story = Story::begin();
    for other in ["notes.txt", ".hidden.md", "sub/deeper.md", "folder.md/x.txt"] {
        story.repo.write(&format!(".claude/commands/{other}"), "x");
    }
    assert_eq!(story.copy(&[]), ["added save.md", "added sync.md"]);
}

#[test]
fn what_the_user_edited_is_kept_beside_and_an_older_backup_stays() {
    let story = Story::begin();
    story.copy(&[]);
    for (round, backup) in [(2, "sync.md.bak"), (3, "sync.md.bak.1"), (4, "sync.md.bak.2")] {
        story.write("sync.md", &format!("mine, round {round}\n"));
        story.repo.write(".claude/commands/sync.md", format!("sync, version {round}\n"));
        let output = story.cmdcopy().success();
        assert_eq!(shown(&output), ["unchanged save.md".into(), format!("updated sync.md > {backup}")]);
        output.assert_says(&format!("sync.md (yours is kept as {backup})"));
        assert_eq!(story.read("sync.md"), format!("sync, version {round}\n"));
        assert_eq!(story.read(backup), format!("mine, round {round}\n"));
    }
    assert_eq!(story.read("sync.md.bak"), "mine, round 2\n");
    assert_eq!(story.names(), ["save.md", "sync.md", "sync.md.bak", "sync.md.bak.1", "sync.md.bak.2"]);
}

#[test]
fn what_was_there_before_the_first_copy_is_kept_beside() {
    let story = Story::begin();
    story.write("sync.md", "my own\n");
    story.write("save.md", "save, version 1\n");
    assert_eq!(story.copy(&[]), ["unchanged save.md", "updated sync.md > sync.md.bak"]);
    assert_eq!(story.read("sync.md.bak"), "my own\n");
}

#[test]
fn the_same_content_is_not_backed_up_twice() {
    let story = Story::begin();
    for version in [2, 3] {
        story.write("sync.md", "my own\n");
        story.repo.write(".claude/commands/sync.md", format!("sync, version {version}\n"));
        assert_eq!(story.copy(&[])[1], "updated sync.md > sync.md.bak");
    }
}

#[test]
fn a_backup_keeps_the_users_mode_and_so_does_the_copy() {
    let story = Story::begin();
    story.write("sync.md", "my own\n");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(story.target("sync.md"), private).unwrap();
    story.copy(&[]);
    let mode = |name| story.target(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("sync.md"), mode("sync.md.bak")), (0o600, 0o600));
    assert_eq!(mode("save.md") & 0o600, 0o600);
}

#[test]
fn a_link_a_folder_and_a_read_only_file_are_left_alone_with_the_reason() {
    let story = Story::begin();
    story.repo.write(".claude/commands/folder.md", "x\n");
    story.write("my-sync.txt", "mine\n");
    symlink("my-sync.txt", story.target("sync.md")).unwrap();
    std::fs::create_dir(story.target("folder.md")).unwrap();
    story.write("save.md", "mine\n");
    std::fs::set_permissions(story.target("save.md"), std::fs::Permissions::from_mode(0o444)).unwrap();
    let output = story.cmdcopy().success();
    assert_eq!(shown(&output), ["kept folder.md", "kept save.md", "kept sync.md"]);
    output.assert_says("sync.md: the target is a link");
    output.assert_says("save.md: the target is read-only");
    assert_eq!(story.read("my-sync.txt"), "mine\n");
    assert_eq!(story.read("save.md"), "mine\n");
}

#[test]
fn links_inside_the_repository_are_followed_and_those_that_leave_it_are_not() {
    let story = Story::begin();
    story.repo.write("docs/plan.md", "plan\n");
    let secret = story.world.home().join("secret.txt");
    std::fs::write(&secret, "secret\n").unwrap();
    let commands = story.repo.join(".claude/commands");
    symlink("../../docs/plan.md", commands.join("plan.md")).unwrap();
    symlink(&secret, commands.join("leaves.md")).unwrap();
    symlink("../../.git/config", commands.join("config.md")).unwrap();
    symlink("nowhere", commands.join("nowhere.md")).unwrap();
    assert_eq!(
        story.copy(&[]),
        [
            "kept config.md",
            "kept leaves.md",
            "kept nowhere.md",
            "added plan.md",
            "added save.md",
            "added sync.md"
        ]
    );
    assert_eq!(story.read("plan.md"), "plan\n");
    assert_eq!(story.names(), ["plan.md", "save.md", "sync.md"]);
}

#[test]
fn a_folder_that_is_a_link_out_of_the_repository_is_not_followed() {
    let story = Story::begin();
    story.copy(&[]);
    let outside = story.world.path().join("outside");
    std::fs::rename(story.repo.join(".claude/commands"), &outside).unwrap();
    std::fs::remove_file(outside.join("sync.md")).unwrap();
    symlink(&outside, story.repo.join(".claude/commands")).unwrap();
    assert_eq!(story.copy(&["--prune"]), ["kept commands"], "what is in it is not known to be gone");
    assert_eq!(story.names(), ["save.md", "sync.md"]);
}

#[test]
fn prune_removes_what_was_copied_and_is_gone_and_nothing_else() {
    let story = Story::begin();
    story.repo.write(".claude/commands/edited.md", "edited, version 1\n");
    story.repo.write(".claude/commands/gone.md", "gone, version 1\n");
    story.copy(&[]);
    story.write("mine.md", "never copied\n");
    story.write("edited.md", "changed by the user\n");
    std::fs::remove_file(story.target("gone.md")).unwrap();
    story.repo.commit_all("four commands");
    for name in ["sync.md", "edited.md", "gone.md"] {
        story.repo.remove(&format!(".claude/commands/{name}"));
    }
    assert_eq!(story.copy(&[]), ["unchanged save.md"]);
    assert_eq!(
        story.copy(&["--prune"]),
        ["kept edited.md", "kept gone.md", "unchanged save.md", "kept sync.md"],
        "the repository still has them"
    );
    story.repo.commit_all("one command");
    assert_eq!(
        story.copy(&["--prune", "--dry-run"]),
        ["kept edited.md", "unchanged save.md", "removed sync.md"]
    );
    assert!(story.target("sync.md").exists());
    assert_eq!(story.copy(&["--prune"]), ["kept edited.md", "unchanged save.md", "removed sync.md"]);
    assert_eq!(story.names(), ["edited.md", "mine.md", "save.md"]);
}

#[test]
fn what_was_copied_from_another_folder_is_not_pruned() {
    let story = Story::begin();
    story.repo.write("more/extra.md", "extra, version 1\n");
    story.copy(&[]);
    assert_eq!(story.copy(&["--from", "more", "--prune"]), ["added extra.md"]);
    assert_eq!(story.copy(&["--prune"]), ["unchanged save.md", "unchanged sync.md"]);
    assert_eq!(story.names(), ["extra.md", "save.md", "sync.md"]);
    story.repo.remove("more/extra.md");
    assert_eq!(story.copy(&["--from", "more", "--prune"]), ["removed extra.md"]);
}

#[test]
fn what_was_there_with_the_same_content_is_not_pruned() {
    let story = Story::begin();
    story.write("sync.md", "sync, version 1\n");
    story.copy(&[]);
    story.repo.remove(".claude/commands/sync.md");
    assert_eq!(story.copy(&["--prune"]), ["unchanged save.md"]);
    assert!(story.target("sync.md").exists());
}

#[test]
fn each_target_has_a_record_of_its_own_and_work_trees_share_it() {
    let story = Story::begin();
    let other = story.world.path().join("other");
    story.copy(&[]);
    assert_eq!(story.copy(&["--to", other.as_str()]), ["added save.md", "added sync.md"]);
    let linked = story.repo.linked_work_tree("linked");
    linked.write(".claude/commands/sync.md", "sync, version 2\n");
    let output = linked.program(env!("CARGO_BIN_EXE_cmdcopy")).success();
    assert_eq!(shown(&output), ["unchanged save.md", "updated sync.md"]);
}

#[test]
fn folders_can_be_named() {
    let story = Story::begin();
    let from = story.world.path().join("elsewhere");
    std::fs::create_dir(&from).unwrap();
    std::fs::write(from.join("a.md"), "a").unwrap();
    assert_eq!(story.copy(&["--from", "../elsewhere", "--to", "../there"]), ["added a.md"]);
    assert_eq!(std::fs::read_to_string(story.world.path().join("there/a.md")).unwrap(), "a");
    for no_folder in ["nowhere", "../elsewhere/a.md"] {
        let output = story.cmdcopy().args(["--from", no_folder]).output();
        output.assert_code(78);
        output.assert_says(&format!("{no_folder} cannot be copied from"));
    }
}

#[test]
fn a_dry_run_changes_nothing_at_all() {
    let story = Story::begin();
    let output = story.cmdcopy().arg("--dry-run").success();
    assert_eq!(shown(&output), ["added save.md", "added sync.md"]);
    output.assert_says("dry run");
    assert!(!story.world.home().join(".claude").exists());
    assert!(!story.repo.common_dir().join("lockstep").exists());
}

#[test]
fn a_dry_run_says_what_would_become_of_what_the_user_wrote() {
    let story = Story::begin();
    let target = story.world.home().join(".claude/commands");
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join("sync.md"), "my own\n").unwrap();
    let output = story.cmdcopy().arg("--dry-run").success();
    output.assert_says("sync.md: yours would be kept as a backup");
    assert_eq!(std::fs::read_to_string(target.join("sync.md")).unwrap(), "my own\n");
}

#[test]
fn without_commands_there_is_nothing_to_do() {
    let world = World::new();
    let repo = world.init("mike");
    let output = repo.program(env!("CARGO_BIN_EXE_cmdcopy")).success();
    output.assert_says("no commands");
    assert!(!world.home().join(".claude").exists());
}

#[test]
fn without_a_home_the_target_has_to_be_named() {
    let story = Story::begin();
    let output = story.cmdcopy().env("HOME", "").output();
    output.assert_code(78);
    output.assert_says("HOME is not set");
    output.assert_says("--to DIR");
    assert_eq!(output.document().outcome, Outcome::Failed);
    let there = story.world.path().join("there");
    story.cmdcopy().env("HOME", "").args(["--to", there.as_str()]).success();
}

#[test]
fn commands_never_go_to_a_home_within_the_work_tree() {
    let story = Story::begin();
    let output = story.cmdcopy().env("HOME", "home").output();
    output.assert_code(78);
    output.assert_says("which is not a whole path");
    assert!(!story.repo.join("home").exists());
}

#[test]
fn a_target_that_cannot_be_written_is_explained_and_the_run_goes_on() {
    let story = Story::begin();
    std::fs::write(story.world.home().join(".claude"), "a file in the way").unwrap();
    let output = story.cmdcopy().output();
    output.assert_code(1);
    output.assert_says(".claude/commands/save.md cannot be written");
    output.assert_says(".claude/commands cannot be made");
    let document = output.document();
    assert_eq!((document.outcome, document.ended), (Outcome::Failed, Some(false)));
    assert_eq!(shown(&output), ["kept save.md", "kept sync.md"]);
}

#[test]
fn a_run_that_was_killed_is_made_good_by_the_next() {
    let story = Story::begin();
    story.copy(&[]);
    // As a run leaves it that is killed when it has replaced one file of two.
    let id = |content: &str| {
        let output = story.repo.git_invocation().args(["hash-object", "--stdin"]).stdin(content).success();
        output.stdout.trim().to_owned()
    };
    let (old, new) = ("version 1\n", "version 2\n");
    let entry = |name: &str| {
        format!(r#""{name}.md": ["{}", "{}"]"#, id(&format!("{name}, {old}")), id(&format!("{name}, {new}")))
    };
    let record = format!(
        r#"{{"folders": {{"{}": {{"commands": {{{}, {}}}, "unfinished": "RUN"}}}}}}"#,
        story.target("").as_str().trim_end_matches('/'),
        entry("save"),
        entry("sync")
    );
    std::fs::write(story.repo.common_dir().join("lockstep/cmdcopy.json"), record).unwrap();
    story.write("save.md", "save, version 2\n");
    story.write(".sync.md.RUN.tmp", "sync, vers");
    story.write(".other.tmp", "not ours");
    for name in ["save", "sync"] {
        story.repo.write(&format!(".claude/commands/{name}.md"), format!("{name}, version 2\n"));
    }
    assert_eq!(story.copy(&[]), ["unchanged save.md", "updated sync.md"]);
    assert_eq!(story.names(), [".other.tmp", "save.md", "sync.md"]);
    story.repo.remove(".claude/commands/save.md");
    story.repo.commit_all("without save");
    assert_eq!(story.copy(&["--prune"]), ["removed save.md", "unchanged sync.md"]);
}

#[test]
fn a_record_that_is_broken_costs_a_backup_and_never_a_file() {
    let story = Story::begin();
    story.copy(&[]);
    std::fs::write(story.repo.common_dir().join("lockstep/cmdcopy.json"), "{").unwrap();
    story.repo.write(".claude/commands/sync.md", "sync, version 2\n");
    assert_eq!(story.copy(&["--prune"]), ["unchanged save.md", "updated sync.md > sync.md.bak"]);
}

#[test]
fn a_name_may_be_as_long_as_the_file_system_takes() {
    let story = Story::begin();
    let name = format!("{}.md", "x".repeat(252));
    story.repo.write(&format!(".claude/commands/{name}"), "long\n");
    story.copy(&[]);
    assert_eq!(story.read(&name), "long\n");
}

#[test]
fn a_name_that_is_not_utf8_is_refused_by_name_and_the_others_are_copied() {
    use std::os::unix::ffi::OsStrExt as _;
    let story = Story::begin();
    let name = std::ffi::OsStr::from_bytes(b"\xff.md");
    std::fs::write(story.repo.join(".claude/commands").as_std_path().join(name), "x").unwrap();
    let output = story.cmdcopy().output();
    output.assert_code(1);
    output.assert_says(r"\xFF.md");
    assert_eq!(shown(&output), ["added save.md", "added sync.md"]);
}

#[test]
fn sections_and_fields_of_others_survive_and_a_run_that_has_ended_passes_through() {
    let story = Story::begin();
    let mut begun = story.cmdcopy().success().json();
    begun["more"] = serde_json::json!({"z": 1.50});
    begun["phases"]["other"] = serde_json::json!({"kept": "yes"});
    let passed = story.cmdcopy().stdin(begun.to_string()).success().json();
    assert_eq!(passed["more"], begun["more"]);
    assert_eq!(passed["phases"]["other"], begun["phases"]["other"]);

    story.repo.write(".claude/commands/sync.md", "sync, version 2\n");
    begun["ended"] = true.into();
    let output = story.cmdcopy().stdin(begun.to_string()).success();
    assert_eq!(output.stdout, format!("{begun}\n"));
    assert_eq!(story.read("sync.md"), "sync, version 1\n");
}

#[test]
fn a_run_whose_lock_was_taken_over_changes_nothing() {
    let story = Story::begin();
    let mut document = story.cmdcopy().arg("--dry-run").success().json();
    let lock = story.repo.common_dir().join("claudetools-sync.lock");
    document["phases"]["lock"] = serde_json::json!({"path": lock, "token": "01KTAKENOVERBYSOMEBODYELSE"});
    let output = story.cmdcopy().stdin(document.to_string()).output();
    output.assert_code(75);
    let document = output.document();
    assert_eq!((document.outcome, document.ended), (Outcome::Deferred, Some(true)));
    assert!(!story.world.home().join(".claude").exists());
}

#[test]
fn while_a_script_holds_the_lock_the_commands_wait_and_then_are_deferred() {
    let story = Story::begin();
    let lock = story.repo.common_dir().join("claudetools-sync.lock");
    std::fs::create_dir(&lock).unwrap();
    std::fs::write(lock.join("pid"), std::process::id().to_string()).unwrap();
    story.cmdcopy().args(["--wait", "50ms"]).output().assert_code(75);
    assert!(!story.world.home().join(".claude").exists());
    assert_eq!(story.copy(&["--wait", "50ms", "--no-lock"]), ["added save.md", "added sync.md"]);
    assert_eq!(story.copy(&["--wait", "50ms", "--dry-run"]), ["unchanged save.md", "unchanged sync.md"]);
}

#[test]
fn an_empty_pipe_means_that_the_phase_before_died() {
    let story = Story::begin();
    story.cmdcopy().stdin("").output().assert_code(65);
    assert!(!story.world.home().join(".claude").exists());
}

#[test]
fn a_bare_repository_has_no_commands_unless_they_are_named() {
    let world = World::new();
    let bare = world.bare("bare.git");
    let output = bare.program(env!("CARGO_BIN_EXE_cmdcopy")).output();
    output.assert_code(78);
    output.assert_says("bare");
}
