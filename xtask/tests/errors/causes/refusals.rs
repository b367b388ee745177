//! Causes gitsync's refusals before any change, and the errors about a vault.

use testkit::{Output, Repo, World};

use super::{Cause, as_homeless, cause, gitsync, mike, mike_and_howard, where_possible};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("the repository is bare", || {
        let (_world, origin, _mike) = mike();
        gitsync(&origin).output()
    }),
    cause("the clone is partial", || {
        let (world, origin, _mike) = mike();
        origin.git(["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", origin.path());
        let path = world.path().join("partial");
        world.git(["clone", "--quiet", "--filter=blob:none", &url, path.as_str()]);
        gitsync(&world.repo(path)).output()
    }),
    cause("nothing was checked out", || {
        let (world, origin, _mike) = mike();
        let path = world.path().join("empty");
        world.git(["clone", "--quiet", "--no-checkout", origin.path().as_str(), path.as_str()]);
        gitsync(&world.repo(path)).output()
    }),
    cause("HEAD is detached", || on_mike(|mike| drop(mike.git(["switch", "--quiet", "--detach"])))),
    cause("another work tree is on the same branch", || {
        on_mike(|mike| {
            let other = mike.linked_work_tree("other");
            other.git(["switch", "--quiet", "--ignore-other-worktrees", "main"]);
        })
    }),
    cause("HEAD leads to a ref that is no branch", || {
        on_mike(|mike| {
            mike.git(["symbolic-ref", "refs/heads/alias", "refs/remotes/origin/main"]);
            mike.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
        })
    }),
    cause("a merge is not finished", || amid("merge", "other")),
    cause("a rebase is not finished", || amid("rebase", "other")),
    cause("`git am` is not finished", || {
        let (_world, _origin, mike) = in_conflict();
        let patch = mike.git(["format-patch", "--stdout", "-1", "other"]);
        mike.write("../a.patch", patch + "\n");
        assert_ne!(mike.try_git(["am", "--quiet", "../a.patch"]).code, 0);
        gitsync(&mike).output()
    }),
    cause("a cherry-pick is not finished", || amid("cherry-pick", "other")),
    cause("a revert is not finished", || amid("revert", "HEAD~1")),
    cause("a bisection is not finished", || on_mike(|mike| drop(mike.git(["bisect", "start"])))),
    cause("the index holds both sides of a path", || {
        let (_world, _origin, mike) = in_conflict();
        mike.try_git(["merge", "other"]);
        std::fs::remove_file(mike.git_dir().join("MERGE_HEAD")).unwrap();
        gitsync(&mike).output()
    }),
    cause("another git is at work on the index", || {
        on_mike(|mike| std::fs::write(mike.git_dir().join("index.lock"), "").unwrap())
    }),
    cause("git does not know who commits", || {
        let (world, _origin, mike) = mike();
        mike.git(["config", "--unset", "user.name"]);
        std::fs::write(world.git_config(), "").unwrap();
        gitsync(&mike).output()
    }),
    cause("commits are to be signed, and nothing says how", || {
        on_mike(|mike| {
            mike.git(["config", "commit.gpgSign", "true"]);
            mike.git(["config", "gpg.format", "ssh"]);
        })
    }),
    cause("there is no remote", || gitsync(&World::new().init("mike")).output()),
    cause("there are several remotes, and the branch has none", || {
        let world = World::new();
        let mike = world.init("mike");
        for name in ["one", "two"] {
            mike.git(["remote", "add", name, "/nowhere"]);
        }
        gitsync(&mike).output()
    }),
    cause("the upstream is a local branch", || {
        on_mike(|mike| drop(mike.git(["config", "branch.main.remote", "."])))
    }),
    cause("the branch is pushed elsewhere than it comes from", || {
        on_mike(|mike| drop(mike.git(["config", "branch.main.pushRemote", "elsewhere"])))
    }),
    cause("the upstream is no branch", || {
        on_mike(|mike| drop(mike.git(["config", "branch.main.merge", "refs/tags/v1"])))
    }),
    cause("the branch has several upstreams", || {
        on_mike(|mike| drop(mike.git(["config", "--add", "branch.main.merge", "refs/heads/other"])))
    }),
    cause("the upstream is left out of what is fetched", || {
        let (_world, _origin, mike, _howard) = mike_and_howard();
        mike.git(["config", "--add", "remote.origin.fetch", "^refs/heads/main"]);
        gitsync(&mike).output()
    }),
    cause("a refspec fetches into a branch that is checked out", || {
        on_mike(|mike| drop(mike.git(["config", "remote.origin.fetch", "+refs/heads/*:refs/heads/*"])))
    }),
    cause("a refspec pushes the branch elsewhere", || {
        on_mike(|mike| drop(mike.git(["config", "remote.origin.push", "refs/heads/main:refs/heads/review"])))
    }),
    cause("there is nothing to begin with", || {
        let world = World::new();
        let origin = world.bare("origin.git");
        let mike = world.init("mike");
        mike.git(["remote", "add", "origin", origin.path().as_str()]);
        gitsync(&mike).output()
    }),
];

/// The causes that lie in the vault.
pub const OF_THE_VAULT: &[Cause] = &[
    cause("the vault is not there", || with_vault(|_| "../nowhere".into())),
    where_possible("the vault is below a home that is not known", || {
        let (world, _origin, mike) = mike();
        mike.write(".claude/identity.json", "{\"vault_path\": \"~/vault\"}");
        Some(as_homeless(&world, &mike, "gitsync")?.output())
    }),
    cause("the vault is no folder", || with_vault(|_| "new.md".into())),
    cause("the vault is no repository", || {
        with_vault(|world| {
            std::fs::create_dir(world.path().join("folder")).unwrap();
            "../folder".into()
        })
    }),
    cause("the vault is the repository itself", || with_vault(|_| ".".into())),
    cause("the vault is a linked work tree of the repository", || {
        with_vault(|world| {
            let mike = world.repo(world.path().join("mike"));
            mike.linked_work_tree("linked").path().to_string()
        })
    }),
    cause("the vault is a folder of a repository", || {
        with_vault(|world| {
            world.init("other").write("folder/file", "");
            "../other/folder".into()
        })
    }),
    cause("the vault is bare", || with_vault(|world| world.path().join("origin.git").into_string())),
    cause("something else is amiss in the vault", || {
        with_vault(|world| {
            let vault = world.clone_of(&world.repo(world.path().join("origin.git")), "vault");
            vault.git(["switch", "--quiet", "--detach"]);
            vault.path().to_string()
        })
    }),
];

fn on_mike(spoil: fn(&Repo)) -> Output {
    let (_world, _origin, mike) = mike();
    spoil(&mike);
    gitsync(&mike).output()
}

/// A clone whose branches `main` and `other` change the same line.
fn in_conflict() -> (World, Repo, Repo) {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["switch", "--quiet", "-c", "other"]);
    mike.write("README.md", "other\n");
    mike.commit_all("other");
    mike.git(["switch", "--quiet", "main"]);
    for text in ["main\n", "main, again\n"] {
        mike.write("README.md", text);
        mike.commit_all(text);
    }
    (world, origin, mike)
}

/// Gitsync in the middle of something that stopped at a conflict.
fn amid(command: &str, target: &str) -> Output {
    let (_world, _origin, mike) = in_conflict();
    assert_ne!(mike.try_git([command, target]).code, 0, "{command} was to stop half-way");
    gitsync(&mike).output()
}

fn with_vault(vault: fn(&World) -> String) -> Output {
    let (world, _origin, mike) = mike();
    let vault = vault(&world);
    gitsync(&mike).args(["--vault", mike.join(&vault).as_str()]).output()
}
