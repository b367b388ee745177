//! Causes the errors that keep commands from being copied.

use std::os::unix::ffi::OsStrExt as _;

use testkit::{Invocation, Repo, World};

use super::{Cause, as_nobody, cause, mike, where_possible};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("`--from` is not there, or no folder", || {
        let (_world, _origin, mike) = mike();
        cmdcopy(&mike).args(["--from", "nowhere"]).output()
    }),
    cause("there is no home", || {
        let (_world, mike) = with_a_command();
        cmdcopy(&mike).env("HOME", "").output()
    }),
    cause("the home is relative", || {
        let (_world, mike) = with_a_command();
        cmdcopy(&mike).env("HOME", "home").output()
    }),
    cause("the home's path is not UTF-8", || {
        let (_world, mike) = with_a_command();
        cmdcopy(&mike).env("HOME", std::ffi::OsStr::from_bytes(b"/caf\xe9")).output()
    }),
    cause("a command's name is not UTF-8", || {
        let (_world, mike) = with_a_command();
        let name = std::ffi::OsStr::from_bytes(b".claude/commands/caf\xe9.md");
        std::fs::write(mike.path().as_std_path().join(name), "x").unwrap();
        cmdcopy(&mike).output()
    }),
    where_possible("a command may not be read", || {
        let (world, mike) = with_a_command();
        let cmdcopy = as_nobody(&world, &mike, "cmdcopy")?;
        mike.program("chmod").args(["-R", "a+rwX", world.path().as_str()]).success();
        mike.program("chmod").args(["000", ".claude/commands/sync.md"]).success();
        Some(cmdcopy.output())
    }),
    where_possible("the target may not be written to", || {
        let (world, mike) = with_a_command();
        let cmdcopy = as_nobody(&world, &mike, "cmdcopy")?;
        mike.program("chmod").args(["-R", "a+rwX", mike.path().as_str()]).success();
        Some(cmdcopy.arg("--no-lock").output())
    }),
    cause("a file is where the folder would be", || {
        let (world, mike) = with_a_command();
        std::fs::write(world.home().join(".claude"), "").unwrap();
        cmdcopy(&mike).output()
    }),
];

fn cmdcopy(repo: &Repo) -> Invocation {
    repo.binary("cmdcopy")
}

fn with_a_command() -> (World, Repo) {
    let (world, _origin, mike) = mike();
    mike.write(".claude/commands/sync.md", "Sync.\n");
    (world, mike)
}
