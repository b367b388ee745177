//! Tests fetching from a shallow repository, whose history ends before its beginning, judged by git.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use common::{open, origin};
use remote::{Fetch, Unwatched};
use testkit::{Repo, World};

/// Makes a bare clone of `remote` that has only the last commits, and `ours` fetch from it.
fn shallow(world: &World, remote: &Repo, ours: &Repo, depth: u32) -> Repo {
    let clone = world.repo(world.path().join("shallow.git"));
    let (url, depth) = (format!("file://{}", remote.path()), format!("--depth={depth}"));
    world.git(["clone", "-q", "--bare", &depth, &url, clone.path().as_str()]);
    ours.git(["remote", "set-url", "origin", clone.path().as_str()]);
    clone
}

#[test]
fn a_shallow_remote_does_not_cut_off_the_history_here() {
    for version in ["0", "1", "2"] {
        let (world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
        theirs.write("a.md", "a\n");
        theirs.commit_all("a");
        theirs.push();
        ours.git(["pull", "-q", "--rebase"]);
        ours.git(["config", "protocol.version", version]);
        let clone = shallow(&world, &remote, &ours, 1);
        theirs.write("new.md", "new\n");
        theirs.commit_all("new");
        theirs.git(["push", "-q", clone.path().as_str(), "main"]);
        origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
        assert_eq!(ours.rev("origin/main"), theirs.rev("main"));
        assert!(!ours.common_dir().join("shallow").exists(), "version {version}");
        assert_eq!(ours.git(["rev-list", "origin/main"]), theirs.git(["rev-list", "main"]));
        ours.git(["fsck", "--strict"]);
    }
}

#[test]
fn history_whose_beginning_is_nowhere_is_not_taken_from_a_shallow_remote() {
    let (world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    for name in ["a.md", "b.md"] {
        theirs.write(name, name);
        theirs.commit_all(name);
    }
    theirs.push();
    shallow(&world, &remote, &ours, 1);
    let before = ours.git(["for-each-ref"]);
    let trouble = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap_err();
    assert!(trouble.to_string().contains("is a shallow clone"), "{trouble}");
    assert_eq!(ours.git(["for-each-ref"]), before);
    assert!(!ours.common_dir().join("shallow").exists());
    ours.git(["fsck", "--strict"]);
}
