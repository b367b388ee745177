//! Tests whole syncs with real servers.
//!
//! They are ssh, HTTP with and without TLS and passwords, `git daemon`, and dulwich, which is not git's. The user
//! gets their refusals with the contract's exit code and a remedy, and is never prompted.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::{Exit, SyncState};
use run::gitsync;
use testkit::{
    Output, Repo, Sections as _, World,
    servers::{Daemon, Dulwich, Manner, Misbehaving, Sshd, Web},
};

/// A remote, Howard beside it, and Mike, who is to reach it over a network.
fn far_away() -> (World, Repo, Repo, Repo) {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    origin.git(["config", "http.receivepack", "true"]);
    (world, origin, howard, mike)
}

fn at(repo: &Repo, url: &str) {
    repo.git(["remote", "set-url", "origin", url]);
}

/// A program that the configuration of a test names.
fn program(world: &World, name: &str, script: &str) -> String {
    let path = world.path().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    world.program("chmod").args(["+x", path.as_str()]).success();
    path.to_string()
}

/// Both move on; Mike commits, pulls, replays and pushes, and all have the same.
#[track_caller]
fn a_whole_sync_works(origin: &Repo, howard: &Repo, mike: &Repo) {
    howard.write("wiki/clients/acme.md", "# Acme\n");
    gitsync(howard).success();
    mike.write("mine.md", "mine\n");
    let output = gitsync(mike).success();
    let document = output.document();
    assert_eq!(document.main().state, SyncState::PulledPushed, "{output}");
    assert_eq!(mike.rev("HEAD~1"), howard.head());
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(gitsync(mike).success().document().main().state, SyncState::Clean);
    mike.assert_clean();
    mike.assert_sound();
    origin.assert_sound();
}

/// What the server's hook says reaches the user, the commit stays here, and goes out once the server takes it.
#[track_caller]
fn a_refused_push_is_told_in_the_servers_words(origin: &Repo, mike: &Repo) {
    origin.hook("pre-receive", "#!/bin/sh\necho 'no pushes on a Friday' >&2\nexit 1\n");
    mike.write("friday.md", "friday\n");
    let output = gitsync(mike).output();
    assert_fails(&output, Exit::Unreachable, &["no pushes on a Friday", "pre-receive hook declined"]);
    assert!(output.document().main().committed.is_some());
    mike.assert_clean();
    mike.git(["notes", "--ref", "mem/plans", "append", "-m", "a plan", "HEAD"]);
    assert_fails(&notes_sync(mike), Exit::Unreachable, &["no pushes on a Friday"]);
    std::fs::remove_file(origin.join("hooks/pre-receive")).unwrap();
    gitsync(mike).success();
    notes_sync(mike).assert_success();
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(origin.rev("refs/notes/mem/plans"), mike.rev("refs/notes/mem/plans"));
}

fn notes_sync(repo: &Repo) -> Output {
    repo.binary("notes-sync").args(["--fresh", "--json"]).output()
}

/// A server's quota turns the push down by its name, and nothing is lost.
#[track_caller]
fn a_quota_is_told_in_the_servers_words(origin: &Repo, mike: &Repo) {
    origin.git(["config", "receive.maxInputSize", "2000"]);
    let before = origin.rev("main");
    let numbers = (0..4000_u32).map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)));
    mike.write("large.md", numbers.collect::<String>());
    let output = gitsync(mike).output();
    assert_fails(&output, Exit::Unreachable, &["pack exceeds maximum allowed size"]);
    assert_eq!(origin.rev("main"), before);
    mike.assert_clean();
    origin.git(["config", "--unset", "receive.maxInputSize"]);
    gitsync(mike).success();
    assert_eq!(origin.rev("main"), mike.head());
}

/// Notes written on both sides are on both sides afterwards.
#[track_caller]
fn notes_go_both_ways(origin: &Repo, howard: &Repo, mike: &Repo) {
    for (repo, text) in [(howard, "keep the parser"), (mike, "keep the printer")] {
        repo.git(["notes", "--ref", "mem/decisions", "append", "-m", text, "HEAD"]);
    }
    for repo in [howard, mike, howard] {
        notes_sync(repo).assert_success();
    }
    for repo in [origin, howard, mike] {
        let notes = |object: &Repo| repo.git(["notes", "--ref", "mem/decisions", "show", &object.head()]);
        assert!(notes(howard).contains("keep the parser"));
        assert!(notes(mike).contains("keep the printer"));
    }
    origin.assert_sound();
}

/// Panics unless a run ended with `exit`, said `words`, and what to do about it.
#[track_caller]
fn assert_fails(output: &Output, exit: Exit, words: &[&str]) {
    output.assert_code(exit.code().into());
    let document = output.document();
    let error = document.error.as_ref().unwrap();
    assert_eq!(error.code, exit.code());
    assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "no remedy: {output}");
    for words in words {
        assert!(error.message.contains(words), "the message should say {words:?}: {output}");
        output.assert_says(words);
    }
}

/// A run as from a scheduled job: no terminal, and git's own word against prompts left away.
fn unattended(repo: &Repo) -> Output {
    repo.program("setsid")
        .args(["--wait", env!("CARGO_BIN_EXE_gitsync"), "--fresh", "--json"])
        .without_env("GIT_TERMINAL_PROMPT")
        .output()
}

#[test]
fn a_quota_of_a_remote_on_this_machine() {
    let (_world, origin, _howard, mike) = far_away();
    a_quota_is_told_in_the_servers_words(&origin, &mike);
}

#[test]
fn over_gits_own_daemon() {
    let (world, origin, howard, mike) = far_away();
    let daemon = Daemon::start(&world);
    at(&mike, &daemon.url(&origin));
    a_whole_sync_works(&origin, &howard, &mike);
    a_refused_push_is_told_in_the_servers_words(&origin, &mike);
    notes_go_both_ways(&origin, &howard, &mike);
}

#[test]
fn a_server_that_is_not_there_or_no_server() {
    let (_world, _origin, _howard, mike) = far_away();
    mike.write("mine.md", "mine\n");
    for url in ["git://127.0.0.1:1/x.git", "http://127.0.0.1:1/x.git", "http://no-such-host.invalid/x.git"] {
        at(&mike, url);
        let output = gitsync(&mike).output();
        assert_fails(&output, Exit::Unreachable, &["cannot be reached"]);
        assert_fails(&notes_sync(&mike), Exit::Unreachable, &["cannot be reached"]);
        assert_eq!(output.document().main().state, SyncState::Offline);
    }
    for manner in [Manner::Garbage, Manner::HangsUp, Manner::Silent] {
        let server = Misbehaving::start(manner);
        for scheme in ["git", "http"] {
            at(&mike, &format!("{scheme}://127.0.0.1:{}/x.git", server.port()));
            let output = gitsync(&mike).args(["--stall", "300ms"]).output();
            assert_fails(&output, Exit::Unreachable, &[]);
        }
    }
    at(&mike, "ssh://nowhere.invalid/x.git");
    mike.git(["config", "core.sshCommand", "sleep 600; :"]);
    let output = gitsync(&mike).args(["--stall", "300ms"]).output();
    assert_fails(&output, Exit::Unreachable, &["has stalled"]);
    assert_eq!(mike.log("HEAD").len(), 2, "the commit is in place, once");
    mike.assert_clean();
}

/// Under this name, so that a machine without the servers can leave them out.
mod real_servers {
    use super::*;

    #[test]
    fn over_ssh() {
        let (world, origin, howard, mike) = far_away();
        let sshd = Sshd::start(&world);
        at(&mike, &sshd.url(&origin));
        mike.git(["config", "core.sshCommand", &sshd.command()]);
        a_whole_sync_works(&origin, &howard, &mike);
        a_refused_push_is_told_in_the_servers_words(&origin, &mike);
        notes_go_both_ways(&origin, &howard, &mike);
    }

    #[test]
    fn ssh_that_lets_nobody_in() {
        let (world, origin, _howard, mike) = far_away();
        let sshd = Sshd::start(&world);
        at(&mike, &sshd.url(&origin));
        mike.write("mine.md", "mine\n");
        for (command, words) in [
            (sshd.command_of_a_stranger(), "Permission denied"),
            (sshd.command_to_a_stranger(), "Host key verification failed"),
        ] {
            mike.git(["config", "core.sshCommand", &command]);
            assert_fails(&unattended(&mike), Exit::NotAllowed, &[words]);
        }
        mike.git(["config", "core.sshCommand", &sshd.command()]);
        at(&mike, &format!("{}-gone", sshd.url(&origin)));
        assert_fails(&unattended(&mike), Exit::Unreachable, &["there is no repository"]);
        mike.assert_clean();
    }

    #[test]
    fn over_http() {
        let (world, origin, howard, mike) = far_away();
        let web = Web::start(&world);
        at(&mike, &web.url("moved", &origin));
        a_whole_sync_works(&origin, &howard, &mike);
        at(&mike, &web.url("open", &origin));
        a_refused_push_is_told_in_the_servers_words(&origin, &mike);
        a_quota_is_told_in_the_servers_words(&origin, &mike);
        notes_go_both_ways(&origin, &howard, &mike);
    }

    #[test]
    fn over_https_with_a_private_authority_and_a_credential_helper() {
        let (world, origin, howard, mike) = far_away();
        let web = Web::start(&world);
        at(&mike, &web.tls_url("private", &origin));
        assert_fails(&gitsync(&mike).output(), Exit::Unreachable, &["certificate"]);
        mike.git(["config", "http.sslCAInfo", web.ca().as_str()]);
        let helper = program(&world, "helper", "echo username=mike; echo 'password=s3cret pass'");
        mike.git(["config", "credential.helper", &helper]);
        a_whole_sync_works(&origin, &howard, &mike);
        notes_go_both_ways(&origin, &howard, &mike);
    }

    #[test]
    fn a_wrong_password_and_none_at_all() {
        let (world, origin, _howard, mike) = far_away();
        let web = Web::start(&world);
        mike.write("mine.md", "mine\n");
        at(&mike, &web.url("private", &origin));
        assert_fails(&unattended(&mike), Exit::NotAllowed, &["wants credentials"]);
        let helper = program(&world, "helper", "echo username=mike; echo password=wr0ng");
        mike.git(["config", "credential.helper", &helper]);
        let output = unattended(&mike);
        assert_fails(&output, Exit::NotAllowed, &["wants credentials"]);
        assert!(!format!("{output}").contains("wr0ng"), "{output}");
        assert_fails(&notes_sync(&mike), Exit::NotAllowed, &["wants credentials"]);
        mike.assert_clean();
        // The login that git would find as well.
        mike.git(["config", "--unset", "credential.helper"]);
        std::fs::write(
            world.home().join(".netrc"),
            "machine 127.0.0.1 login mike password \"s3cret pass\"\n",
        )
        .unwrap();
        unattended(&mike).assert_success();
        assert_eq!(origin.rev("main"), mike.head());
    }

    #[test]
    fn what_a_web_server_says_instead() {
        let (world, origin, _howard, mike) = far_away();
        let web = Web::start(&world);
        mike.write("mine.md", "mine\n");
        let before = origin.rev("main");
        for (place, exit, words) in [
            ("forbidden", Exit::NotAllowed, "403"),
            ("broken", Exit::Unreachable, "500"),
            ("away", Exit::Unreachable, "502"),
            ("page", Exit::Unreachable, "does not speak git"),
            ("private-post", Exit::NotAllowed, "wants credentials"),
            ("broken-post", Exit::Unreachable, "500"),
            ("page-post", Exit::Unreachable, "does not speak git"),
            ("nowhere", Exit::Unreachable, "there is no repository"),
        ] {
            at(&mike, &web.url(place, &origin));
            assert_fails(&unattended(&mike), exit, &[words]);
            // The same where pushing is all that is left to do.
            let output = gitsync(&mike).args(["--no-pull"]).output();
            assert_fails(&output, exit, &[words]);
            mike.assert_clean();
        }
        assert_eq!(origin.rev("main"), before);
        at(&mike, &web.url("open", &origin));
        gitsync(&mike).success();
        assert_eq!(origin.rev("main"), mike.head());
    }

    #[test]
    fn over_dulwich() {
        let (world, origin, howard, mike) = far_away();
        let dulwich = Dulwich::start(&world);
        for url in [dulwich.git_url(&origin), dulwich.http_url(&origin)] {
            at(&mike, &url);
            howard.write("theirs.md", format!("seen at {url}\n"));
            gitsync(&howard).success();
            mike.write("mine.md", format!("sent to {url}\n"));
            let output = gitsync(&mike).success();
            assert_eq!(output.document().main().state, SyncState::PulledPushed, "{output}");
            assert_eq!(origin.rev("main"), mike.head());
            gitsync(&howard).success();
            notes_go_both_ways(&origin, &howard, &mike);
            at(&mike, &format!("{url}-gone"));
            assert_fails(&gitsync(&mike).output(), Exit::Unreachable, &[]);
        }
        mike.assert_sound();
    }
}
