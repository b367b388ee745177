//! Helpers of these tests: one exchange with a remote of each kind, and which of them started a server program.
#![allow(dead_code, reason = "each story uses its part of it")]

use remote::{Atomicity, Fetch, Push, Pushed, RemoteError, Update, UpdateStatus};
use testkit::{Repo, World};

use crate::common::{Servers, id, name, open, origin};

/// How many server programs were started for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    pub list: usize,
    pub fetch: usize,
    pub push: usize,
}

pub const NONE: Started = Started { list: 0, fetch: 0, push: 0 };
pub const ALL: Started = Started { list: 1, fetch: 1, push: 1 };
pub const TO_PUSH: Started = Started { list: 0, fetch: 0, push: 1 };

/// A remote, a clone of it, and one commit there that the clone lacks.
pub fn world() -> (World, Repo, Repo) {
    let (world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    theirs.write("theirs.md", "theirs\n");
    theirs.commit_all("theirs");
    theirs.push();
    (world, remote, ours)
}

/// Lists, fetches, and pushes a new commit as the branch `topic`; all of it must have come.
#[track_caller]
pub fn talk(ours: &Repo, remote: &Repo) -> Started {
    let servers = [(); 3].map(|()| Servers::default());
    let repo = open(ours);
    let listing = origin(&repo).list(&[], &servers[0]).unwrap();
    let main = remote.rev("refs/heads/main");
    assert_eq!(listing.id_of(name("refs/heads/main").as_ref()), Some(id(&main)));

    origin(&repo).fetch(&Fetch::configured(), &servers[1]).unwrap();
    assert_eq!(ours.rev("refs/remotes/origin/main"), main);

    ours.append("ours.md", "ours\n");
    let new = ours.commit_all("ours");
    let topic = remote.try_rev("refs/heads/topic");
    let pushed = push_seen(ours, vec![update("refs/heads/topic", topic.as_deref(), Some(&new))], &servers[2]);
    assert_eq!(pushed.unwrap().answers, [UpdateStatus::Done]);
    assert_eq!(remote.rev("refs/heads/topic"), new);
    assert_eq!(ours.rev("refs/remotes/origin/topic"), new);
    let [list, fetch, push] = servers.map(|one| one.started());
    Started { list, fetch, push }
}

/// A talk after which both sides must be sound.
#[track_caller]
pub fn sound_talk(ours: &Repo, remote: &Repo) -> Started {
    let started = talk(ours, remote);
    ours.assert_sound();
    remote.assert_sound();
    started
}

pub fn update(full: &str, expected: Option<&str>, new: Option<&str>) -> Update {
    Update { name: name(full), expected: expected.map(id), new: new.map(id) }
}

pub fn push_seen(ours: &Repo, updates: Vec<Update>, servers: &Servers) -> Result<Pushed, RemoteError> {
    origin(&open(ours)).push(&Push { updates, together: Atomicity::Independent }, servers)
}

/// Pushes, and tells how many server programs were started for it.
#[track_caller]
pub fn push(ours: &Repo, updates: Vec<Update>) -> (Pushed, usize) {
    let servers = Servers::default();
    let pushed = push_seen(ours, updates, &servers).unwrap();
    (pushed, servers.started())
}

/// A new commit of one file.
pub fn commit(ours: &Repo, text: &str) -> String {
    ours.write("ours.md", text);
    ours.commit_all(text)
}
