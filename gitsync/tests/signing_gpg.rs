//! Tests signatures by gpg, with the test's own key, as git verifies them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use camino::Utf8PathBuf;
use run::gitsync;
use testkit::{Invocation, Output, Repo, World};

/// A keyring, whose agent ends with it.
struct Keyring<'a> {
    world: &'a World,
    home: Utf8PathBuf,
}

impl<'a> Keyring<'a> {
    fn new(world: &'a World) -> Self {
        let home = world.path().join("gnupg");
        std::fs::create_dir(&home).unwrap();
        world.program("chmod").args(["700", home.as_str()]).success();
        let keyring = Self { world, home };
        let key = ["--quick-generate-key", "Mike <mike@example.com>", "ed25519", "sign", "never"];
        keyring
            .with(world.program("gpg").args(["--batch", "--quiet", "--passphrase", ""]).args(key))
            .success();
        keyring
    }

    fn with(&self, program: Invocation) -> Invocation {
        program.env("GNUPGHOME", &self.home)
    }

    fn verify(&self, repo: &Repo, revision: &str) -> Output {
        self.with(repo.git_invocation().args(["verify-commit", revision])).output()
    }
}

impl Drop for Keyring<'_> {
    fn drop(&mut self) {
        self.with(self.world.program("gpgconf").args(["--kill", "all"])).output();
    }
}

/// Under this name, so that a machine without gpg can leave them out.
mod real_programs {
    use super::*;

    #[test]
    fn a_commit_and_a_replayed_one_are_signed_as_git_would() {
        let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
        let keyring = Keyring::new(&world);
        mike.git(["config", "commit.gpgSign", "true"]);
        mike.write("first.md", "first\n");
        keyring.with(gitsync(&mike)).success();
        assert_eq!(origin.rev("main"), mike.head());
        keyring.verify(&mike, "HEAD").assert_says("Good signature from \"Mike <mike@example.com>\"");

        // One by git and one by gitsync, both to be replayed.
        mike.write("second.md", "second\n");
        mike.git(["add", "--all"]);
        keyring.with(mike.git_invocation().args(["commit", "--quiet", "-m", "by git"])).success();
        gitsync(&howard).success();
        howard.write("theirs.md", "theirs\n");
        gitsync(&howard).success();
        mike.write("third.md", "third\n");
        keyring.with(gitsync(&mike)).success();
        assert_eq!(mike.rev("HEAD~2"), howard.head());
        for revision in ["HEAD", "HEAD~1"] {
            keyring.verify(&mike, revision).assert_says("Good signature");
        }
        assert_ne!(keyring.verify(&mike, "HEAD~2").code, 0, "Howard does not sign");
        mike.assert_sound();
    }

    #[test]
    fn a_key_that_nobody_has_is_told_in_gpgs_words_and_nothing_is_committed() {
        let (world, _origin, [mike]) = World::with_clones(["mike"]);
        let keyring = Keyring::new(&world);
        mike.git(["config", "commit.gpgSign", "true"]);
        mike.git(["config", "user.signingKey", "nobody@example.com"]);
        mike.write("first.md", "first\n");
        let before = mike.snapshot();
        let output = keyring.with(gitsync(&mike)).output();
        output.assert_code(1);
        output.assert_says("gpg did not sign the commit");
        output.assert_says("nobody@example.com");
        assert_eq!(mike.snapshot(), before);
    }
}
