//! Tests working trees with directories that are mounted into them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use camino::Utf8PathBuf;
use testkit::{Repo, World};

#[test]
fn a_part_of_the_same_file_system_that_is_mounted_below_is_updated() {
    let (world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    for (path, content) in [("mounted/changes", "1\n"), ("mounted/goes", "1\n")] {
        howard.write(path, content);
    }
    howard.commit_all("the folder");
    howard.git(["push", "--quiet"]);
    mike.git(["pull", "--quiet"]);
    howard.write("mounted/changes", "2\n");
    howard.write("mounted/deep/comes", "1\n");
    howard.remove("mounted/goes");
    howard.commit_all("the update");
    howard.git(["push", "--quiet"]);
    let elsewhere = world.path().join("elsewhere");
    std::fs::rename(mike.join("mounted"), &elsewhere).unwrap();
    std::fs::create_dir(mike.join("mounted")).unwrap();

    let mounting = [
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        r#"mount --bind "$1" "$2" || exit 99; shift 2; exec "$@""#,
    ];
    let mounted = |program: &[&str]| {
        let places = ["sh", elsewhere.as_str(), "mounted"];
        mike.program("unshare").args(mounting).args(places).args(program).output()
    };
    if mounted(&["true"]).code != 0 {
        // Not everybody may mount anything, even for themselves.
        return;
    }
    let output = mounted(&[env!("CARGO_BIN_EXE_gitsync"), "--fresh", "--json"]);
    output.assert_code(0);
    assert_eq!(std::fs::read_to_string(elsewhere.join("changes")).unwrap(), "2\n");
    assert_eq!(std::fs::read_to_string(elsewhere.join("deep/comes")).unwrap(), "1\n");
    let mut names: Vec<_> =
        elsewhere.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["changes", "deep"]);
}

#[test]
fn a_repository_over_sshfs_is_synced_and_no_lock_stays_there() {
    let (world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    howard.write("changes", "1\n");
    howard.write("goes", "1\n");
    howard.commit_all("the files");
    howard.git(["push", "--quiet"]);
    mike.git(["pull", "--quiet"]);
    howard.write("changes", "2\n");
    howard.remove("goes");
    howard.commit_all("the update");
    howard.git(["push", "--quiet"]);
    mike.write("mine", "1\n");
    let Some(mounted) = OverSshfs::mount(&world, &mike) else { return };

    for _ in 0..2 {
        let run = [env!("CARGO_BIN_EXE_gitsync"), "--fresh", "--json", "--repo", mounted.folder.as_str()];
        mike.program("env").args(run).output().assert_code(0);
        let locks = mike.program("find").args([".git", "-name", "*.lock", "-o", "-name", "index.lockstep*"]);
        assert_eq!(locks.output().stdout, "");
    }
    drop(mounted);
    assert_eq!(mike.read("changes"), "2\n");
    assert!(!mike.join("goes").exists());
    assert_eq!(origin.rev("main"), mike.head());
    mike.assert_clean();
}

/// A work tree that is mounted once more by sshfs, which shows each name of a file as a file of its own, and cannot
/// move a file without replacing another.
struct OverSshfs<'a> {
    folder: Utf8PathBuf,
    tree: &'a Repo,
}

impl<'a> OverSshfs<'a> {
    /// None where there is no sshfs, or it may not be used.
    fn mount(world: &World, tree: &'a Repo) -> Option<Self> {
        let folder = world.path().join("over-sshfs");
        std::fs::create_dir(&folder).unwrap();
        let script = r#"
            for server in /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server /usr/libexec/openssh/sftp-server; do
                test -x "$server" || continue
                printf '#!/bin/sh\nexec %s\n' "$server" >"$2.ssh" && chmod +x "$2.ssh"
                exec sshfs -o ssh_command="$2.ssh" "here:$1" "$2"
            done
            exit 1"#;
        let places = ["sh", tree.path().as_str(), folder.as_str()];
        let mounted = tree.program("sh").args(["-c", script]).args(places).output();
        (mounted.code == 0).then_some(Self { folder, tree })
    }
}

impl Drop for OverSshfs<'_> {
    fn drop(&mut self) {
        self.tree.program("fusermount").args(["-u", self.folder.as_str()]).output();
    }
}
