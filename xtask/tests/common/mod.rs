//! Helpers that the tests of whole runs share.
#![allow(dead_code, reason = "each story uses a part of it")]

use testkit::{Invocation, Output, Pipeline, Ran, Repo};

/// `lockstep full-run` on a repository.
pub fn full_run(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_lockstep")).args(["full-run", "--repo", repo.path().as_str()])
}

/// A full run that must succeed; its document is on stdout.
#[track_caller]
pub fn sync(repo: &Repo) -> Output {
    full_run(repo).arg("--json").success()
}

/// The pipeline as a person would type it.
pub fn pipeline(repo: &Repo) -> Ran {
    let lock = |command: &str| repo.binary("lock").arg(command);
    ["logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"]
        .into_iter()
        .fold(Pipeline::new().then(lock("acquire")), |pipeline, name| pipeline.then(repo.binary(name)))
        .then(lock("release"))
        .output()
}

/// The identity file of a clone, kept out of its commits.
pub fn identity(repo: &Repo, json: &str) {
    repo.write(".claude/identity.json", json);
    let exclude = repo.common_dir().join("info/exclude");
    std::fs::write(exclude, ".claude/identity.json\n").expect("info/exclude");
}

/// `lockstep full-run` with a shell script in the place of one of its steps. `$REAL` is the real one's path.
#[cfg(unix)]
pub fn full_run_with(world: &testkit::World, repo: &Repo, name: &str, script: &str) -> Invocation {
    let folder = world.path().join("binaries");
    std::fs::create_dir(&folder).expect("a new folder");
    for binary in ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"] {
        std::os::unix::fs::symlink(testkit::binary(binary), folder.join(binary)).expect("a link");
    }
    let program = folder.join(name);
    std::fs::remove_file(&program).expect("the link");
    let script = format!("#!/bin/sh\nREAL='{}'\n{script}\n", testkit::binary(name));
    std::fs::write(&program, script).expect("the script");
    world.program("chmod").args(["+x", program.as_str()]).success();
    // The others are looked for beside the file that this really is.
    let lockstep = folder.join("lockstep");
    std::fs::copy(env!("CARGO_BIN_EXE_lockstep"), &lockstep).expect("a copy");
    repo.program(lockstep.as_str()).args(["full-run", "--repo", repo.path().as_str()])
}
