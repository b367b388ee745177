//! Tests a repository that several users share: new files get the same modes as from git.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use std::{collections::BTreeSet, os::unix::fs::MetadataExt as _};

use run::gitsync;
use testkit::{Repo, World};

/// The modes of the folders of loose objects, of these, and of packs.
fn modes(repo: &Repo) -> [BTreeSet<u32>; 3] {
    let mut modes = [const { BTreeSet::new() }; 3];
    let [folders, files, packs] = &mut modes;
    for folder in std::fs::read_dir(repo.git_dir().join("objects")).unwrap().map(Result::unwrap) {
        let of_files = match folder.file_name().len() {
            2 => &mut *files,
            _ if folder.file_name() == "pack" => &mut *packs,
            _ => continue,
        };
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            of_files.insert(file.metadata().unwrap().mode() & 0o7777);
        }
        if folder.file_name().len() == 2 {
            folders.insert(folder.metadata().unwrap().mode() & 0o7777);
        }
    }
    modes
}

#[test]
fn objects_and_their_folders_have_the_modes_that_git_gives_them() {
    for shared in ["group", "everybody", "0640", "umask"] {
        let (_world, _origin, [git, mike, howard]) = World::with_clones(["git", "mike", "howard"]);
        // What comes in as a pack, and what is made as files.
        (0..20).for_each(|file| howard.write(&format!("theirs/{file}.md"), format!("{file}\n")));
        howard.commit_all("theirs");
        howard.push();
        for repo in [&git, &mike] {
            // No folder stays that was made before.
            repo.git(["repack", "-adq"]);
            repo.git(["config", "core.sharedRepository", shared]);
            repo.git(["config", "fetch.unpackLimit", "1"]);
        }
        for repo in [&git, &mike] {
            (0..20).for_each(|file| repo.write(&format!("ours/{file}.md"), format!("our {file}\n")));
        }
        git.git(["pull", "--quiet"]);
        git.commit_all("by git");
        gitsync(&mike).arg("--no-push").success();
        assert_eq!(modes(&mike), modes(&git), "{shared}");
    }
}
