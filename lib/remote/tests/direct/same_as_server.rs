//! Tests that the result is the same as with a server, whatever the history is.

use std::collections::BTreeMap;

use proptest::{prelude::*, test_runner::Config};
use remote::{Atomicity, Fetch, Fetched, Push, Pushed, RefAdvertisement, Remote, RemoteName, Update};
use testkit::{Repo, World};

use crate::{
    common::{Servers, id, name, open, origin},
    generated::{Event, Maker, Packing, event},
};

/// Some, or many with `REMOTE_STRESS`.
fn config() -> Config {
    let cases = if std::env::var_os("REMOTE_STRESS").is_some() { 400 } else { 3 };
    Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() }
}

/// All of the refs and what they lead to, as git sees it.
fn all_of(repo: &Repo) -> (String, Vec<String>) {
    let refs = repo.git(["for-each-ref"]);
    let mut objects: Vec<String> =
        repo.git(["rev-list", "--objects", "--all"]).lines().map(str::to_owned).collect();
    objects.sort();
    (refs, objects)
}

fn copy(world: &World, of: &Repo, name: &str) -> Repo {
    let copy = world.repo(world.path().join(name));
    world.program("cp").args(["-a", of.path().as_str(), copy.path().as_str()]).success();
    copy
}

fn fetch(repo: &Repo) -> (RefAdvertisement, Fetched, usize) {
    let seen = Servers::default();
    let repo = open(repo);
    let what = Fetch::configured().and("+refs/notes/mem/*:refs/notes/origin/mem/*").unwrap();
    let listing = origin(&repo).list(&[], &seen).unwrap();
    let fetched = origin(&repo).fetch(&what, &seen).unwrap();
    (listing, fetched, seen.started())
}

fn fetch_both_ways(events: &[Event]) {
    let (world, remote, [direct]) = World::with_clones(["direct"]);
    direct.git(["config", "fetch.prune", "true"]);
    let by_server = copy(&world, &direct, "by-server");
    by_server.git(["config", "remote.origin.uploadpack", "git-upload-pack"]);
    let mut maker = Maker::new(&remote);
    for event in events.iter().chain([&Event::Sync]) {
        maker.add(event);
        match event {
            Event::Pack { how } => {
                maker.flush();
                how.apply(&remote);
            }
            Event::Sync => {
                maker.flush();
                maker.remember();
                let (listing, fetched, started) = fetch(&direct);
                assert_eq!(started, 0);
                let (listing_there, fetched_there, started) = fetch(&by_server);
                assert_eq!(started, 2);
                assert_eq!(listing, listing_there);
                assert_eq!(fetched.listing, fetched_there.listing);
                assert_eq!(fetched.moved, fetched_there.moved);
                assert_eq!(fetched.rejected, fetched_there.rejected);
                assert_eq!(all_of(&direct), all_of(&by_server));
            }
            _ => {}
        }
    }
    direct.assert_sound();
    by_server.assert_sound();
    assert_eq!(
        direct.git(["rev-list", "-g", "--all"]).is_empty(),
        by_server.git(["rev-list", "-g", "--all"]).is_empty()
    );
}

/// The reflogs without who it was, and when.
fn logs(repo: &Repo) -> BTreeMap<String, Vec<String>> {
    let found = repo.program("find").args([".", "-path", "./logs/*", "-type", "f"]).success().stdout;
    let form = |line: &str| format!("{}{}", &line[..81], &line[line.find('\t').unwrap_or(line.len())..]);
    let log = |path: &str| (path.to_owned(), repo.read(path).lines().map(form).collect());
    found.lines().map(log).collect()
}

fn push(ours: &Repo, to: &str, updates: &[Update]) -> (Pushed, usize) {
    let seen = Servers::default();
    let repo = open(ours);
    let remote = Remote::named(&repo, &RemoteName::parse(to).unwrap()).unwrap();
    let what = Push { updates: updates.to_vec(), together: Atomicity::Independent };
    let pushed = remote.push(&what, &seen).unwrap();
    (pushed, seen.started())
}

/// The refs by their names, but for those that follow a remote.
fn refs(repo: &Repo) -> BTreeMap<String, String> {
    let refs = repo.git(["for-each-ref", "--format=%(refname) %(objectname)"]);
    let refs = refs.lines().filter_map(|line| line.split_once(' '));
    let refs = refs.filter(|(name, _)| !name.starts_with("refs/remotes/"));
    refs.map(|(name, id)| (name.to_owned(), id.to_owned())).collect()
}

fn push_both_ways(events: &[Event]) {
    let (world, direct, [clone]) = World::with_clones(["clone"]);
    direct.git(["config", "core.logAllRefUpdates", "true"]);
    let by_server = copy(&world, &direct, "by-server.git");
    let ours = world.repo(clone.git_dir());
    clone.git(["checkout", "-q", "--detach"]);
    ours.git(["remote", "add", "server", by_server.path().as_str()]);
    ours.git(["config", "remote.server.receivepack", "git-receive-pack"]);
    let mut maker = Maker::new(&ours);
    for event in events.iter().chain([&Event::Sync]) {
        maker.add(event);
        match event {
            Event::Pack { how } => {
                maker.flush();
                // Now here, now there.
                how.apply(&ours);
                if matches!(how, Packing::New | Packing::Refs | Packing::Loose) {
                    how.apply(&direct);
                    how.apply(&by_server);
                }
            }
            Event::Sync => {
                maker.flush();
                maker.remember();
                let (here, there) = (refs(&ours), refs(&direct));
                for gone in there.keys().filter(|name| !here.contains_key(*name)) {
                    for remote in [&direct, &by_server] {
                        remote.git(["update-ref", "-d", gone]);
                    }
                }
                let changed = here.iter().filter(|(name, id)| there.get(*name) != Some(*id));
                let updates: Vec<Update> = changed
                    .map(|(full, new)| {
                        let expected = there.get(full).map(|old| id(old));
                        Update { name: name(full), expected, new: Some(id(new)) }
                    })
                    .collect();
                let (pushed, started) = push(&ours, "origin", &updates);
                assert_eq!(started, 0);
                let (pushed_there, started) = push(&ours, "server", &updates);
                assert_eq!(started, 1);
                assert_eq!(pushed.answers, pushed_there.answers);
                assert!(pushed.all_done(), "{pushed:?}");
                assert_eq!(refs(&direct), here);
                assert_eq!(all_of(&direct), all_of(&by_server));
                assert_eq!(logs(&direct), logs(&by_server));
                direct.git(["fsck", "--strict", "--connectivity-only", "--no-dangling"]);
            }
            _ => {}
        }
    }
    direct.assert_sound();
    by_server.assert_sound();
    ours.assert_sound();
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_fetched_is_what_a_server_gives(events in prop::collection::vec(event(), 4..16)) {
        fetch_both_ways(&events);
    }

    #[test]
    fn what_is_pushed_is_what_a_server_keeps(events in prop::collection::vec(event(), 4..16)) {
        push_both_ways(&events);
    }
}
