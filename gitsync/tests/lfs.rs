//! Tests git-lfs on both sides, the one that pushes and the one that pulls.
//!
//! Its filter keeps large files out of the commits, its hook uploads them before a push, and a user who pulls gets
//! the files themselves.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Repo, World, assert_converged};

/// A remote that git-lfs can upload to without a server of its own, and two clones that use it.
fn with_lfs() -> (World, Repo, [Repo; 2]) {
    let (world, origin, clones) = World::with_clones(["howard", "mike"]);
    for clone in &clones {
        clone.git(["remote", "set-url", "origin", &format!("file://{}", origin.path())]);
        clone.git(["lfs", "install", "--local"]);
    }
    (world, origin, clones)
}

/// Where the remote keeps the large file that `pointer` stands for.
fn uploaded(origin: &Repo, pointer: &str) -> camino::Utf8PathBuf {
    let (_, rest) = pointer.split_once("oid sha256:").expect("a pointer of git-lfs");
    let id = rest.lines().next().unwrap();
    origin.join(&format!("lfs/objects/{}/{}/{id}", &id[..2], &id[2..4]))
}

/// Under this name, so that a machine without git-lfs can leave them out.
mod real_programs {
    use super::*;

    #[test]
    fn large_files_go_to_the_store_and_come_back_from_it() {
        let (_world, origin, [howard, mike]) = with_lfs();
        let large: Vec<u8> =
            (0..300_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        mike.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
        mike.write("large.bin", &large);
        mike.write("small.md", "not for the store\n");
        // Git's opinion of the tree, from an index of its own.
        let index = mike.git_dir().join("git-s-own-index");
        let with_index = |args: &[&str]| {
            mike.git_invocation().env("GIT_INDEX_FILE", &index).args(args).success().stdout.trim().to_owned()
        };
        with_index(&["add", "--all"]);
        let tree = with_index(&["write-tree"]);
        gitsync(&mike).success();
        assert_eq!(mike.rev("HEAD^{tree}"), tree);

        let pointer = origin.git(["show", "main:large.bin"]);
        assert!(pointer.starts_with("version https://git-lfs.github.com/spec/v1"), "{pointer}");
        assert_eq!(std::fs::read(uploaded(&origin, &pointer)).unwrap(), large, "what was uploaded");

        gitsync(&howard).success();
        assert_eq!(std::fs::read(howard.join("large.bin")).unwrap(), large, "what was smudged");
        assert_converged(&[&howard, &mike, &origin]);
    }

    #[test]
    fn both_change_large_files_and_the_local_commit_is_replayed() {
        let (_world, origin, [howard, mike]) = with_lfs();
        mike.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
        for name in ["a.bin", "b.bin"] {
            mike.write(name, format!("{name}, the first\n"));
        }
        gitsync(&mike).success();
        gitsync(&howard).success();
        howard.write("a.bin", "a.bin, by Howard\n");
        gitsync(&howard).success();
        mike.write("b.bin", "b.bin, by Mike\n");
        gitsync(&mike).success();
        gitsync(&howard).success();
        for clone in [&howard, &mike] {
            assert_eq!(clone.read("a.bin"), "a.bin, by Howard\n");
            assert_eq!(clone.read("b.bin"), "b.bin, by Mike\n");
        }
        for name in ["a.bin", "b.bin"] {
            assert!(uploaded(&origin, &origin.git(["show", &format!("main:{name}")])).exists());
        }
        assert_converged(&[&howard, &mike, &origin]);
    }

    #[test]
    fn a_large_file_that_the_store_has_lost_leaves_the_work_tree_as_it_was() {
        let (_world, origin, [howard, mike]) = with_lfs();
        mike.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
        mike.write("large.bin", "lost\n");
        gitsync(&mike).success();
        let lost = uploaded(&origin, &origin.git(["show", "main:large.bin"]));
        std::fs::rename(&lost, lost.with_extension("lost")).unwrap();
        let before = howard.snapshot().files;
        let output = gitsync(&howard).output();
        output.assert_code(1);
        output.assert_says("large.bin");
        assert_eq!(howard.snapshot().files, before);
        howard.assert_clean();
        std::fs::rename(lost.with_extension("lost"), &lost).unwrap();
        gitsync(&howard).success();
        assert_eq!(howard.read("large.bin"), "lost\n");
    }

    #[test]
    fn a_push_whose_large_files_cannot_be_uploaded_does_not_happen() {
        let (_world, origin, [_howard, mike]) = with_lfs();
        mike.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
        mike.write("large.bin", "large\n");
        std::fs::write(origin.join("lfs"), "in the way of the store\n").unwrap();
        let before = origin.rev("main");
        let output = gitsync(&mike).output();
        output.assert_code(1);
        output.assert_says("pre-push");
        assert_eq!(origin.rev("main"), before, "a pointer to nothing must not get there");
        std::fs::remove_file(origin.join("lfs")).unwrap();
        gitsync(&mike).success();
        assert!(uploaded(&origin, &origin.git(["show", "main:large.bin"])).exists());
    }
}
