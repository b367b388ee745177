//! Tests that existing objects are not written again, but freshened so that `git gc` does not prune them.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::fs::File;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use common::{repo_with, stage_all};
use testkit::{Repo, World};

const DAY: Duration = Duration::from_secs(60 * 60 * 24);

/// Takes the file back to the time of which git keeps nothing that no ref leads to.
fn age(path: &Utf8Path) {
    File::open(path).unwrap().set_modified(SystemTime::now() - DAY * 30).unwrap();
}

fn is_young(path: &Utf8Path) -> bool {
    let modified = path.metadata().unwrap().modified().unwrap();
    modified > SystemTime::now() - DAY
}

/// A repository with a file `b` that was staged, is not any more, and lies there; and where its object is.
fn taken_back(world: &World) -> (Repo, Utf8PathBuf) {
    let repo = repo_with(world, &[("a", "1\n")]);
    repo.write("b", "taken back\n");
    repo.git(["add", "b"]);
    let id = repo.git(["rev-parse", ":b"]);
    repo.git(["rm", "--quiet", "--cached", "b"]);
    let file = repo.git_dir().join("objects").join(&id[..2]).join(&id[2..]);
    age(&file);
    (repo, file)
}

#[test]
fn a_file_of_an_object_becomes_young() {
    let world = World::new();
    let (repo, file) = taken_back(&world);
    stage_all(&repo).ok().unwrap();
    assert!(is_young(&file));
}

#[test]
fn a_pack_becomes_young() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.write("b", "taken back\n");
    repo.commit_all("it is there");
    repo.git(["repack", "-a", "-d", "--quiet"]);
    repo.git(["reset", "--quiet", "--soft", "HEAD~1"]);
    repo.git(["rm", "--quiet", "--cached", "b"]);
    let packs = repo.git_dir().join("objects/pack").read_dir_utf8().unwrap();
    let pack = packs.map(|file| file.unwrap().into_path()).find(|path| path.extension() == Some("pack"));
    let pack = pack.unwrap();
    age(&pack);
    stage_all(&repo).ok().unwrap();
    assert!(is_young(&pack));
}

#[test]
fn what_is_in_a_cruft_pack_is_written_once_more() {
    let world = World::new();
    let (repo, file) = taken_back(&world);
    repo.git(["repack", "--cruft", "-d", "--quiet"]);
    assert!(!file.exists());
    stage_all(&repo).ok().unwrap();
    assert!(file.exists());
}

#[test]
fn an_object_whose_file_a_power_cut_left_empty_is_written_again() {
    let world = World::new();
    let (repo, file) = taken_back(&world);
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    let staged = stage_all(&repo).ok().unwrap();
    assert_eq!(repo.git(["show", &format!("{}:b", staged.tree)]), "taken back");
}

#[test]
fn an_object_whose_file_a_power_cut_left_half_is_written_again() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let lines: String = (0..2000_u32).map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761))).collect();
    repo.write("b", &lines);
    repo.git(["add", "b"]);
    let id = repo.git(["rev-parse", ":b"]);
    repo.git(["rm", "--quiet", "--cached", "b"]);
    let file = repo.git_dir().join("objects").join(&id[..2]).join(&id[2..]);
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let staged = stage_all(&repo).ok().unwrap();
    assert_eq!(repo.git(["show", &format!("{}:b", staged.tree)]), lines.trim_end());
}

#[test]
fn an_object_gets_its_name_when_it_is_flushed_and_not_before() {
    use gitsync::stage::sink::{Loose, Sink as _};
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let gix = common::open(&repo);
    let mut sink = Loose::new(&gix);
    let small = sink.put(gix::objs::Kind::Blob, b"small\n").unwrap();
    let large = sink.put_stream(gix::objs::Kind::Blob, 6, &mut &b"large\n"[..]).unwrap();
    let is_there = |id: &gix::ObjectId| repo.try_git(["cat-file", "-e", &id.to_string()]).code == 0;
    for id in [small, large] {
        assert!(!is_there(&id) && sink.holds(&id));
    }
    sink.sync().unwrap();
    assert!(is_there(&small) && is_there(&large));
    repo.git(["fsck", "--strict"]);
    let left = std::fs::read_dir(repo.git_dir().join("objects")).unwrap();
    let left = left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("tmp_"));
    assert_eq!(left.count(), 0);
}
