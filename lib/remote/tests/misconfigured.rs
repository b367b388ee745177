//! Tests remotes that cannot be used as they are configured.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use common::{open, origin};
use remote::{Direction, Remote, RemoteError, RemoteName, Unwatched};
use testkit::World;

#[test]
fn a_remote_that_is_not_configured_is_told_with_the_remedy() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    let repo = open(&ours);
    let trouble = Remote::named(&repo, &RemoteName::parse("upstream").unwrap()).unwrap_err();
    assert!(matches!(trouble, RemoteError::Misconfigured(_)));
    assert!(trouble.help().unwrap().contains("git remote add upstream"));
    assert!(matches!(RemoteName::parse("a b..c"), Err(RemoteError::Misconfigured(_))));
}

#[test]
fn urls_are_rewritten_as_git_rewrites_them() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["remote", "set-url", "origin", "short:tools"]);
    ours.git(["config", "url.https://mike:pw@git.example.com/.insteadOf", "short:"]);
    ours.git(["config", "url.ssh://git@git.example.com/.pushInsteadOf", "short:"]);
    let repo = open(&ours);
    assert_eq!(origin(&repo).shown_url(Direction::Fetch), "https://git.example.com/tools");
    assert_eq!(origin(&repo).shown_url(Direction::Push), "ssh://git.example.com/tools");
    assert!(!format!("{:?}", origin(&repo)).contains("pw"));
}

#[test]
fn a_relative_path_starts_at_the_top_of_the_work_tree() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["remote", "set-url", "origin", "../origin.git"]);
    let listing = origin(&open(&ours)).list(&["refs/heads/"], &Unwatched).unwrap();
    assert_eq!(listing.refs[0].id.to_string(), remote.rev("main"));
}

#[test]
fn a_place_without_a_repository_cannot_be_reached() {
    let (world, _remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["remote", "set-url", "origin", world.path().join("gone.git").as_str()]);
    let trouble = origin(&open(&ours)).list(&[], &Unwatched).unwrap_err();
    assert!(matches!(&trouble, RemoteError::Unreachable(_)), "{trouble:?}");
    assert!(trouble.to_string().contains("gone.git: there is no git repository"), "{trouble}");
}

#[test]
fn protocols_that_are_not_allowed_or_not_known_are_named() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["config", "protocol.file.allow", "never"]);
    let trouble = origin(&open(&ours)).list(&[], &Unwatched).unwrap_err();
    assert!(
        matches!(&trouble, RemoteError::Misconfigured(_)) && trouble.to_string().contains("'file'"),
        "{trouble}"
    );
    ours.git(["remote", "set-url", "origin", "ext::sh -c boom"]);
    let trouble = origin(&open(&ours)).list(&[], &Unwatched).unwrap_err();
    assert!(matches!(trouble, RemoteError::Misconfigured(_)), "{trouble:?}");
}

#[test]
fn a_remote_that_names_its_objects_by_another_hash_is_named_whatever_the_protocol() {
    let (world, _remote, [ours]) = World::with_clones(["ours"]);
    let theirs = world.path().join("theirs.git");
    world.git(["init", "--quiet", "--bare", "--object-format=sha256", theirs.as_str()]);
    ours.git(["remote", "set-url", "origin", theirs.as_str()]);
    let heard = |protocol: &str| {
        ours.git(["config", "protocol.version", protocol]);
        let trouble = origin(&open(&ours)).list(&[], &Unwatched).unwrap_err();
        assert!(matches!(&trouble, RemoteError::Misconfigured(_)), "{trouble:?}");
        assert!(trouble.to_string().contains("names its objects by SHA-256"), "{protocol}: {trouble}");
    };
    ["0", "2"].into_iter().for_each(heard);
    world.git(["init", "--quiet", "--object-format=sha256", "other"]);
    let other = world.repo(world.path().join("other"));
    other.commit_all("theirs");
    other.git(["push", "--quiet", theirs.as_str(), "main"]);
    ["0", "2"].into_iter().for_each(heard);
}
