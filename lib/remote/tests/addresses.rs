//! Tests that the URLs of remotes have the same meaning as in git.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use common::{open, origin};
use remote::{RemoteError, Unwatched};
use testkit::{Repo, World};

/// Has an address be used by git and here, and gives what ssh was started with by both.
fn asked_of_ssh(world: &World, ours: &Repo, address: &str) -> Vec<String> {
    let (program, log) = (world.path().join("ssh"), world.path().join("asked"));
    let script = format!(
        "#!/bin/sh\nwhile [ \"$1\" = -o ]; do shift 2; done\necho \"$@\" >>'{log}'\n\
         for last; do :; done\nexec sh -c \"$last\"\n"
    );
    std::fs::write(&program, script).unwrap();
    world.program("chmod").args(["+x", program.as_str()]).success();
    std::fs::write(&log, "").unwrap();
    ours.git(["config", "core.sshCommand", program.as_str()]);
    ours.git(["remote", "set-url", "origin", address]);
    ours.git(["ls-remote", "--quiet", "origin"]);
    origin(&open(ours)).list(&["refs/heads/"], &Unwatched).unwrap();
    std::fs::read_to_string(&log).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn brackets_of_an_ssh_address_mean_what_they_mean_to_git() {
    let (world, remote, [ours]) = World::with_clones(["ours"]);
    for host in
        ["[host:2222]", "[user@host:2222]", "[user@::1]", "user@[::1]", "user@[host:22]", "[::1]", "host"]
    {
        let asked = asked_of_ssh(&world, &ours, &format!("{host}:{}", remote.path()));
        let [by_git, by_us] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!(by_us, by_git, "{host}");
    }
}

#[test]
fn a_space_in_a_url_is_a_space_as_with_git() {
    let (world, remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["clone", "--quiet", "--bare", remote.path().as_str(), "../sp ace.git"]);
    let path = format!("{}/sp ace.git", world.path());
    for address in [format!("ssh://user@host{path}"), format!("git+ssh://host:22{path}")] {
        let asked = asked_of_ssh(&world, &ours, &address);
        let [by_git, by_us] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!(by_us, by_git, "{address}");
    }
}

#[test]
fn a_path_that_could_be_an_option_is_not_handed_to_ssh() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["remote", "set-url", "origin", "host:-x"]);
    let trouble = origin(&open(&ours)).list(&[], &Unwatched).unwrap_err();
    assert!(matches!(&trouble, RemoteError::Misconfigured(_)), "{trouble:?}");
    assert!(trouble.to_string().contains("its path could be taken for an option"), "{trouble}");
}

#[test]
fn an_address_of_a_file_may_have_escapes_as_with_git() {
    let (world, remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["clone", "--quiet", "--bare", remote.path().as_str(), "../sp ace%.git"]);
    for address in
        [format!("file://{}/sp%20ace%25.git", world.path()), format!("{}/sp ace%.git", world.path())]
    {
        ours.git(["remote", "set-url", "origin", &address]);
        ours.git(["ls-remote", "--quiet", "origin"]);
        let listing = origin(&open(&ours)).list(&["refs/heads/"], &Unwatched).unwrap();
        assert_eq!(listing.refs[0].id.to_string(), remote.rev("main"), "{address}");
    }
}
