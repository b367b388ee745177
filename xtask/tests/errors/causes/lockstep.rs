//! What `lockstep` says by itself.

use testkit::{Invocation, Output, Repo, World};

use super::{Cause, cause, mike};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("a binary is missing beside it", || {
        let (world, _origin, mike) = mike();
        let alone = world.path().join("alone");
        std::fs::create_dir(&alone).unwrap();
        std::fs::copy(testkit::binary("lockstep"), alone.join("lockstep")).unwrap();
        mike.program(alone.join("lockstep").as_str()).arg("full-run").output()
    }),
    cause("the demo finds no git", || {
        World::new().binary("lockstep").args(["full-run", "--demo"]).env("PATH", "/nowhere").output()
    }),
    cause("a chore is done outside of the workspace", || World::new().binary("lockstep").arg("ci").output()),
    cause("hooks for a bare repository", || {
        let (_world, origin, _mike) = mike();
        hooks(&origin, &["print"]).output()
    }),
    cause("hooks for a path that no file can hold", || {
        let world = World::new();
        hooks(&world.init("two\nlines"), &["print"]).output()
    }),
    cause("hooks from cargo's own folder", || {
        let (_world, _origin, mike) = mike();
        let workspace = env!("CARGO_MANIFEST_DIR");
        let from_cargo = hooks(&mike, &["install"]).env("CARGO_MANIFEST_DIR", workspace);
        from_cargo.env("CARGO_PKG_NAME", "xtask").env("CARGO", "true").output()
    }),
    cause("the agent's settings are broken", || {
        let (world, _origin, mike) = mike();
        std::fs::create_dir(world.home().join(".claude")).unwrap();
        std::fs::write(world.home().join(".claude/settings.json"), "{").unwrap();
        hooks(&mike, &["install", "agent", "--yes"]).output()
    }),
    cause("somebody else's file is in the way", || {
        let (world, _origin, mike) = mike();
        hooks(&mike, &["install", "systemd", "--yes"]).success();
        let units = world.home().join(".config/systemd/user");
        for unit in units.read_dir_utf8().unwrap().map(|unit| unit.unwrap().into_path()) {
            std::fs::write(unit, "[Unit]\n").unwrap();
        }
        hooks(&mike, &["install", "systemd", "--yes"]).output()
    }),
    cause("a file of the hooks cannot be written", || {
        let (world, _origin, mike) = mike();
        std::fs::write(world.home().join(".claude"), "").unwrap();
        hooks(&mike, &["install", "agent", "--yes"]).output()
    }),
    cause("there is no cron", || {
        let (_world, _origin, mike) = mike();
        hooks(&mike, &["install", "cron", "--yes"]).env("PATH", "/nowhere").output()
    }),
    cause("cron turns the lines down", || {
        with_cron("#!/bin/sh\ntest \"$1\" != - || { echo 'bad minute' >&2; exit 1; }\n")
    }),
    cause("cron cannot count like that", || {
        let (_world, _origin, mike) = mike();
        hooks(&mike, &["print", "cron", "--every", "7m"]).output()
    }),
];

fn hooks(repo: &Repo, words: &[&str]) -> Invocation {
    repo.binary("lockstep").arg("hooks").args(words)
}

fn with_cron(script: &str) -> Output {
    let (world, _origin, mike) = mike();
    let crontab = world.path().join("crontab");
    std::fs::write(&crontab, script).unwrap();
    world.program("chmod").args(["+x", crontab.as_str()]).success();
    let path = format!("{}:/usr/bin:/bin", world.path());
    hooks(&mike, &["install", "cron", "--yes"]).env("PATH", path).output()
}
