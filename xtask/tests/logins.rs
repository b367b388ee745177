//! Tests that no program prints a password from git's configuration, in whatever form and message.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use testkit::{Repo, World};

/// What stands before the `@` of a URL; each with a part that nobody may see.
const LOGINS: [&str; 6] = [
    "user:my secret",
    "user:se/secret",
    "user:12/secret",
    "user:p@secret%zz",
    "us er:secret",
    "user:\"secret",
];

/// All that the programs that talk to a remote say, on both of their streams.
fn said(repo: &Repo) -> String {
    let programs: [(&str, &[&str]); 5] = [
        ("gitsync", &["--fresh", "--json"]),
        ("gitsync", &["--fresh", "--human", "--dry-run"]),
        ("notes-sync", &["--fresh", "--json"]),
        ("notes-sync", &["--fresh", "--human", "--dry-run"]),
        ("lockstep", &["doctor"]),
    ];
    let outputs = programs.map(|(program, options)| {
        let output = repo.binary(program).args(options).output();
        assert!(output.code > 0, "{program} has nothing to say: {output}");
        output.to_string()
    });
    outputs.join("\n")
}

/// Sets the configuration of a clone, and asserts that nobody says what is secret in it.
#[track_caller]
fn assert_kept(settings: &[(&str, &str)]) -> String {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for (key, value) in settings {
        mike.git(["config", key, value]);
    }
    let said = said(&mike);
    assert!(!said.contains("secret"), "{settings:?}: {said}");
    said
}

#[test]
fn a_url_that_cannot_be_used_is_named_without_its_password() {
    for login in LOGINS {
        for protocol in ["http", "ssh", "git"] {
            let url = format!("{protocol}://{login}@127.0.0.1:1/x");
            let said = assert_kept(&[("remote.origin.url", &url)]);
            assert!(said.contains("127.0.0.1:1/x"), "{url}: {said}");
        }
    }
}

#[test]
fn it_is_the_same_with_the_url_for_pushes_and_with_what_others_make_of_it() {
    let bad = "http://user:my secret@127.0.0.1:1/";
    assert_kept(&[("remote.origin.pushurl", bad), ("remote.origin.url", bad)]);
    assert_kept(&[
        ("remote.origin.url", "short:x"),
        ("url.http://user:my secret@127.0.0.1:1/.insteadOf", "short:"),
    ]);
    assert_kept(&[
        ("remote.origin.url", "short:x"),
        ("url.http://user:my secret@127.0.0.1:1/.pushInsteadOf", "short:"),
    ]);
}

#[test]
fn a_url_where_a_name_is_to_be_is_named_without_its_password() {
    let nobody = ("remote.origin.url", "http://127.0.0.1:1/x");
    for url in ["http://user:my secret@127.0.0.1:1/x", "http://user:secret@127.0.0.1:1/x"] {
        for key in ["branch.main.remote", "branch.main.pushRemote", "branch.main.merge", "remote.pushDefault"]
        {
            assert_kept(&[nobody, (key, url)]);
        }
    }
}

#[test]
fn a_proxy_is_named_without_its_password() {
    for proxy in ["http://user:se/secret@127.0.0.1:1", "user:my secret@127.0.0.1:1", "odd://user:my secret@h"]
    {
        assert_kept(&[("remote.origin.url", "http://127.0.0.1:1/x"), ("http.proxy", proxy)]);
    }
}

#[test]
fn what_ssh_says_of_a_url_is_told_without_its_password() {
    let ssh = "echo \"cannot use 'http://user:my secret@host' for http://user:secret@host\" >&2; exit 255; #";
    assert_kept(&[("core.sshCommand", ssh), ("remote.origin.url", "ssh://user:secret@host/x")]);
}

#[test]
fn what_a_server_says_of_a_url_is_told_without_its_password() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    origin.hook("pre-receive", "echo 'mirror http://user:my secret@host is away'; exit 1");
    mike.commit_all("ours");
    mike.note("refs/notes/mem/decisions", "HEAD", "use postgres");
    for program in ["gitsync", "notes-sync"] {
        let output = mike.binary(program).args(["--fresh", "--json"]).output();
        assert!(output.code > 0 && output.stdout.contains("is away"), "{output}");
        assert!(!output.to_string().contains("secret"), "{output}");
    }
}
