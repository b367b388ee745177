//! Causes the error of each row of docs/errors.md, with one file per section.

mod cmdcopy;
mod commit;
mod exchange;
mod lock;
mod lockstep;
mod logcheck;
mod notes;
mod phases;
mod refusals;
mod remote;

use testkit::{Invocation, Output, Repo, World};

/// What makes a row happen.
#[derive(Debug)]
pub struct Cause {
    /// When it happens, as in the table.
    pub when: &'static str,
    make: Make,
}

#[derive(Debug)]
enum Make {
    Always(fn() -> Output),
    /// Where the machine has what it takes.
    WherePossible(fn() -> Option<Output>),
}

impl Cause {
    /// Makes it happen; `None` where this machine cannot.
    pub fn happen(&self) -> Option<Output> {
        match self.make {
            Make::Always(make) => Some(make()),
            Make::WherePossible(make) => make(),
        }
    }
}

/// All causes, by the heading of their table.
pub const SECTIONS: &[(&str, &[Cause])] = &[
    ("Every phase", phases::CAUSES),
    ("The lock", lock::CAUSES),
    ("logcheck", logcheck::CAUSES),
    ("gitsync: what it refuses", refusals::CAUSES),
    ("gitsync: the vault", refusals::OF_THE_VAULT),
    ("gitsync: the commit", commit::CAUSES),
    ("gitsync: what comes in and goes out", exchange::CAUSES),
    ("The remote", remote::CAUSES),
    ("notes-sync", notes::CAUSES),
    ("notesurface", notes::OF_NOTESURFACE),
    ("cmdcopy", cmdcopy::CAUSES),
    ("lockstep", lockstep::CAUSES),
];

const fn cause(when: &'static str, make: fn() -> Output) -> Cause {
    Cause { when, make: Make::Always(make) }
}

const fn where_possible(when: &'static str, make: fn() -> Option<Output>) -> Cause {
    Cause { when, make: Make::WherePossible(make) }
}

/// A remote with one commit, and a clone with a file that is not committed yet.
fn mike() -> (World, Repo, Repo) {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("new.md", "new\n");
    (world, origin, mike)
}

/// The same, and a colleague who has pushed another file meanwhile.
fn mike_and_howard() -> (World, Repo, Repo, Repo) {
    let (world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    howard.write("theirs.md", "theirs\n");
    howard.commit_all("theirs");
    howard.push();
    (world, origin, mike, howard)
}

fn gitsync(repo: &Repo) -> Invocation {
    repo.binary("gitsync")
}

/// One of the binaries as the user that owns nothing; `None` where it takes rights that the test does not have to
/// become that user, or where that user cannot get at the binary.
fn as_nobody(world: &World, repo: &Repo, name: &str) -> Option<Invocation> {
    as_user(65534, world, repo, name)
}

/// The same as a user that the system has not heard of, and whose home is nowhere, but who may write everything.
fn as_homeless(world: &World, repo: &Repo, name: &str) -> Option<Invocation> {
    let invocation = as_user(4_242_424, world, repo, name)?;
    repo.program("chmod").args(["-R", "a+rwX", world.path().as_str()]).success();
    Some(invocation.without_env("HOME"))
}

fn as_user(id: u32, world: &World, repo: &Repo, name: &str) -> Option<Invocation> {
    let ids = [format!("--reuid={id}"), format!("--regid={id}")];
    let setpriv = || repo.program("setpriv").args(&ids).arg("--clear-groups");
    let binary = testkit::binary(name);
    let allowed = setpriv().args([binary.as_str(), "--version"]).output().code == 0;
    repo.program("chmod").args(["-R", "a+rX", world.path().as_str()]).success();
    world.git(["config", "--global", "--add", "safe.directory", "*"]);
    allowed.then(|| setpriv().arg(binary.as_str()))
}

/// One of the binaries while the kernel answers some system calls with an error; `None` where there is no `strace`.
fn with_failing_calls(repo: &Repo, calls: &str, error: &str, name: &str) -> Option<Invocation> {
    let there = repo.program("sh").args(["-c", "strace -o /dev/null true"]).output().code == 0;
    there.then(|| {
        repo.program("strace")
            .args(["-f", "-qqq", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error={error}")])
            .arg(testkit::binary(name).as_str())
    })
}
