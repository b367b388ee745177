//! Tests signatures: commits are signed if configured, replayed ones signed again, and no invalid signature is kept.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]
#![allow(clippy::disallowed_methods, reason = "tests may start programs")]

mod run;

use run::gitsync;
use testkit::{Repo, World};

/// Has `repo` sign with an ssh key of its own; false where this machine has no ssh-keygen.
fn signs_with_ssh(world: &World, repo: &Repo) -> bool {
    let key = world.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "mike@example.com", "-f", key.as_str()])
        .status();
    if !made.is_ok_and(|status| status.success()) {
        return false;
    }
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let signers = world.path().join("signers");
    std::fs::write(&signers, format!("mike@example.com {public}")).unwrap();
    repo.git(["config", "gpg.format", "ssh"]);
    repo.git(["config", "user.signingKey", key.as_str()]);
    repo.git(["config", "gpg.ssh.allowedSignersFile", signers.as_str()]);
    repo.git(["config", "commit.gpgSign", "true"]);
    true
}

fn signature(repo: &Repo, revision: &str) -> String {
    repo.git(["log", "-1", "--format=%G?", revision])
}

#[test]
fn a_commit_is_signed_and_a_replayed_one_is_signed_anew() {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    if !signs_with_ssh(&world, &mike) {
        return;
    }
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    mike.write("mine", "1\n");
    gitsync(&mike).success();
    assert_eq!(mike.rev("HEAD~1"), howard.head());
    assert_eq!(signature(&mike, "HEAD"), "G");
    assert_eq!(signature(&mike, "HEAD~1"), "N");
    mike.assert_sound();
}

#[test]
fn a_replayed_commit_does_not_keep_a_signature_that_is_no_longer_true() {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    if !signs_with_ssh(&world, &mike) {
        return;
    }
    mike.write("mine", "1\n");
    mike.commit_all("signed by git");
    assert_eq!(signature(&mike, "HEAD"), "G");
    mike.git(["config", "commit.gpgSign", "false"]);
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    gitsync(&mike).success();
    assert_eq!(signature(&mike, "HEAD"), "N");
    assert!(!mike.git(["cat-file", "-p", "HEAD"]).contains("gpgsig"));
}

#[test]
fn a_signing_program_that_fails_is_named_and_nothing_is_committed() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["config", "commit.gpgSign", "true"]);
    mike.write(".git/signer", "#!/bin/sh\ncat >/dev/null\nexit 1\n");
    mike.set_executable(".git/signer", true);
    let signer = mike.git_dir().join("signer");
    // Of one that reads nothing it depends on who is faster what is known.
    for (program, words) in [(signer.as_str(), "exit status: 1, without a word\n"), ("false", "")] {
        mike.git(["config", "gpg.program", program]);
        mike.write("a", "1\n");
        let before = mike.snapshot();
        let output = gitsync(&mike).output();
        output.assert_code(1);
        output.assert_says(&format!("{program} did not sign the commit: {words}"));
        assert_eq!(mike.snapshot(), before, "{program}");
    }
}

#[test]
fn what_a_signing_program_says_is_told_without_what_it_says_to_git() {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let program = world.path().join("sign");
    let lines =
        "gpg: skipped \"mike\": No secret key\n[GNUPG:] INV_SGNR 9 mike\ngpg: signing failed: No secret key";
    std::fs::write(&program, format!("#!/bin/sh\ncat >/dev/null\necho '{lines}' >&2\nexit 2\n")).unwrap();
    world.program("chmod").args(["+x", program.as_str()]).success();
    mike.git(["config", "commit.gpgSign", "true"]);
    mike.git(["config", "gpg.program", program.as_str()]);
    mike.write("a", "1\n");
    let output = gitsync(&mike).output();
    output.assert_code(1);
    let words = "gpg: skipped \"mike\": No secret key; gpg: signing failed: No secret key";
    output.assert_says(&format!("{program} did not sign the commit: {words}\n"));
    output.assert_says("--get-regexp '^(commit[.]gpgsign|gpg|user[.]signingkey)'");
}

#[test]
fn a_signing_program_that_ends_before_it_has_read_anything_is_asked_again() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let script = "#!/bin/sh\necho >>\"$0.asked\"\n[ $(wc -l <\"$0.asked\") -lt 3 ] && exit 1\n\
        cat >/dev/null\necho 'no such key' >&2\nexit 1\n";
    mike.write(".git/signer", script);
    mike.set_executable(".git/signer", true);
    mike.git(["config", "commit.gpgSign", "true"]);
    mike.git(["config", "user.signingKey", "mike"]);
    mike.git(["config", "gpg.program", mike.git_dir().join("signer").as_str()]);
    mike.write("first.md", "first\n");
    // More than a pipe holds.
    let output = gitsync(&mike).args(["--message", &"long ".repeat(20_000)]).output();
    output.assert_code(1);
    output.assert_says("did not sign the commit: no such key");
    assert_eq!(mike.read(".git/signer.asked").lines().count(), 3);
}

#[test]
fn a_signing_program_that_is_not_there_is_told_in_words() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["config", "commit.gpgSign", "true"]);
    mike.git(["config", "gpg.program", "/nowhere/gpg"]);
    mike.write("a", "1\n");
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("/nowhere/gpg did not sign the commit: ");
    assert!(!output.to_string().contains("Message {"), "{output}");
}

#[test]
fn a_format_of_signatures_that_there_is_not_is_wrong_configuration() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["config", "commit.gpgSign", "true"]);
    mike.git(["config", "gpg.format", "bogus"]);
    mike.write("a", "1\n");
    let output = gitsync(&mike).output();
    output.assert_code(78);
    output.assert_says("bogus");
    output.assert_says("gpg.format is openpgp, x509 or ssh");
    assert!(!output.to_string().contains("Message {"), "{output}");
}

#[test]
fn signing_that_is_set_up_half_is_wrong_configuration() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["config", "commit.gpgSign", "true"]);
    mike.git(["config", "gpg.format", "ssh"]);
    mike.write("a", "1\n");
    let output = gitsync(&mike).output();
    output.assert_code(78);
    output.assert_says("user.signingKey");
}
