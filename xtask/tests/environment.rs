//! Tests runs that are started by git's hooks, or where environment variables name a repository.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use common::pipeline;
use testkit::{Invocation, Output, Repo, World, assert_converged};

/// A clone, and a clone of another remote.
fn main_and_other() -> (World, [Repo; 2], [Repo; 2]) {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let other_origin = world.bare("other.git");
    let other = world.clone_of(&other_origin, "other");
    other.write("of the other", "1\n");
    other.commit_all("the other");
    other.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
    (world, [mike, origin], [other, other_origin])
}

/// A post-commit hook in `repo` that starts a run with these options.
fn sync_after_commits(repo: &Repo, options: &str) {
    let binary = testkit::binary("lockstep");
    repo.hook("post-commit", &format!("exec {binary} full-run {options} --proceed </dev/null"));
}

fn assert_sound(repos: &[&Repo]) {
    for repo in repos {
        repo.git(["fsck", "--strict", "--no-dangling"]);
    }
}

/// A run that is not told which repository to sync.
fn full_run(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_lockstep")).arg("full-run")
}

/// The phase or the run has refused, in words like these.
fn assert_refuses(output: &Output, words: &str) {
    output.assert_code(78);
    assert!(format!("{}{}", output.stdout, output.stderr).contains(words), "{output} should say {words:?}");
}

fn gitsync(repo: &Repo) -> Invocation {
    repo.binary("gitsync").args(["--fresh", "--json"])
}

#[test]
fn a_run_that_a_hook_starts_leaves_the_vault_its_own_index() {
    let (_world, [mike, origin], [vault, vault_origin]) = main_and_other();
    sync_after_commits(&mike, "--vault ../other");
    let linked = mike.linked_work_tree("linked");
    linked.git(["push", "--quiet", "--set-upstream", "origin", "HEAD"]);
    for (round, repo) in [(1, &mike), (2, &mike), (3, &linked)] {
        vault.write(&format!("new in the vault {round}"), "new\n");
        repo.write("file", format!("{round}\n"));
        repo.commit_all("a commit, and a run after it");
        assert_eq!(repo.status(), "", "round {round}");
        assert_converged(&[&vault, &vault_origin]);
        assert_sound(&[repo, &vault]);
    }
    assert_converged(&[&mike, &origin]);
}

#[test]
fn a_named_repository_is_synced_whatever_the_environment_names() {
    let (_world, [mike, _], [other, other_origin]) = main_and_other();
    mike.write("untouched", "1\n");
    for (round, program) in [(1, "gitsync"), (2, "lockstep")] {
        other.write(&format!("file {round}"), "1\n");
        let run = match program {
            "gitsync" => gitsync(&mike),
            _ => full_run(&mike),
        };
        run.args(["--repo", "../other"])
            .env("GIT_DIR", mike.git_dir())
            .env("GIT_WORK_TREE", mike.path())
            .env("GIT_INDEX_FILE", mike.git_dir().join("index"))
            .env("GIT_OBJECT_DIRECTORY", mike.common_dir().join("objects"))
            .success();
        assert_converged(&[&other, &other_origin]);
        assert_eq!(mike.status(), "?? untouched");
        assert_sound(&[&mike, &other]);
    }
}

#[test]
fn where_none_is_named_the_environment_must_mean_the_one_that_is_found() {
    let (_world, [mike, _], [other, other_origin]) = main_and_other();
    mike.write("new", "1\n");
    other.write("new", "1\n");
    let before = [mike.head(), other.head(), other_origin.rev("main")];
    let misleading = [
        ("GIT_DIR", other.git_dir()),
        ("GIT_WORK_TREE", other.path().to_owned()),
        ("GIT_WORK_TREE", "/nonexistent".into()),
        ("GIT_INDEX_FILE", other.git_dir().join("index")),
        ("GIT_INDEX_FILE", mike.git_dir().join("next-index-1.lock")),
        ("GIT_OBJECT_DIRECTORY", other.common_dir().join("objects")),
    ];
    for (name, value) in &misleading {
        for run in [gitsync(&mike), full_run(&mike), mike.binary("lock").args(["acquire", "--fresh"])] {
            let output = run.env(name, value).output();
            assert_refuses(&output, &format!("{name} names {value}"));
            assert_refuses(
                &output,
                &format!("unset {name}, or name this repository by its path: --repo '{}'", mike.path()),
            );
            mike.assert_unlocked();
        }
    }
    assert_eq!([mike.head(), other.head(), other_origin.rev("main")], before);
    assert_eq!([mike.status(), other.status()], ["?? new", "?? new"]);
}

#[test]
fn an_environment_that_names_the_very_repository_changes_nothing() {
    let (_world, [mike, origin], [vault, vault_origin]) = main_and_other();
    let own = |run: Invocation| {
        run.env("GIT_DIR", ".git").env("GIT_WORK_TREE", ".").env("GIT_INDEX_FILE", ".git/index")
    };
    mike.write("one", "1\n");
    vault.write("one", "1\n");
    own(full_run(&mike)).args(["--proceed", "--vault", "../other"]).success();
    assert_converged(&[&mike, &origin]);
    assert_converged(&[&vault, &vault_origin]);
    mike.write("two", "1\n");
    own(gitsync(&mike)).success();
    assert_converged(&[&mike, &origin]);
    assert!(pipeline(&mike).parts.iter().all(|part| part.code == 0));
}

#[test]
fn the_command_of_lock_run_has_the_variables_of_its_hook() {
    let (_world, [mike, _], _) = main_and_other();
    let script = "printf '%s %s' \"$GIT_DIR\" \"$GIT_INDEX_FILE\"";
    let output = mike
        .binary("lock")
        .args(["run", "--", "sh", "-c", script])
        .env("GIT_DIR", ".git")
        .env("GIT_INDEX_FILE", mike.git_dir().join("index"))
        .success();
    assert_eq!(output.stdout, format!(".git {}", mike.git_dir().join("index")));
}

#[test]
fn a_run_within_the_git_directory_finds_the_repository() {
    let (_world, [mike, origin], _) = main_and_other();
    mike.write("new", "1\n");
    gitsync(&mike).in_dir(mike.git_dir()).success();
    assert_converged(&[&mike, &origin]);
}

#[test]
fn refs_in_reftables_are_refused_by_every_phase() {
    let world = World::new();
    let path = world.path().join("tables");
    if world.program("git").args(["init", "--quiet", "--ref-format=reftable", path.as_str()]).output().code
        != 0
    {
        // An older git knows no reftables.
        return;
    }
    let repo = world.repo(path);
    repo.write("file", "1\n");
    repo.commit_all("a commit");
    repo.git(["notes", "--ref", "mem/x", "add", "-m", "hi"]);
    let phases = ["logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"];
    let fresh = phases.map(|phase| repo.binary(phase).args(["--fresh", "--json"]));
    for run in fresh.into_iter().chain([full_run(&repo), repo.binary("lock").args(["acquire", "--fresh"])]) {
        assert_refuses(&run.output(), "reftables");
    }
}

#[test]
fn an_agent_that_is_nowhere_is_told_apart_from_an_option() {
    let (world, [mike, origin], _) = main_and_other();
    let gone = r#"{"session_id": "1", "hook_event_name": "Stop", "cwd": "/no/such/place"}"#;
    let output = world.binary("logcheck").arg("--json").stdin(gone).output();
    assert_refuses(&output, "the agent's JSON on stdin names '/no/such/place'");
    mike.write("new", "1\n");
    mike.binary("gitsync").args(["--json", "--repo", mike.path().as_str()]).stdin(gone).success();
    assert_converged(&[&mike, &origin]);
}

/// Nothing that `repo` and `origin` hold is changed by what runs in `directory` do, which refuse.
fn assert_is_none_of_theirs(repo: &Repo, origin: &Repo, directory: &str, ceiling: &str, words: &str) {
    let before = [repo.head(), origin.rev("main"), repo.status()];
    for run in [gitsync(repo), full_run(repo), repo.binary("lock").args(["acquire", "--fresh"])] {
        let output = run.in_dir(repo.join(directory)).env("GIT_CEILING_DIRECTORIES", ceiling).output();
        assert_refuses(&output, words);
    }
    assert_eq!([repo.head(), origin.rev("main"), repo.status()], before);
    repo.assert_unlocked();
}

#[test]
fn a_repository_above_a_ceiling_is_not_found() {
    let (_world, [mike, origin], _) = main_and_other();
    mike.write("projects/one/new", "1\n");
    let ceiling = mike.join("projects");
    assert_is_none_of_theirs(&mike, &origin, "projects/one", ceiling.as_str(), "there is no git repository");
    gitsync(&mike).in_dir(mike.join("projects")).env("GIT_CEILING_DIRECTORIES", &ceiling).success();
    assert_converged(&[&mike, &origin]);
}

#[test]
fn what_was_a_work_tree_is_not_taken_for_the_repository_around_it() {
    let (_world, [mike, origin], _) = main_and_other();
    mike.git(["worktree", "add", "--quiet", "trees/one"]);
    mike.write(".git/info/exclude", "trees\n");
    mike.write("new", "1\n");
    mike.write("trees/one/folder/new", "1\n");
    let known = mike.git_dir().join("worktrees/one");
    std::fs::rename(&known, mike.join("../away")).unwrap();
    for directory in ["trees/one", "trees/one/folder"] {
        assert_is_none_of_theirs(&mike, &origin, directory, "", "trees/one/.git leads to no git repository");
    }
    std::fs::rename(mike.join("../away"), known).unwrap();
    gitsync(&mike).in_dir(mike.join("trees/one")).success();
    gitsync(&mike).success();
    assert_converged(&[&mike, &origin]);
}

#[test]
fn a_namespace_hides_nothing_of_the_repository() {
    let (_world, [mike, _], _) = main_and_other();
    mike.write("new", "1\n");
    gitsync(&mike).args(["--no-pull", "--no-push"]).env("GIT_NAMESPACE", "elsewhere").success();
    assert_eq!(mike.status(), "");
    let args = ["append", "--ref", "mem/x", "-m", "a note"];
    mike.binary("notes-sync").args(args).env("GIT_NAMESPACE", "elsewhere").success();
    assert_eq!(mike.git(["notes", "--ref", "mem/x", "show"]).trim(), "a note");
    assert_eq!(mike.git(["for-each-ref", "refs/namespaces"]), "");
}

#[test]
fn a_run_whose_caller_ignores_the_ends_of_programs_sees_them() {
    let (_world, [mike, origin], _) = main_and_other();
    mike.write("new", "1\n");
    mike.hook("pre-commit", "exit 0");
    let script = "trap '' CHLD; exec \"$0\" full-run --proceed";
    mike.program("bash").args(["-c", script, env!("CARGO_BIN_EXE_lockstep")]).success();
    assert_converged(&[&mike, &origin]);
    mike.hook("pre-commit", "exit 1");
    mike.write("more", "1\n");
    let output = mike.program("bash").args(["-c", script, env!("CARGO_BIN_EXE_lockstep")]).output();
    output.assert_code(1);
    assert!(output.stdout.contains("the pre-commit hook said no"), "{output}");
}
