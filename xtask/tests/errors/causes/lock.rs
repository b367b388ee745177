//! Causes the errors about the lock.

use testkit::{Output, Repo};

use super::{Cause, as_nobody, cause, gitsync, mike, where_possible, with_failing_calls};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("another run holds the lock", || {
        let (_world, _origin, mike) = mike();
        acquire(&mike);
        mike.binary("lock").args(["acquire", "--wait", "0"]).output()
    }),
    cause("another run held it for as long as one waited", || {
        let (_world, _origin, mike) = mike();
        acquire(&mike);
        gitsync(&mike).args(["--wait", "1s"]).output()
    }),
    cause("the lock was removed under a run", || {
        let (_world, _origin, mike) = mike();
        let document = acquire(&mike);
        std::fs::remove_dir_all(lock(&mike)).unwrap();
        gitsync(&mike).stdin(document).output()
    }),
    cause("another run took it over", || {
        let (_world, _origin, mike) = mike();
        let document = acquire(&mike);
        std::fs::remove_dir_all(lock(&mike)).unwrap();
        acquire(&mike);
        gitsync(&mike).stdin(document).output()
    }),
    cause("somebody stopped while they had the guard file, and the lock is wanted", || {
        let (_world, _origin, mike) = mike();
        let _guard = guard(&mike);
        mike.binary("lock").args(["acquire", "--wait", "0"]).output()
    }),
    cause("somebody stopped while they had the guard file, and the lock is given back", || {
        let (_world, _origin, mike) = mike();
        let document = acquire(&mike);
        let _guard = guard(&mike);
        mike.binary("lock").arg("release").stdin(document).output()
    }),
    cause("a file is where the lock would be", || {
        let (_world, _origin, mike) = mike();
        std::fs::write(lock(&mike), "").unwrap();
        mike.binary("lock").args(["acquire", "--wait", "0"]).output()
    }),
    where_possible("the git directory cannot be written to", || {
        let (world, _origin, mike) = mike();
        Some(as_nobody(&world, &mike, "lock")?.args(["acquire", "--wait", "0"]).output())
    }),
    where_possible("the lock is stale, and its file system knows no file locks", || {
        let (_world, _origin, mike) = mike();
        acquire(&mike);
        let aged = mike.program("touch").args(["-d", "2 hours ago", lock(&mike).as_str()]);
        aged.success();
        failing(&mike, "flock", "ENOLCK")
    }),
    where_possible("its disk is full", || failing(&mike().2, "mkdir,mkdirat", "ENOSPC")),
    where_possible("its disk is read-only", || failing(&mike().2, "mkdir,mkdirat", "EROFS")),
    where_possible("its disk fails", || failing(&mike().2, "mkdir,mkdirat", "EIO")),
    cause("the command of `lock run` is not there", || {
        let (_world, _origin, mike) = mike();
        mike.binary("lock").args(["run", "--", "no-such-program"]).output()
    }),
    cause("the command of `lock run` is no program", || {
        let (_world, _origin, mike) = mike();
        mike.binary("lock").args(["run", "--", "./new.md"]).output()
    }),
    cause("`--owner-pid` ends while its lock is waited for", || {
        let (_world, _origin, mike) = mike();
        let held = acquire(&mike);
        let mut owner = mike.program("sleep").arg("600").spawn();
        let pid = owner.pid().to_string();
        let waiter = mike.binary("lock").args(["acquire", "--wait", "1m", "--owner-pid", &pid]).spawn();
        let status = || mike.binary("lock").args(["status", "--json"]).success().stdout;
        while !status().contains("\"waiting\":1") {}
        owner.kill();
        owner.wait();
        mike.binary("lock").arg("release").stdin(held).success();
        waiter.wait()
    }),
    cause("`--owner-pid` lives no more", || {
        let (_world, _origin, mike) = mike();
        mike.binary("lock").args(["acquire", "--owner-pid", "4194305"]).output()
    }),
];

/// Takes the lock for a run of its own, and gives its document.
fn acquire(repo: &Repo) -> String {
    repo.binary("lock").args(["acquire", "--wait", "0"]).success().stdout
}

fn lock(repo: &Repo) -> camino::Utf8PathBuf {
    repo.common_dir().join("claudetools-sync.lock")
}

/// The guard file, had for as long as this is kept.
fn guard(repo: &Repo) -> std::fs::File {
    let guard = std::fs::File::create(repo.common_dir().join("claudetools-sync.guard")).unwrap();
    guard.lock().unwrap();
    guard
}

/// Taking the lock while the kernel answers some calls with an error.
fn failing(repo: &Repo, calls: &str, error: &str) -> Option<Output> {
    let lock = with_failing_calls(repo, calls, error, "lock")?;
    Some(lock.args(["acquire", "--wait", "50ms"]).output())
}
