//! Tests the vault: a second repository, with its own section in the document and its own failures.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::{Exit, SyncState};
use run::gitsync;
use testkit::{Repo, Sections as _, World};

/// A main clone and a vault clone, of two remotes.
fn world() -> (World, Repo, Repo, Repo) {
    let (world, _origin, [mike]) = World::with_clones(["mike"]);
    let remote = world.bare("vault.git");
    let vault = world.clone_of(&remote, "vault");
    vault.write("secret.md", "1\n");
    vault.commit_all("the vault");
    vault.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
    (world, mike, vault, remote)
}

fn names(mike: &Repo, path: &str) {
    mike.write(".claude/identity.json", format!(r#"{{"user": "mike", "vault_path": "{path}"}}"#));
}

#[test]
fn the_vault_that_identity_json_names_is_synced_after_the_main_repository() {
    for path in ["../vault", "~/../vault", "absolute"] {
        let (_world, mike, vault, remote) = world();
        let path = if path == "absolute" { vault.path().as_str() } else { path };
        names(&mike, path);
        vault.write("new.md", "1\n");
        let document = gitsync(&mike).success().document();
        assert_eq!(document.main().state, SyncState::Pushed, "{path}");
        assert_eq!(document.vault().state, SyncState::Pushed, "{path}");
        assert_eq!(document.vault().worktree, vault.path().as_str());
        assert_eq!(remote.rev("main"), vault.head());
        vault.assert_clean();
        vault.assert_unlocked();
    }
}

#[test]
fn a_vault_can_be_named_and_left_out() {
    let (_world, mike, vault, remote) = world();
    vault.write("new.md", "1\n");
    let before = remote.rev("main");
    names(&mike, "../vault");
    let document = gitsync(&mike).arg("--no-vault").success().document();
    assert_eq!(document.gitsync().vault, None);
    assert_eq!(remote.rev("main"), before);
    gitsync(&mike).arg("--vault").arg(vault.path()).success();
    assert_eq!(remote.rev("main"), vault.head());
}

#[test]
fn a_vault_that_is_missing_is_wrong_configuration_and_the_main_repository_is_synced_all_the_same() {
    let (_world, mike, _vault, _remote) = world();
    names(&mike, "../nowhere");
    let output = gitsync(&mike).output();
    output.assert_code(Exit::Misconfigured.code().into());
    output.assert_says("the vault is missing");
    assert_eq!(output.document().main().state, SyncState::Pushed);
    assert!(!output.document().has_ended());
}

#[test]
fn a_vault_that_is_no_repository_of_its_own_is_refused() {
    let (world, mike, _vault, _remote) = world();
    std::fs::create_dir_all(mike.join("inside")).unwrap();
    std::fs::create_dir_all(world.path().join("empty")).unwrap();
    std::fs::write(world.path().join("file"), "").unwrap();
    std::fs::create_dir_all(world.path().join("moved")).unwrap();
    std::fs::write(world.path().join("moved/.git"), "gitdir: /no/such/place\n").unwrap();
    let linked = mike.linked_work_tree("linked");
    for (path, words) in [
        ("inside", "is the main repository itself"),
        (".", "is the main repository itself"),
        (linked.path().as_str(), "is another work tree of the main repository"),
        ("../empty", "there is no git repository at"),
        ("../file", "file is not a directory"),
        ("../moved", "leads to no git repository"),
    ] {
        names(&mike, path);
        let output = gitsync(&mike).output();
        output.assert_code(78);
        let error = output.document().vault().error.clone().unwrap();
        assert!(error.message.contains(words), "{error:?}");
        // The remedy is about the vault, and not about the repository of the run.
        let help = error.help.unwrap();
        assert!(help.contains("vault_path in .claude/identity.json, or --vault,"), "{help}");
        assert!(!help.contains("--repo"), "{help}");
    }
}

#[test]
fn a_vault_that_is_a_folder_of_another_repository_is_refused() {
    let (_world, mike, vault, _remote) = world();
    std::fs::create_dir_all(vault.join("folder")).unwrap();
    names(&mike, "../vault/folder");
    let output = gitsync(&mike).output();
    output.assert_code(78);
    output.assert_says("no repository of its own");
}

#[test]
fn a_vault_that_fails_does_not_hide_what_the_main_repository_did() {
    let (_world, mike, vault, _remote) = world();
    names(&mike, "../vault");
    vault.git(["switch", "--quiet", "--detach"]);
    mike.write("a", "1\n");
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("vault: HEAD is detached");
    let document = output.document();
    assert_eq!(document.main().state, SyncState::Pushed);
    assert_eq!(document.main().error, None);
    mike.assert_clean();
}

#[test]
fn the_vault_is_synced_also_where_the_main_repository_failed() {
    let (_world, mike, vault, remote) = world();
    names(&mike, "../vault");
    mike.git(["switch", "--quiet", "--detach"]);
    vault.write("new.md", "1\n");
    let output = gitsync(&mike).output();
    output.assert_code(1);
    assert!(output.document().error.unwrap().message.starts_with("HEAD is detached"));
    assert_eq!(remote.rev("main"), vault.head());
}

#[test]
fn a_missing_vault_is_told_also_where_the_main_repository_failed() {
    let (_world, mike, _vault, _remote) = world();
    names(&mike, "../nowhere");
    mike.git(["switch", "--quiet", "--detach"]);
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("HEAD is detached");
    output.assert_says("besides, the vault: the vault is missing");
    let document = output.document();
    assert_eq!(document.vault().state, SyncState::Failed);
    let error = document.vault().error.as_ref().unwrap();
    assert!(error.message.starts_with("the vault is missing"), "{error:?}");
    assert!(error.help.as_ref().is_some_and(|help| help.contains("vault_path")), "{error:?}");
}

#[test]
fn a_vault_whose_place_cannot_be_found_out_is_told_also_where_the_main_repository_failed() {
    let (_world, mike, _vault, _remote) = world();
    let document = gitsync(&mike).success().stdout;
    mike.write(".claude/identity.json", "{");
    mike.git(["switch", "--quiet", "--detach"]);
    // The run began before the file was broken.
    let output = mike.program(env!("CARGO_BIN_EXE_gitsync")).stdin(document).output();
    output.assert_code(1);
    output.assert_says("HEAD is detached");
    output.assert_says("besides, the vault: ");
    let document = output.document();
    let vault = document.vault();
    assert_eq!((vault.state, vault.worktree.as_str()), (SyncState::Failed, ""));
    assert!(vault.error.as_ref().unwrap().message.contains("identity.json is broken"), "{vault:?}");
}

#[test]
fn whoever_commits_only_named_files_commits_nothing_in_the_vault() {
    let (_world, mike, vault, _remote) = world();
    names(&mike, "../vault");
    vault.write("new.md", "1\n");
    mike.write("a", "1\n");
    gitsync(&mike).args(["--only", "a"]).success();
    assert_eq!(vault.status(), "?? new.md");
}
