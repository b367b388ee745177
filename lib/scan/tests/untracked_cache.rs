//! Tests that remembered directories are not read again, and that no later change in them is missed.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]
#![cfg(target_os = "linux")]

use std::time::Duration;

use proptest::prelude::*;
use scan::{Everything, Interest, Scanned, Status};
use testkit::{Repo, World};

/// As many folders as make a memory worth keeping.
const FOLDERS: usize = 80;

/// Files in folders of their own, with a memory of them. Where the folder for temporary files is in a file system that
/// cannot be relied upon, they are in memory.
fn remembered() -> (World, Repo) {
    for world in [World::new(), World::in_memory()] {
        if let Some(repo) = remembered_in(&world) {
            return (world, repo);
        }
    }
    panic!("memory is relied upon");
}

fn remembered_in(world: &World) -> Option<Repo> {
    let repo = world.init("mike");
    for number in 0..FOLDERS {
        repo.write(&format!("d/{number}/file.md"), "1\n");
    }
    repo.write(".gitignore", "*.tmp\n");
    repo.commit_all("the beginning");
    // Folders that changed within the last seconds are not remembered.
    std::thread::sleep(Duration::from_secs(4));
    scan(&repo, &Everything).learnt?.write().unwrap();
    assert!(scan(&repo, &Everything).learnt.is_none(), "nothing was new the second time");
    Some(repo)
}

fn scan(repo: &Repo, interest: &dyn Interest) -> Scanned {
    let gix = gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap();
    let index = scan::Index::read(&gix, &gix.index_path()).unwrap();
    scan::scan(&gix, &index, interest, &|_| ()).unwrap()
}

/// What the scan says that is no matter of content.
fn told(repo: &Repo, interest: &dyn Interest) -> Vec<String> {
    let state = |seen| match seen {
        Status::Untracked | Status::EmbeddedRepository => Some("?"),
        Status::Deleted => Some("D"),
        Status::Unmerged => Some("U"),
        Status::MaybeModified(_) => None,
    };
    let found = scan(repo, interest).differences;
    found.iter().filter_map(|one| Some(format!("{} {}", state(one.seen)?, one.path))).collect()
}

/// New files are of interest where they are called so, and tracked ones never.
struct Logs;

impl Interest for Logs {
    fn in_folder(&self, path: &gix::bstr::BStr) -> bool {
        path.ends_with(b"logs")
    }
}

#[derive(Debug, Clone)]
enum Deed {
    Create(usize, &'static str),
    Remove(usize),
    Rename(usize, usize),
    ReplaceFolder(usize),
    ReplaceByLink(usize, usize),
    Untrack(usize),
    Ignore,
}

fn deed() -> impl Strategy<Value = Deed> {
    let folder = || 0..6_usize;
    prop_oneof![
        3 => (folder(), prop::sample::select(vec!["new.md", "x.tmp", "logs/a.md", "FILE.md"]))
            .prop_map(|(folder, name)| Deed::Create(folder, name)),
        2 => folder().prop_map(Deed::Remove),
        2 => (folder(), folder()).prop_map(|(from, to)| Deed::Rename(from, to)),
        1 => folder().prop_map(Deed::ReplaceFolder),
        1 => (folder(), folder()).prop_map(|(at, to)| Deed::ReplaceByLink(at, to)),
        2 => folder().prop_map(Deed::Untrack),
        1 => Just(Deed::Ignore),
    ]
}

fn act(repo: &Repo, deed: &Deed) {
    let folder = |number: usize| repo.join(&format!("d/{number}"));
    match deed {
        Deed::Create(number, name) if folder(*number).is_dir() => {
            repo.write(&format!("d/{number}/{name}"), "2\n")
        }
        Deed::Create(..) => {}
        Deed::Remove(number) => drop(std::fs::remove_file(folder(*number).join("file.md"))),
        Deed::Rename(from, to) => {
            let _ = std::fs::rename(folder(*from), folder(*to).join("moved"));
        }
        Deed::ReplaceFolder(number) => {
            let _ = std::fs::remove_dir_all(folder(*number));
            repo.write(&format!("d/{number}/other.md"), "3\n");
        }
        Deed::ReplaceByLink(number, to) => {
            let _ = std::fs::remove_dir_all(folder(*number));
            let _ = std::os::unix::fs::symlink(folder(*to), folder(*number));
        }
        Deed::Untrack(number) => {
            drop(repo.try_git(["rm", "--quiet", "--cached", "--", &format!("d/{number}/file.md")]));
        }
        Deed::Ignore => repo.write(".gitignore", "file.md\n"),
    }
}

#[test]
fn whatever_is_done_to_folders_that_are_remembered_is_seen() {
    let (_world, first) = remembered();
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    let mut number = 0;
    let scene = std::cell::RefCell::new(&mut number);
    proptest::test_runner::TestRunner::new(config)
        .run(&prop::collection::vec(deed(), 1..8), |deeds| {
            // What was done stays: each case goes on from where the last one ended, with the same memory.
            **scene.borrow_mut() += 1;
            for deed in &deeds {
                act(&first, deed);
            }
            for interest in [&Everything as &dyn Interest, &Logs] {
                let with = told(&first, interest);
                let memory = first.git_dir().join("lockstep-folders");
                let aside = memory.with_extension("aside");
                std::fs::rename(&memory, &aside).unwrap();
                let without = told(&first, interest);
                std::fs::rename(&aside, &memory).unwrap();
                prop_assert_eq!(with, without);
            }
            Ok(())
        })
        .unwrap();
    assert!(number > 0);
}

#[test]
fn a_folder_that_is_touched_back_to_its_old_time_is_read_again() {
    let (_world, repo) = remembered();
    let folder = std::fs::File::open(repo.join("d/7")).unwrap();
    let before = folder.metadata().unwrap().modified().unwrap();
    repo.write("d/7/new.md", "2\n");
    folder.set_modified(before).unwrap();
    assert_eq!(told(&repo, &Everything), ["? d/7/new.md"]);
}

#[test]
fn a_memory_that_is_damaged_or_unwanted_is_none() {
    let (_world, repo) = remembered();
    let path = repo.git_dir().join("lockstep-folders");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(scan(&repo, &Everything).learnt.is_some(), "it is made anew");
    repo.git(["config", "core.untrackedCache", "false"]);
    assert!(scan(&repo, &Everything).learnt.is_none());
    assert_eq!(told(&repo, &Everything), Vec::<String>::new());
}
