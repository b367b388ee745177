//! Objects that were made in memory, made part of a repository.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use common::open;
use testkit::{Repo, World};

/// Makes as many blobs in memory, and a tree and a commit of them, stores them, and gives the commit.
fn store(ours: &Repo, blobs: u32) -> String {
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
    remote::store(&repo, &drafts.objects.take_object_memory().unwrap()).unwrap();
    commit.to_string()
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
