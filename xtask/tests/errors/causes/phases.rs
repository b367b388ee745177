//! Causes the refusals that every phase has: of its input, and of the repository to work on.

use std::os::unix::ffi::OsStrExt as _;

use serde_json::{Value, json};
use testkit::{Invocation, Output, Repo, World};

use super::{Cause, cause, mike, where_possible};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("an option does not exist", || on_mike(|phase| phase.arg("--no-such-option"))),
    cause("the phase before `lock release` died, and the run still has the lock", || {
        let (_world, _origin, mike) = mike();
        mike.binary("lock").arg("acquire").success();
        mike.binary("lock").arg("release").stdin("").output()
    }),
    cause("the phase before died", || on_mike(|phase| phase.stdin(""))),
    cause("stdin is not JSON", || on_mike(|phase| phase.stdin("{\"lockstep\": 1,\n  oops"))),
    cause("stdin is not text", || on_mike(|phase| phase.stdin(b"{\"lockstep\": 1,\n \xff}"))),
    cause("stdin is JSON of something else", || on_mike(|phase| phase.stdin("{\"version\": 3}"))),
    cause("the document is of another version", || on_mike(|phase| phase.stdin("{\"lockstep\": 2}"))),
    cause("stdin is a folder", || {
        let (_world, _origin, mike) = mike();
        mike.program("sh").args(["-c", "exec \"$0\" <.", testkit::binary("logcheck").as_str()]).output()
    }),
    cause("the document names no repository", || {
        on_mike(|phase| phase.stdin(document(&Value::Null).to_string()))
    }),
    cause("the repository was moved during the run", || {
        let (_world, _origin, mike) = mike();
        let place = json!({"worktree": mike.path(), "common_dir": "/somewhere/else/.git"});
        logcheck(&mike).stdin(document(&place).to_string()).output()
    }),
    cause("`--repo` is not the document's", || {
        let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
        let document = logcheck(&mike).success().stdout;
        logcheck(&mike).args(["--repo", howard.path().as_str()]).stdin(document).output()
    }),
    cause("the agent's directory is not there", || {
        let json = json!({"session_id": "1", "hook_event_name": "Stop", "cwd": "/no/such/place"});
        World::new().binary("logcheck").stdin(json.to_string()).output()
    }),
    cause("`--repo` is not there", || on_mike(|phase| phase.args(["--repo", "nowhere"]))),
    cause("there is no repository", || World::new().binary("logcheck").output()),
    cause("the environment names a repository, and here is none", || {
        let (world, origin, _mike) = mike();
        world.binary("logcheck").env("GIT_DIR", origin.path()).output()
    }),
    cause("the repository of a linked work tree is not where its `.git` says", || {
        let (_world, _origin, mike) = mike();
        mike.write("linked/.git", "gitdir: /no/such/place/.git/worktrees/linked\n");
        logcheck(&mike).in_dir(mike.join("linked")).output()
    }),
    cause("the same, of a submodule or a work tree with a `.git` of its own", || {
        let (_world, _origin, mike) = mike();
        mike.write("library/.git", "gitdir: ../.git/modules/library\n");
        logcheck(&mike).in_dir(mike.join("library")).output()
    }),
    cause("the current directory is gone", || {
        let (world, _origin, _mike) = mike();
        let binary = testkit::binary("logcheck");
        let script = "mkdir gone && cd gone && rmdir ../gone && exec \"$0\"";
        world.program("sh").args(["-c", script, binary.as_str()]).output()
    }),
    cause("the repository's configuration is broken", || {
        let (_world, _origin, mike) = mike();
        mike.write(".git/config", "[core\n");
        logcheck(&mike).output()
    }),
    cause("repositories borrow objects from each other in a circle", || {
        let (world, _origin, mike) = mike();
        world.git(["clone", "--quiet", "--shared", mike.path().as_str(), "borrower"]);
        mike.write(".git/objects/info/alternates", format!("{}/borrower/.git/objects\n", world.path()));
        mike.git(["status"]);
        logcheck(&mike).output()
    }),
    cause("the repository's objects are named by SHA-256", || {
        let world = World::new();
        let path = world.path().join("odd");
        world.git(["init", "--quiet", "--object-format=sha256", path.as_str()]);
        logcheck(&world.repo(path)).output()
    }),
    cause("refs are kept in reftables", || {
        let world = World::new();
        let path = world.path().join("odd");
        world.git(["init", "--quiet", "--ref-format=reftable", path.as_str()]);
        logcheck(&world.repo(path)).output()
    }),
    cause("the repository has an extension that is not known", || {
        let (_world, _origin, mike) = mike();
        mike.git(["config", "core.repositoryFormatVersion", "1"]);
        mike.git(["config", "extensions.future", "true"]);
        logcheck(&mike).output()
    }),
    cause("the environment names another repository", || {
        let (_world, origin, mike) = mike();
        logcheck(&mike).env("GIT_DIR", origin.path()).output()
    }),
    cause("the environment holds settings that git has not written", || {
        let (_world, _origin, mike) = mike();
        logcheck(&mike).env("GIT_CONFIG_PARAMETERS", "user.name=mike").output()
    }),
    cause("the work tree is not where the configuration says", || {
        let (_world, _origin, mike) = mike();
        mike.git(["config", "core.worktree", "/nowhere"]);
        logcheck(&mike).output()
    }),
    where_possible("the repository belongs to someone else", || {
        let (_world, _origin, mike) = mike();
        // Only root can give files away.
        let given = mike.program("chown").args(["-R", "12345", "."]).output().code == 0;
        given.then(|| logcheck(&mike).output())
    }),
    cause("the repository's path is not UTF-8", || {
        let world = World::new();
        let path = world.path().as_std_path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        world.program("git").args(["init", "--quiet"]).arg(&path).success();
        world.binary("logcheck").in_dir(&path).output()
    }),
    cause("the repository has no work tree", || {
        let (_world, origin, _mike) = mike();
        logcheck(&origin).output()
    }),
    cause("`.claude/identity.json` is broken", || {
        let (_world, _origin, mike) = mike();
        mike.write(".claude/identity.json", "{\"user\": ");
        logcheck(&mike).output()
    }),
    cause("`.claude/identity.json` cannot be read", || {
        let (_world, _origin, mike) = mike();
        mike.write(".claude/identity.json/file", "");
        logcheck(&mike).output()
    }),
    cause("objects are missing, as a repository that they are borrowed from is gone", || {
        let (world, origin, mike) = mike();
        world.git(["clone", "--quiet", "--shared", mike.path().as_str(), "borrower"]);
        let borrower = world.repo(world.path().join("borrower"));
        borrower.belongs_to("howard");
        borrower.git(["remote", "set-url", "origin", origin.path().as_str()]);
        std::fs::rename(mike.path(), world.path().join("elsewhere")).unwrap();
        borrower.binary("gitsync").arg("--fresh").output()
    }),
    cause("`lockstep.sessionLogs` is no pattern", || {
        let (_world, _origin, mike) = mike();
        mike.git(["config", "lockstep.sessionLogs", "(journal"]);
        logcheck(&mike).output()
    }),
    cause("`lockstep.sessionLogs` is not text", || {
        let (_world, _origin, mike) = mike();
        let mut config = std::fs::read(mike.join(".git/config")).unwrap();
        config.extend_from_slice(b"[lockstep]\n\tsessionLogs = caf\xe9\n");
        mike.write(".git/config", config);
        logcheck(&mike).output()
    }),
    cause("the disk under stdout is full", || {
        let (_world, _origin, mike) = mike();
        mike.program("sh")
            .args(["-c", "exec \"$0\" >/dev/full", testkit::binary("logcheck").as_str()])
            .output()
    }),
];

fn logcheck(repo: &Repo) -> Invocation {
    repo.binary("logcheck")
}

fn on_mike(told: fn(Invocation) -> Invocation) -> Output {
    let (_world, _origin, mike) = mike();
    told(logcheck(&mike)).output()
}

/// A document that begins a run on a repository.
fn document(repo: &Value) -> Value {
    json!({"lockstep": 1, "run": "r", "repo": repo, "identity": {"user": null, "host": "h"}, "outcome": "ok"})
}
