//! Tests whole runs with a remote in a local directory, which needs no server program, in realistic environments.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::{Beginning, Copy, gitsync};
use testkit::{Recorder, Repo, World};

/// The programs that a successful run starts.
fn servers_of(repo: &Repo, recorder: &Recorder) -> Vec<String> {
    let before = recorder.calls().len();
    gitsync(repo).recorded_by(recorder).success();
    let names = recorder.calls().into_iter().skip(before);
    names.map(|call| call.split(' ').next().unwrap_or_default().to_owned()).collect()
}

const BOTH: [&str; 2] = ["git-upload-pack", "git-receive-pack"];

#[test]
fn a_run_starts_no_server_program_whatever_it_moves() {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let recorder = world.recorder_of_servers();
    for files in [0, 1, 150] {
        for file in 0..files {
            howard.write(&format!("{files}/{file}.md"), format!("{file}\n"));
        }
        assert!(servers_of(&howard, &recorder).is_empty(), "{files} files out");
        assert!(servers_of(&mike, &recorder).is_empty(), "{files} files in");
        assert_eq!((howard.head(), origin.rev("main")), (mike.head(), mike.head()));
    }
    howard.assert_clean();
    testkit::assert_converged(&[&howard, &mike, &origin]);
    // So that it is known that they would have been seen.
    origin.hook("post-update", "#!/bin/sh\n");
    mike.write("mine.md", "mine\n");
    assert_eq!(servers_of(&mike, &recorder), ["git-receive-pack"]);
    origin.git(["config", "uploadpack.allowFilter", "true"]);
    mike.write("mine.md", "mine too\n");
    assert_eq!(servers_of(&mike, &recorder), BOTH);
}

#[test]
fn what_the_user_has_configured_for_all_servers_counts_for_this_one() {
    let included = "[transfer]\n\tfsckObjects = true\n";
    for config in [
        "[transfer]\n\tfsckObjects = true\n",
        "[receive]\n\tdenyNonFastForwards = true\n",
        "[include]\n\tpath = included\n",
        "[includeIf \"gitdir:**/origin.git\"]\n\tpath = included\n",
    ] {
        let (world, origin, [mike]) = World::with_clones(["mike"]);
        let recorder = world.recorder_of_servers();
        std::fs::write(world.home().join("included"), included).unwrap();
        let usual = std::fs::read_to_string(world.git_config()).unwrap();
        std::fs::write(world.git_config(), format!("{usual}{config}")).unwrap();
        mike.write("mine.md", "mine\n");
        assert_eq!(servers_of(&mike, &recorder), BOTH, "{config}");
        assert_eq!(origin.rev("main"), mike.head(), "{config}");
    }
}

#[test]
fn what_a_folder_in_the_environment_says_is_a_servers_business() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let recorder = world.recorder_of_servers();
    let old = origin.rev("main");
    mike.write("mine.md", "mine\n");
    // Git moves no ref while what comes in is on trial.
    let quarantine = world.path().join("quarantine");
    let output = gitsync(&mike).env("GIT_QUARANTINE_PATH", quarantine).recorded_by(&recorder).output();
    assert_ne!(output.code, 0, "{output}");
    assert_eq!(origin.rev("main"), old);
    let called = recorder.calls();
    assert!(BOTH.iter().all(|program| called.iter().any(|call| call.starts_with(program))), "{called:?}");

    assert!(servers_of(&mike, &recorder).is_empty());
    assert_eq!(origin.rev("main"), mike.head());
}

/// How often a run is killed: some times, or many with `GITSYNC_STRESS`.
fn kills() -> u32 {
    if std::env::var_os("GITSYNC_STRESS").is_some() { 100 } else { 3 }
}

#[test]
fn a_run_that_is_killed_while_it_pushes_leaves_the_remote_to_others() {
    let (world, _origin, [_howard, mike]) = World::with_clones(["howard", "mike"]);
    for file in 0..20 {
        mike.write(&format!("many/{file}.md"), format!("{file}\n"));
    }
    let beginning = Beginning::new(world);
    let mut killed = 0;
    for nth in 0..kills() {
        let Copy { origin, howard, mike } = beginning.copy();
        let after = f64::from(nth % 20) * 0.004;
        let kill = format!("pushing=(sleep {after}; kill -9 $PPID) >/dev/null 2>&1 &");
        let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", kill).output();
        assert!([0, 137].contains(&output.code), "{after}: {output}");
        killed += u32::from(output.code == 137);
        origin.assert_sound();

        // Whoever has git only can push to another branch, and to this one at the latest after somebody's run.
        howard.git(["push", "-q", "origin", "HEAD:refs/heads/other"]);
        howard.pull();
        howard.write("howard.md", "howard\n");
        howard.commit_all("howard");
        if howard.try_git(["push", "-q", "origin", "HEAD"]).code != 0 {
            gitsync(&howard).success();
            howard.append("howard.md", "again\n");
            howard.commit_all("again");
            howard.push();
        }
        assert_eq!(origin.rev("main"), howard.head(), "{after}");
        gitsync(&mike).success();
        gitsync(&howard).success();
        testkit::assert_converged(&[&howard, &mike, &origin]);
        assert!(mike.join("many/19.md").exists() && mike.join("howard.md").exists());
    }
    assert!(killed > 0, "no kill came in time");
}

#[test]
fn a_branch_of_the_remote_that_another_program_has_locked_is_told_in_gits_words() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    let old = origin.rev("main");
    let lock = origin.join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    mike.write("mine.md", "mine\n");
    let output = gitsync(&mike).output();
    output.assert_code(69);
    output.assert_says("main.lock");
    output.assert_says("will be pushed by the next run");
    assert_eq!(origin.rev("main"), old);
    std::fs::remove_file(lock).unwrap();
    gitsync(&mike).success();
    testkit::assert_converged(&[&mike, &origin]);
}
