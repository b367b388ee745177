//! Tests generated messy repositories: the engine stages what `git add -A` stages.
//!
//! Each case is a list of small actions done with git and the file system. Compared with git are the tree, every
//! index entry with its flags, and the output of `git status` afterwards.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::os::unix::fs::symlink;

use common::{stage_all, twin};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use testkit::{Repo, World};

/// Names that are easily confused, sorted oddly, or awkward to quote; some are folders in one deed and files in
/// another.
const NAMES: [&str; 14] = [
    "a",
    "a/b",
    "a/b/c",
    "a.txt",
    "a-b",
    "d/x.txt",
    "d/y.bin",
    "d/e/z",
    "sp ace",
    "qu\"ote",
    "ü/ñ",
    "new\nline",
    "x.up",
    "A",
];

#[derive(Debug, Clone)]
enum Deed {
    Write(usize, Text),
    Remove(usize),
    Link(usize, usize),
    Folder(usize),
    Executable(usize, bool),
    Commit,
    Add(usize),
    IntendToAdd(usize),
    RemoveFromIndex(usize),
    AssumeUnchanged(usize),
    SkipWorktree(usize),
    Attributes(usize),
    Ignore(usize),
    Config(usize),
    Nested(usize),
    Sparse(bool),
    SplitIndex,
}

#[derive(Debug, Clone)]
enum Text {
    Empty,
    Lines(u8),
    Windows(u8),
    Mixed(u8),
    Binary(u8),
    Ident,
}

impl Text {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Text::Empty => Vec::new(),
            Text::Lines(n) => format!("one {n}\ntwo\n").into(),
            Text::Windows(n) => format!("one {n}\r\ntwo\r\n").into(),
            Text::Mixed(n) => format!("one {n}\r\ntwo\nthree\r").into(),
            Text::Binary(n) => vec![*n, 0, b'\r', b'\n', 0xff],
            Text::Ident => b"$Id: x$ and $Id$\n".to_vec(),
        }
    }
}

const ATTRIBUTES: [&str; 8] = [
    "*.txt text\n",
    "* text=auto\n",
    "*.txt eol=crlf\n*.bin -text\n",
    "* text=auto eol=lf\n",
    "* ident\n",
    "*.up filter=upper\n",
    "*.txt working-tree-encoding=latin-1\n",
    "[attr]mine text eol=crlf\nd/* mine\n",
];
const IGNORES: [&str; 5] = ["*.txt\n", "d/\n", "/a\n!a/b\n", "*\n!*/\n!*.up\n", "x*\n"];
const SETTINGS: [(&str, &str); 6] = [
    ("core.autocrlf", "true"),
    ("core.autocrlf", "input"),
    ("core.fileMode", "false"),
    ("core.symlinks", "false"),
    ("core.eol", "crlf"),
    ("core.safecrlf", "false"),
];

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let name = || 0..NAMES.len();
    let text = prop_oneof![
        1 => Just(Text::Empty),
        4 => any::<u8>().prop_map(Text::Lines),
        3 => any::<u8>().prop_map(Text::Windows),
        1 => any::<u8>().prop_map(Text::Mixed),
        1 => any::<u8>().prop_map(Text::Binary),
        1 => Just(Text::Ident),
    ];
    let deed = prop_oneof![
        12 => (name(), text).prop_map(|(name, text)| Deed::Write(name, text)),
        4 => name().prop_map(Deed::Remove),
        2 => (name(), name()).prop_map(|(name, to)| Deed::Link(name, to)),
        1 => name().prop_map(Deed::Folder),
        2 => (name(), any::<bool>()).prop_map(|(name, on)| Deed::Executable(name, on)),
        4 => Just(Deed::Commit),
        2 => name().prop_map(Deed::Add),
        1 => name().prop_map(Deed::IntendToAdd),
        1 => name().prop_map(Deed::RemoveFromIndex),
        1 => name().prop_map(Deed::AssumeUnchanged),
        1 => name().prop_map(Deed::SkipWorktree),
        2 => (0..ATTRIBUTES.len()).prop_map(Deed::Attributes),
        1 => (0..IGNORES.len()).prop_map(Deed::Ignore),
        2 => (0..SETTINGS.len()).prop_map(Deed::Config),
        1 => name().prop_map(Deed::Nested),
        1 => any::<bool>().prop_map(Deed::Sparse),
        1 => Just(Deed::SplitIndex),
    ];
    prop::collection::vec(deed, 3..24)
}

/// Do it, if it can be done as things are.
fn act(world: &World, repo: &Repo, deed: &Deed) {
    let path = |name: &usize| repo.join(NAMES[*name]);
    let git = |args: &[&str]| drop(repo.try_git(args.iter().copied()));
    match deed {
        Deed::Write(name, text) => {
            clear(repo, NAMES[*name]);
            repo.write(NAMES[*name], text.bytes());
        }
        Deed::Remove(name) => remove(&path(name)),
        Deed::Link(name, to) => {
            clear(repo, NAMES[*name]);
            remove(&path(name));
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            symlink(NAMES[*to], path(name)).unwrap();
        }
        Deed::Folder(name) => {
            clear(repo, NAMES[*name]);
            remove(&path(name));
            std::fs::create_dir_all(path(name)).unwrap();
        }
        Deed::Executable(name, on) => {
            if std::fs::symlink_metadata(path(name)).is_ok_and(|meta| meta.is_file()) {
                repo.set_executable(NAMES[*name], *on);
            }
        }
        Deed::Commit => {
            git(&["add", "--all"]);
            git(&["commit", "--quiet", "--allow-empty", "--message", "a commit"]);
        }
        Deed::Add(name) => git(&["add", "--force", "--", NAMES[*name]]),
        Deed::IntendToAdd(name) => git(&["add", "--force", "--intent-to-add", "--", NAMES[*name]]),
        Deed::RemoveFromIndex(name) => {
            git(&["rm", "--quiet", "-r", "--force", "--cached", "--", NAMES[*name]])
        }
        Deed::AssumeUnchanged(name) => git(&["update-index", "--assume-unchanged", "--", NAMES[*name]]),
        Deed::SkipWorktree(name) => git(&["update-index", "--skip-worktree", "--", NAMES[*name]]),
        Deed::Attributes(number) => repo.write(".gitattributes", ATTRIBUTES[*number]),
        Deed::Ignore(number) => repo.write(".gitignore", IGNORES[*number]),
        Deed::Config(number) => git(&["config", SETTINGS[*number].0, SETTINGS[*number].1]),
        Deed::Nested(name) => {
            clear(repo, NAMES[*name]);
            remove(&path(name));
            std::fs::create_dir_all(path(name)).unwrap();
            let nested = world.repo(path(name));
            nested.git(["init", "--quiet"]);
            nested.write("inside", "1\n");
            nested.commit_all("nested");
        }
        Deed::Sparse(cone) => {
            git(&["sparse-checkout", "set", if *cone { "--cone" } else { "--no-cone" }, "d"])
        }
        Deed::SplitIndex => git(&["update-index", "--split-index"]),
    }
}

/// Take whatever is no folder out of the way to `name`, and a folder at `name` itself.
fn clear(repo: &Repo, name: &str) {
    for (at, _) in name.match_indices('/') {
        let parent = repo.join(&name[..at]);
        if std::fs::symlink_metadata(&parent).is_ok_and(|meta| !meta.is_dir()) {
            remove(&parent);
        }
    }
    let path = repo.join(name);
    if std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir() || meta.is_symlink()) {
        remove(&path);
    }
}

fn remove(path: &camino::Utf8Path) {
    let is_folder = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
    let _ = if is_folder { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}

#[test]
fn whatever_was_done_to_a_repository_is_staged_as_git_stages_it() {
    let cases = std::env::var("LOCKSTEP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(16);
    let persistence = FileFailurePersistence::Off;
    let config = Config {
        cases,
        max_shrink_iters: 200,
        failure_persistence: Some(Box::new(persistence)),
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&deeds(), |deeds| {
            let world = World::new();
            let repo = world.init("mike");
            repo.git(["config", "filter.upper.clean", "tr a-z A-Z"]);
            // What is left of stat data survives the copy: git and the engine doubt the same files.
            repo.git(["config", "core.checkStat", "minimal"]);
            repo.git(["config", "core.trustctime", "false"]);
            repo.git(["config", "advice.addEmbeddedRepo", "false"]);
            for deed in &deeds {
                act(&world, &repo, deed);
            }
            let twin = twin(&world, &repo);
            let judge = twin.try_git(["add", "--all"]);
            let staged = stage_all(&repo);
            // Where git gives up, so must we; but git also counts it as a failure that it left out sparse paths.
            let is_sparse = judge.stderr.contains("sparse");
            if judge.code != 0 && !is_sparse {
                prop_assert!(staged.is_err(), "git refused: {}", judge.stderr);
                return Ok(());
            }
            let staged = match staged {
                Ok(staged) => staged,
                Err(refused) => {
                    prop_assert!(false, "refused: {}", refused[0]);
                    unreachable!()
                }
            };
            for args in [
                ["ls-files", "--stage"].as_slice(),
                ["ls-files", "-t", "-v"].as_slice(),
                ["status", "--porcelain", "--untracked-files=all"].as_slice(),
                ["write-tree"].as_slice(),
            ] {
                let (ours, gits) = (repo.git(args.iter().copied()), twin.git(args.iter().copied()));
                prop_assert!(ours == gits, "git {}\n--- ours\n{ours}\n--- git's\n{gits}", args.join(" "));
            }
            prop_assert_eq!(repo.git(["write-tree"]), staged.tree);
            Ok(())
        })
        .unwrap();
}
