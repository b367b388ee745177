//! Tests trees whose modes are written as old tools wrote them: they mean the same as in git; new trees have git's.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Repo, Sections as _, World};

/// Commits the index with its modes as old tools wrote them.
fn commit_oddly(repo: &Repo, message: &str) {
    repo.git(["add", "--all"]);
    let tree = repo.git(["write-tree"]);
    let tree = odd_tree(repo, &tree);
    let id = repo.git(["commit-tree", "-p", "HEAD", "-m", message, &tree]);
    repo.git(["update-ref", "HEAD", &id]);
}

fn odd_tree(repo: &Repo, tree: &str) -> String {
    let mut object = Vec::new();
    for line in repo.git(["ls-tree", tree]).lines() {
        let (entry, name) = line.split_once('\t').unwrap();
        let [mode, kind, id] = entry.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let id = if kind == "tree" { odd_tree(repo, id) } else { id.to_owned() };
        let mode = if mode == "100644" { "100664" } else { mode };
        object.extend(format!("{mode} {name}\0").bytes());
        object.extend(gix::ObjectId::from_hex(id.as_bytes()).unwrap().as_bytes());
    }
    repo.write(".git/new-tree", object);
    repo.git(["hash-object", "-t", "tree", "-w", "--literally", ".git/new-tree"])
}

/// Two clones of a history whose newest commit has such modes.
fn clones() -> (World, Repo, [Repo; 2]) {
    let (world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for path in ["one/a.md", "one/b.md", "two/deep/c.md"] {
        howard.write(path, "1\n2\n3\n4\n5\n6\n7\n");
    }
    commit_oddly(&howard, "as of old");
    howard.push();
    mike.pull();
    (world, origin, [howard, mike])
}

/// What is wrong with the trees of `HEAD`.
fn complaints(repo: &Repo) -> String {
    let trees = repo.git(["ls-tree", "-r", "-t", "--format=%(objecttype) %(objectname)", "HEAD"]);
    let trees = trees.lines().filter_map(|line| line.strip_prefix("tree ")).map(str::to_owned);
    let all: Vec<_> = trees.chain([repo.rev("HEAD^{tree}")]).collect();
    let fsck = repo.try_git(["fsck", "--strict", "--no-dangling", "--no-progress"]).stderr;
    fsck.lines().filter(|line| all.iter().any(|tree| line.contains(tree))).collect::<Vec<_>>().join("\n")
}

#[test]
fn where_nothing_has_changed_nothing_is_committed() {
    let (_world, _origin, [_howard, mike]) = clones();
    mike.assert_clean();
    let before = mike.head();
    for _ in 0..2 {
        let output = gitsync(&mike).success();
        assert_eq!(output.document().main().committed, None);
        assert_eq!(mike.head(), before);
    }
}

#[test]
fn a_commit_counts_what_has_changed_alone() {
    let (_world, _origin, [_howard, mike]) = clones();
    mike.write("one/a.md", "other\n");
    let output = gitsync(&mike).success();
    let committed = output.document().main().committed.clone().unwrap();
    assert_eq!((committed.added, committed.modified, committed.deleted), (0, 1, 0));
}

#[test]
fn what_is_replayed_onto_such_a_commit_has_the_modes_of_git() {
    let (_world, origin, [howard, mike]) = clones();
    howard.write("one/theirs.md", "theirs\n");
    howard.write("two/deep/c.md", "theirs\n2\n3\n4\n5\n6\n7\n");
    commit_oddly(&howard, "as of old, again");
    howard.push();
    origin.git(["config", "receive.fsckObjects", "true"]);
    // Merged as entries, and as lines.
    mike.write("one/a.md", "ours\n");
    mike.commit_all("ours");
    mike.write("two/deep/c.md", "1\n2\n3\n4\n5\n6\nours\n");
    mike.commit_all("ours, by lines");
    gitsync(&mike).success();
    assert_eq!(complaints(&mike), "");
    assert_eq!(mike.read("two/deep/c.md"), "theirs\n2\n3\n4\n5\n6\nours\n");
    assert_eq!(mike.git(["diff", "--name-only", "origin/main~2", "HEAD"]), "one/a.md\ntwo/deep/c.md");
    mike.assert_clean();
}

#[test]
fn a_commit_that_such_a_commit_has_already_is_dropped() {
    let (_world, _origin, [howard, mike]) = clones();
    for (repo, more) in [(&howard, "and theirs\n"), (&mike, "")] {
        repo.write("one/a.md", "alike\n");
        repo.write("one/b.md", format!("alike\n2\n3\n4\n5\n6\n7\n{more}"));
    }
    commit_oddly(&howard, "alike");
    howard.push();
    mike.commit_all("alike");
    gitsync(&mike).success();
    assert_eq!(mike.head(), howard.head());
}
