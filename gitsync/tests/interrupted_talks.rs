//! Tests connections to a real server that are cut, stalled, garbled or corrupted at any byte.
//!
//! The run ends soon and reports it, nothing is half done, and the next run does the rest.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::Exit;
use run::{Beginning, Copy, gitsync};
use testkit::{
    Repo, World,
    servers::{Daemon, Mishap, Passed, Relay, Sender, Web},
};

/// Bytes that do not compress, so that packs are long enough to break off in.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..100_000).map(|_| next()).collect()
}

/// A remote with something for Mike, and Mike with something for it.
fn both_have_news() -> (World, Repo) {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    origin.git(["config", "http.receivepack", "true"]);
    howard.write("theirs.bin", noise(1));
    howard.commit_all("theirs");
    howard.push();
    mike.write("mine.bin", noise(2));
    (world, origin)
}

/// Where to break a talk in which this much is said: at its beginning, within a packet's length, within the packs and
/// the report.
fn places(said: Passed) -> Vec<(Sender, u64)> {
    let server = [0, 2, said.server / 2, said.server - 40, said.server - 6];
    let client = [2, said.client / 2];
    server.map(|at| (Sender::Server, at)).into_iter().chain(client.map(|at| (Sender::Client, at))).collect()
}

/// Breaks the line to a server at `port` in every way; `url` is where it has a repository.
fn whatever_happens_the_next_run_works(beginning: &Beginning, port: u16, url: impl Fn(&Repo) -> String) {
    let relay = Relay::to(port);
    let reached_by = |copy: &Copy| {
        let url = url(&copy.origin);
        copy.mike.git(["remote", "set-url", "origin", &relay.url(&url)]);
    };
    let copy = beginning.copy();
    reached_by(&copy);
    gitsync(&copy.mike).success();
    let said = relay.passed();
    assert!(
        said.server > 100_000 && said.client > 100_000,
        "the talk did not go by way of the relay: {said:?}"
    );
    for (sender, after) in places(said) {
        for mishap in [Mishap::Cut, Mishap::HeldUp, Mishap::Garbled, Mishap::Flipped] {
            let copy = beginning.copy();
            reached_by(&copy);
            relay.spoil(sender, after, mishap);
            let output = gitsync(&copy.mike).args(["--stall", "400ms"]).output();
            let story = format!("{mishap:?} after {after} bytes of the {sender:?}: {output}");
            // What comes after the last thing that matters may go wrong unnoticed.
            if output.code != 0 {
                assert_eq!(output.code, i32::from(Exit::Unreachable.code()), "{story}");
                let error = output.document().error.unwrap();
                assert!(error.help.is_some_and(|help| !help.is_empty()), "no remedy: {story}");
            }
            copy.mike.assert_clean();
            copy.mike.assert_unlocked();
            relay.mend();
            let again = gitsync(&copy.mike).output();
            assert_eq!(again.code, 0, "the next run: {again}\nafter {story}");
            assert_eq!(copy.origin.rev("main"), copy.mike.head(), "{story}");
            copy.mike.assert_sound();
            copy.origin.assert_sound();
            let objects = copy.mike.git(["count-objects", "-v"]);
            assert!(objects.contains("garbage: 0"), "half a pack was left behind: {objects}\nafter {story}");
        }
    }
}

#[test]
fn with_gits_own_daemon() {
    let (world, _origin) = both_have_news();
    let daemon = Daemon::start(&world);
    whatever_happens_the_next_run_works(&Beginning::new(world), daemon.port(), |repo| daemon.url(repo));
}

/// Under this name, so that a machine without the servers can leave them out.
mod real_servers {
    use super::*;

    #[test]
    fn with_a_web_server() {
        let (world, _origin) = both_have_news();
        let web = Web::start(&world);
        whatever_happens_the_next_run_works(&Beginning::new(world), web.port(), |repo| web.url("open", repo));
    }
}
