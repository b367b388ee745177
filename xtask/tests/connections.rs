//! Tests how often a run connects to the remote, which is its main cost over a network.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use camino::Utf8PathBuf;
use common::{full_run, sync};
use testkit::{Repo, World};

/// The remote's programs, each of which notes that it was started.
struct Counted {
    log: Utf8PathBuf,
}

impl Counted {
    fn connections_of(repo: &Repo) -> Self {
        let log = repo.git_dir().join("connections");
        for (key, program) in [("uploadpack", "git-upload-pack"), ("receivepack", "git-receive-pack")] {
            let line = format!("echo {program} >>'{log}'; {program}");
            repo.git(["config", &format!("remote.origin.{key}"), &line]);
        }
        Self { log }
    }

    /// The programs that were started since the last time.
    fn since(&self) -> Vec<String> {
        let programs = std::fs::read_to_string(&self.log).unwrap_or_default();
        let _ = std::fs::remove_file(&self.log);
        programs.lines().map(str::to_owned).collect()
    }
}

fn world() -> (World, [Repo; 2], Counted) {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for repo in [&howard, &mike] {
        repo.git(["notes", "--ref", "mem/decisions", "add", "-m", "tabs"]);
        sync(repo);
    }
    let counted = Counted::connections_of(&mike);
    (world, [howard, mike], counted)
}

#[test]
fn nothing_to_do_is_one_connection_for_branch_and_notes_together() {
    let (_world, [_howard, mike], counted) = world();
    sync(&mike);
    assert_eq!(counted.since(), ["git-upload-pack"]);
}

#[test]
fn something_to_push_is_one_more() {
    let (_world, [_howard, mike], counted) = world();
    mike.write("a.md", "a\n");
    sync(&mike);
    assert_eq!(counted.since(), ["git-upload-pack", "git-receive-pack"]);

    mike.git(["notes", "--ref", "mem/decisions", "append", "-m", "spaces"]);
    sync(&mike);
    assert_eq!(counted.since(), ["git-upload-pack", "git-receive-pack"]);
}

#[test]
fn what_comes_in_needs_no_second_connection_but_notes_that_do() {
    let (_world, [howard, mike], counted) = world();
    howard.write("a.md", "a\n");
    sync(&howard);
    sync(&mike);
    assert_eq!(counted.since(), ["git-upload-pack"]);

    howard.git(["notes", "--ref", "mem/decisions", "append", "-m", "spaces"]);
    sync(&howard);
    sync(&mike);
    assert_eq!(counted.since(), ["git-upload-pack"; 2]);
    assert!(mike.git(["notes", "--ref", "mem/decisions", "show"]).contains("spaces"));
}

#[test]
fn notes_that_the_remote_got_meanwhile_are_not_lost_by_what_was_heard_before() {
    let (_world, [howard, mike], _counted) = world();
    mike.git(["notes", "--ref", "mem/decisions", "append", "-m", "from Mike"]);
    // Between the two phases of Mike's run somebody else pushes: the listing that travels is out of date.
    howard.git(["notes", "--ref", "mem/decisions", "append", "-m", "from Howard"]);
    let locked = mike.binary("lock").args(["acquire", "--json"]).success();
    let first = mike.binary("gitsync").args(["--json"]).stdin(&locked.stdout).success();
    sync(&howard);
    let second = mike.binary("notes-sync").args(["--json"]).stdin(&first.stdout).success();
    mike.binary("lock").arg("release").stdin(&second.stdout).success();

    sync(&howard);
    for repo in [&howard, &mike] {
        let notes = repo.git(["notes", "--ref", "mem/decisions", "show"]);
        assert!(notes.contains("from Mike") && notes.contains("from Howard"), "{notes}");
    }
}

#[test]
fn a_document_that_was_kept_does_not_stand_for_the_remote() {
    let (_world, [howard, mike], counted) = world();
    let kept = mike.binary("gitsync").args(["--json"]).success();
    howard.git(["notes", "--ref", "mem/decisions", "append", "-m", "spaces"]);
    sync(&howard);
    counted.since();
    mike.binary("notes-sync").args(["--json"]).stdin(&kept.stdout).success();
    assert_eq!(counted.since(), ["git-upload-pack"]);
    assert!(mike.git(["notes", "--ref", "mem/decisions", "show"]).contains("spaces"));
}

#[test]
fn to_a_folder_of_this_machine_there_is_none_at_all() {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let recorder = world.recorder_of_servers();
    for round in 0..2 {
        howard.write("a.md", format!("{round}\n"));
        howard.git(["notes", "--ref", "mem/decisions", "append", "-m", &format!("tabs {round}")]);
        for repo in [&howard, &mike] {
            full_run(repo).arg("--json").recorded_by(&recorder).success();
        }
        assert_eq!(mike.read("a.md"), format!("{round}\n"));
        assert!(mike.git(["notes", "--ref", "mem/decisions", "show", "HEAD~"]).contains("tabs"));
    }
    assert_eq!(recorder.calls(), [""; 0]);
    origin.assert_sound();
    origin.git(["config", "receive.denyDeletes", "true"]);
    howard.write("a.md", "more\n");
    full_run(&howard).arg("--json").recorded_by(&recorder).success();
    assert_eq!(recorder.calls().len(), 2, "one to fetch, one to push");
}
