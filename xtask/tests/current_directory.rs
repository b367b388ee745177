//! Tests runs whose current directory is removed, by the update or by another process.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use testkit::{Invocation, Output, Pipeline, Repo, World, assert_converged};

const FOLDER: &str = "clients/acme";

/// Howard has moved the folder that Mike is in, and Mike has something to commit.
fn moved_folder() -> (World, Repo, [Repo; 2]) {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("clients/acme/notes.md", "notes\n");
    common::sync(&howard);
    common::sync(&mike);
    howard.git(["mv", "clients", "customers"]);
    howard.commit_all("moved");
    howard.push();
    mike.write("mine.md", "mine\n");
    (world, origin, [howard, mike])
}

/// The pipeline typed by hand in a folder of the work tree.
fn pipeline_in(repo: &Repo, folder: &str) -> Vec<Output> {
    let part = |name: &str| repo.binary(name).in_dir(repo.join(folder));
    let phases = ["logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"];
    let pipeline = phases
        .into_iter()
        .fold(Pipeline::new().then(part("lock").arg("acquire")), |pipeline, name| pipeline.then(part(name)));
    pipeline.then(part("lock").arg("release")).output().parts
}

fn full_run_in(repo: &Repo, folder: &str) -> Output {
    let lockstep = repo.program(env!("CARGO_BIN_EXE_lockstep"));
    lockstep.arg("full-run").in_dir(repo.join(folder)).output()
}

#[test]
fn the_pipeline_goes_on_in_a_folder_that_others_have_moved() {
    let (_world, origin, [howard, mike]) = moved_folder();
    for part in pipeline_in(&mike, FOLDER) {
        part.assert_success();
    }
    mike.assert_unlocked();
    mike.assert_clean();
    common::sync(&howard);
    assert_converged(&[&howard, &mike, &origin]);
    assert!(mike.join(FOLDER).is_dir(), "the shell that typed it is still there");
    assert!(!mike.join("clients/acme/notes.md").exists());
}

#[test]
fn a_full_run_goes_on_in_a_folder_that_others_have_moved_and_so_does_the_next() {
    let (_world, origin, [howard, mike]) = moved_folder();
    full_run_in(&mike, FOLDER).assert_success();
    mike.assert_unlocked();
    howard.git(["pull", "--quiet", "--rebase"]);
    howard.git(["mv", "customers", "clients"]);
    howard.commit_all("back");
    howard.push();
    full_run_in(&mike, FOLDER).assert_success();
    assert_converged(&[&howard, &mike, &origin]);
    assert_eq!(mike.read("clients/acme/notes.md"), "notes\n");
}

#[test]
fn a_folder_that_became_a_file_is_not_taken_from_under_a_run() {
    let (_world, origin, [howard, mike]) = moved_folder();
    howard.write("clients", "a file\n");
    howard.commit_all("a file");
    howard.push();
    let output = full_run_in(&mike, FOLDER);
    output.assert_code(1);
    assert!(output.stdout.contains("clients: the current directory is there"), "{output}");
    mike.assert_unlocked();
    mike.assert_clean();
    assert_eq!(mike.read("clients/acme/notes.md"), "notes\n");

    full_run_in(&mike, ".").assert_success();
    common::sync(&howard);
    assert_converged(&[&howard, &mike, &origin]);
}

#[test]
fn where_the_current_directory_is_gone_whole_paths_do_and_others_have_no_meaning() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write(".claude/commands/sync.md", "sync\n");
    let gone = |name: &str| {
        let line = "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" --fresh --repo \"$@\"";
        let binary = testkit::binary(name);
        world.program("sh").args(["-c", line, binary.as_str(), mike.path().as_str()])
    };
    gone("gitsync").success();
    assert_eq!(origin.head(), mike.head());
    gone("cmdcopy").success();
    let refused = [
        gone("cmdcopy").args(["--to", "commands"]),
        gone("gitsync").args(["--only", "commands"]),
        gone("gitsync").args(["--vault", "."]),
    ];
    for output in refused.map(Invocation::output) {
        output.assert_code(78);
        output.assert_says("the current directory is gone");
    }
    assert!(!mike.join("commands").exists());
}
