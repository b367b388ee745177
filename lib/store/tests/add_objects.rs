//! Tests writing objects from memory to a repository.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use std::path::PathBuf;

use common::open;
use store::PackKeep;
use testkit::{Repo, World};

/// Makes as many blobs in memory, and a tree and a commit of them, stores them, and gives the commit.
fn store(ours: &Repo, blobs: u32) -> String {
    stored(ours, blobs).0
}

/// The same, and what holds them.
fn stored(ours: &Repo, blobs: u32) -> (String, PackKeep) {
    let repo = open(ours);
    let mut drafts = repo.clone().with_object_memory();
    let mut tree = gix::objs::Tree::empty();
    for n in 0..blobs {
        let oid = drafts.write_blob(format!("blob {n} of {blobs}")).unwrap().detach();
        let mode = gix::objs::tree::EntryKind::Blob.into();
        tree.entries.push(gix::objs::tree::Entry { mode, filename: format!("{n:05}").into(), oid });
    }
    let tree = drafts.write_object(&tree).unwrap().detach();
    let who =
        gix::actor::Signature { name: "a".into(), email: "a@b".into(), time: gix::date::Time::new(1, 0) };
    let commit = gix::objs::Commit {
        tree,
        parents: Default::default(),
        author: who.clone(),
        committer: who,
        encoding: None,
        message: "made in memory\n".into(),
        extra_headers: Vec::new(),
    };
    let commit = drafts.write_object(&commit).unwrap().detach();
    let (_, held) = store::add_objects(&repo, drafts.objects.take_object_memory().unwrap()).unwrap();
    (commit.to_string(), held)
}

fn count(repo: &Repo, what: &str) -> u32 {
    let counted = repo.git(["count-objects", "-v"]);
    let line = counted.lines().find_map(|line| line.strip_prefix(&format!("{what}: "))).unwrap();
    line.parse().unwrap()
}

#[test]
fn few_objects_become_files_and_many_one_pack() {
    let world = World::new();
    let ours = world.init("ours");
    let few = store(&ours, 3);
    assert_eq!((count(&ours, "count"), count(&ours, "in-pack")), (5, 0));
    let many = store(&ours, 500);
    assert_eq!((count(&ours, "count"), count(&ours, "in-pack"), count(&ours, "packs")), (5, 502, 1));
    ours.git(["update-ref", "refs/heads/few", &few]);
    ours.git(["update-ref", "refs/heads/many", &many]);
    ours.git(["fsck", "--strict"]);
    // The same once more is no news.
    store(&ours, 500);
    assert_eq!((count(&ours, "count"), count(&ours, "packs")), (5, 1));
}

#[test]
fn nobody_repacks_away_what_is_held_until_a_ref_leads_there() {
    let world = World::new();
    let ours = world.init("ours");
    let (new, held) = stored(&ours, 500);
    ours.git(["repack", "-a", "-d", "-q"]);
    ours.git(["gc", "--prune=now", "--quiet"]);
    ours.git(["update-ref", "refs/heads/new", &new]);
    drop(held);
    ours.git(["repack", "-a", "-d", "-q"]);
    ours.git(["fsck", "--strict"]);
    assert_eq!((count(&ours, "in-pack"), count(&ours, "packs")), (502, 1));
}

/// The files that hold packs.
fn keeps(ours: &Repo) -> Vec<PathBuf> {
    let all = ours.common_dir().join("objects/pack").read_dir_utf8().unwrap();
    let all = all.map(|entry| entry.unwrap().into_path().into_std_path_buf());
    all.filter(|path| path.extension().is_some_and(|end| end == "keep")).collect()
}

/// Has the same objects written once more.
fn remove_packs(ours: &Repo) {
    for file in ours.common_dir().join("objects/pack").read_dir_utf8().unwrap() {
        let path = file.unwrap().into_path();
        if matches!(path.extension(), Some("pack" | "idx")) {
            std::fs::remove_file(path).unwrap();
        }
    }
}

fn remove_stale_packs(ours: &Repo) {
    store::remove_stale_packs(ours.common_dir().join("objects").as_std_path());
}

#[test]
fn what_the_dead_held_is_let_go_and_what_others_hold_stays() {
    let world = World::new();
    let ours = world.init("ours");
    let (_, held) = stored(&ours, 500);
    remove_stale_packs(&ours);
    let [keep] = &keeps(&ours)[..] else { panic!("it is held: {:?}", keeps(&ours)) };
    let text = std::fs::read(keep).unwrap();
    let by_hand = keep.with_file_name("pack-1.keep");
    std::fs::write(&by_hand, "").unwrap();
    drop(held);
    assert_eq!(keeps(&ours), std::slice::from_ref(&by_hand));
    std::fs::write(keep, text).unwrap();
    remove_stale_packs(&ours);
    assert_eq!(keeps(&ours), [by_hand]);
}

#[test]
fn a_pack_is_held_until_the_last_of_several_lets_go() {
    let world = World::new();
    let ours = world.init("ours");
    let (_, first) = stored(&ours, 500);
    remove_packs(&ours);
    let (_, second) = stored(&ours, 500);
    for held in [first, second] {
        remove_stale_packs(&ours);
        assert_eq!(keeps(&ours).len(), 1);
        drop(held);
    }
    assert_eq!(keeps(&ours).len(), 0);
}

#[test]
fn what_a_dead_process_held_is_held_anew_by_whoever_needs_it() {
    let world = World::new();
    let ours = world.init("ours");
    let (_, held) = stored(&ours, 500);
    let keep = keeps(&ours).pop().unwrap();
    let text = std::fs::read(&keep).unwrap();
    drop(held);
    std::fs::write(&keep, text).unwrap();
    remove_packs(&ours);
    let (_, held) = stored(&ours, 500);
    remove_stale_packs(&ours);
    assert_eq!(keeps(&ours).len(), 1, "it is not the dead one's any more");
    drop(held);
    assert_eq!(keeps(&ours).len(), 0);
}
