//! Tests reading an index in place: the result is that of decoding it, and a damaged one is never believed nor fatal.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use scan::Index;
use testkit::{Repo, World};

fn open(repo: &Repo) -> gix::Repository {
    gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap()
}

fn read(repo: &Repo) -> Index {
    let gix = open(repo);
    Index::read(&gix, &gix.index_path()).unwrap()
}

/// Files in folders, one of them with a name of its own kind.
fn repo(world: &World) -> Repo {
    let repo = world.init("mike");
    for path in ["a", "b/c", "b/d/e.md", "ä/ö ü", "z"] {
        repo.write(path, path);
    }
    repo.commit_all("the beginning");
    repo
}

/// What the decoder says of an index.
fn holds_what_the_decoder_says(repo: &Repo) {
    let gix = open(repo);
    let decoded = scan::read_index(&gix, &gix.index_path()).unwrap();
    let index = read(repo);
    assert_eq!(index.len(), decoded.entries().len());
    for (at, known) in decoded.entries().iter().enumerate() {
        let entry = index.entry(at);
        assert_eq!(
            (entry.path, entry.stat, entry.mode, entry.id, entry.flags, index.stage(at)),
            (known.path(&decoded), known.stat, known.mode, known.id.as_ref(), known.flags, known.stage_raw())
        );
        assert_eq!(index.find(entry.path).is_some(), index.stage(at) == 0);
    }
    let tree = decoded.tree().filter(|tree| tree.num_entries.is_some()).map(|tree| tree.id);
    assert_eq!(index.tree(), tree);
    assert_eq!(index.timestamp(), decoded.timestamp());
    let count = |is: fn(&gix::index::Entry) -> bool| decoded.entries().iter().any(is);
    assert_eq!(index.is_unmerged(), count(|entry| entry.stage_raw() != 0));
    let left_out = count(|entry| entry.flags.contains(gix::index::entry::Flags::SKIP_WORKTREE));
    assert_eq!(index.leaves_files_out(), left_out);
    assert_eq!(index.decoded().unwrap().entries(), decoded.entries());
    assert_eq!(index.into_decoded().unwrap().entries(), decoded.entries());
}

#[test]
fn every_kind_of_index_says_the_same_taken_apart_or_not() {
    let world = World::new();
    let repo = repo(&world);
    holds_what_the_decoder_says(&repo);
    repo.write("new", "new");
    repo.git(["add", "-N", "new"]);
    holds_what_the_decoder_says(&repo);
    repo.git(["update-index", "--assume-unchanged", "a"]);
    repo.git(["update-index", "--skip-worktree", "z"]);
    holds_what_the_decoder_says(&repo);
    for version in ["4", "3", "2"] {
        repo.git(["update-index", "--index-version", version]);
        holds_what_the_decoder_says(&repo);
    }
    repo.git(["update-index", "--split-index"]);
    holds_what_the_decoder_says(&repo);
    repo.git(["update-index", "--no-split-index"]);
    repo.git(["sparse-checkout", "set", "--sparse-index", "b"]);
    holds_what_the_decoder_says(&repo);
}

#[test]
fn versions_of_a_path_that_a_merge_has_left_are_told_apart() {
    let world = World::new();
    let repo = repo(&world);
    repo.git(["checkout", "-q", "-b", "other"]);
    repo.write("b/c", "theirs");
    repo.commit_all("theirs");
    repo.git(["checkout", "-q", "main"]);
    repo.write("b/c", "ours");
    repo.commit_all("ours");
    assert_ne!(repo.try_git(["merge", "other"]).code, 0);
    assert!(read(&repo).is_unmerged());
    holds_what_the_decoder_says(&repo);
}

#[test]
fn no_index_at_all_is_an_empty_one() {
    let world = World::new();
    let repo = world.init("mike");
    assert!(read(&repo).is_empty());
    assert_eq!(read(&repo).tree(), None);
}

#[test]
fn a_damaged_index_is_an_error_or_what_the_decoder_makes_of_it() {
    let world = World::new();
    let repo = repo(&world);
    let gix = open(&repo);
    let path = gix.index_path();
    let whole = std::fs::read(&path).unwrap();
    let mut variants: Vec<Vec<u8>> = (0..whole.len()).map(|end| whole[..end].to_vec()).collect();
    for at in 0..whole.len() {
        for value in [0x00, 0x01, 0x41, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            variants.push(damaged);
        }
    }
    for damaged in variants {
        std::fs::write(&path, &damaged).unwrap();
        let Ok(index) = Index::read(&gix, &path) else { continue };
        let paths: Vec<_> = (0..index.len()).map(|at| index.entry(at).path.to_owned()).collect();
        let Ok(decoded) = index.decoded() else { continue };
        let known: Vec<_> = decoded.entries().iter().map(|entry| entry.path(decoded).to_owned()).collect();
        assert_eq!(paths, known);
    }
}

#[test]
fn a_sparse_index_is_expanded_whatever_its_files_are_called() {
    let world = World::new();
    let repo = repo(&world);
    for name in ["a*b", "aux.txt", "ends.", "ends ", "q\"uote", "back\\slash", "col:on", "new\nline"] {
        repo.write(format!("out/deep/{name}").as_str(), "1\n");
    }
    let names = |repo: &Repo| {
        let index = read(repo);
        (0..index.len()).map(|at| format!("{}\0", index.path(at))).collect::<String>()
    };
    repo.commit_all("odd names");
    repo.git(["sparse-checkout", "set", "--sparse-index", "b"]);
    assert!(repo.git(["ls-files", "--sparse"]).contains("out/\n"));
    assert_eq!(names(&repo), repo.git(["ls-files", "-z"]));
}
