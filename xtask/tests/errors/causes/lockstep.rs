//! Causes the errors that `lockstep` itself reports.

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
    cause("a run is interrupted", || {
        let (_world, _origin, mike) = mike();
        let hanging = mike.git_dir().join("hanging");
        mike.hook("pre-push", &format!("#!/bin/sh\ntouch '{hanging}'\nexec sleep 600\n"));
        let mut run = mike.binary("lockstep").arg("full-run").spawn();
        while !hanging.exists() && run.is_alive() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        run.signal("INT");
        run.wait()
    }),
    cause("a step is killed", || {
        let (_world, _origin, mike) = mike();
        mike.hook("pre-push", "#!/bin/sh\nkill -9 $PPID\n");
        mike.binary("lockstep").arg("full-run").output()
    }),
    cause("a step ends and says nothing", || run_with("notes-sync", "exit 9")),
    cause("all steps end and say nothing", || run_with("lock", "exit 0")),
    cause("the demo finds no git", || {
        World::new().binary("lockstep").args(["full-run", "--demo"]).env("PATH", "/nowhere").output()
    }),
    cause("the demo's git fails", || {
        let world = World::new();
        let git = world.path().join("git");
        std::fs::write(&git, "#!/bin/sh\necho 'fatal: not on this machine' >&2\nexit 128\n").unwrap();
        world.program("chmod").args(["+x", git.as_str()]).success();
        let path = format!("{}:/usr/bin:/bin", world.path());
        world.binary("lockstep").args(["full-run", "--demo"]).env("PATH", path).output()
    }),
    cause("the prefix to install under cannot be written to", || {
        let world = World::new();
        std::fs::write(world.path().join("file"), "").unwrap();
        let built = testkit::binary("lockstep");
        let install = world.binary("lockstep").args(["install", "--root", "file", "--from"]);
        install.arg(built.parent().unwrap()).output()
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
    cause("a file of the hooks is changed while one is asked about it", || {
        let (world, _origin, mike) = mike();
        let settings = world.home().join(".claude/settings.json");
        std::fs::create_dir(settings.parent().unwrap()).unwrap();
        std::fs::write(&settings, "{}\n").unwrap();
        // Stderr is kept from the terminal, which is where everything else is.
        let script = format!(
            "{{ until grep -q 'Change this' screen; do sleep 0.05; done; echo '{{ }}' >'{settings}'; echo y; sleep 1; }} | \
             script -qefc \"'{}' hooks install agent 2>said\" screen >/dev/null; code=$?; cat said >&2; exit $code",
            testkit::binary("lockstep")
        );
        mike.program("sh").args(["-c", &script]).output()
    }),
    cause("there is no cron", || {
        let (_world, _origin, mike) = mike();
        hooks(&mike, &["install", "cron", "--yes"]).env("PATH", "/nowhere").output()
    }),
    cause("the crontab cannot be read", || {
        with_cron("#!/bin/sh\necho 'crontabs/mike: Input/output error' >&2; exit 1\n")
    }),
    cause("cron turns the lines down", || {
        with_cron("#!/bin/sh\ntest \"$1\" != - || { echo 'bad minute' >&2; exit 1; }\n")
    }),
    cause("cron cannot count like that", || {
        let (_world, _origin, mike) = mike();
        hooks(&mike, &["print", "cron", "--every", "7m"]).output()
    }),
];

/// A run one of whose programs is a script.
fn run_with(name: &str, script: &str) -> Output {
    let (world, _origin, mike) = mike();
    let folder = world.path().join("binaries");
    std::fs::create_dir(&folder).unwrap();
    for binary in ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"] {
        std::os::unix::fs::symlink(testkit::binary(binary), folder.join(binary)).unwrap();
    }
    let program = folder.join(name);
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    world.program("chmod").args(["+x", program.as_str()]).success();
    // The others are looked for beside the file that this really is.
    std::fs::copy(testkit::binary("lockstep"), folder.join("lockstep")).unwrap();
    mike.program(folder.join("lockstep").as_str()).arg("full-run").output()
}

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
