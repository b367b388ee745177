//! Tests whole runs against malicious trees, since whoever may push to the remote may push any tree.
//!
//! Nothing is ever written outside of the working tree or into `.git`; the run reports what it refused, and succeeds
//! again once the tree is gone.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Repo, World, assert_converged};

const FILE: &str = "100644";
const LINK: &str = "120000";
const FOLDER: &str = "40000";

/// A tree, a blob: whatever git thinks of it.
fn object(repo: &Repo, kind: &str, data: Vec<u8>) -> String {
    let hash = repo.git_invocation().args(["hash-object", "-t", kind, "--literally", "-w", "--stdin"]);
    hash.stdin(data).success().stdout.trim().to_owned()
}

fn blob(repo: &Repo, content: &str) -> String {
    object(repo, "blob", content.into())
}

/// A tree of these entries: mode, name, id.
fn tree(repo: &Repo, entries: &[(&str, &str, &str)]) -> String {
    let mut data = Vec::new();
    for (mode, name, id) in entries {
        data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        data.extend((0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
    }
    object(repo, "tree", data)
}

/// Makes a commit of `tree` upon the beginning what the remote's branch is at.
fn publish(origin: &Repo, beginning: &str, tree: &str) {
    let commit = origin.git(["commit-tree", tree, "-p", beginning, "-m", "a present"]);
    origin.git(["update-ref", "refs/heads/main", &commit]);
}

/// What lies where nothing may ever be written: beside the work tree, and in its git directory.
fn forbidden_places(world: &World, repo: &Repo) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("config".to_owned(), std::fs::read(repo.join(".git/config")).unwrap())];
    for folder in [world.path().to_owned(), world.path().join("outside"), repo.join(".git/hooks")] {
        let mut names: Vec<_> =
            folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().path().to_string()).collect();
        names.sort();
        files.extend(names.into_iter().map(|name| (name, Vec::new())));
    }
    files
}

/// Trees that must not get to a disk, each with what the run has to name.
fn hostile_trees(world: &World, origin: &Repo) -> Vec<(String, String)> {
    let evil = blob(origin, "#!/bin/sh\necho evil\n");
    let outside = blob(origin, world.path().join("outside").as_str());
    let planted = tree(origin, &[(FILE, "planted", &evil)]);
    let hooks = tree(origin, &[("100755", "post-commit", &evil)]);
    let in_git = tree(origin, &[(FILE, "config", &evil), (FOLDER, "hooks", &hooks)]);
    let mut trees = Vec::new();
    for name in [
        ".git",
        ".GIT",
        ".gIt",
        "git~1",
        "GIT~1",
        ".git ",
        ".git.",
        ".git . .",
        ".git::$INDEX_ALLOCATION",
        ".git:stream",
        ".g\u{200c}it",
        "\u{feff}.git",
        "..",
        ".",
    ] {
        trees.push((tree(origin, &[(FOLDER, name, &in_git)]), name.to_owned()));
    }
    for name in
        ["../outside/planted", "/outside/planted", "a/../../outside/planted", ".git/config", ".git\\config"]
    {
        trees.push((tree(origin, &[(FILE, name, &evil)]), name.to_owned()));
    }
    let submodules = blob(origin, "../outside");
    trees.push((tree(origin, &[(LINK, ".gitmodules", &submodules)]), ".gitmodules".to_owned()));
    trees.push((tree(origin, &[(LINK, "a", &outside), (FOLDER, "a", &planted)]), "a".to_owned()));
    trees.push((tree(origin, &[(FILE, "twice", &evil), (FILE, "twice", &outside)]), "twice".to_owned()));
    trees.push((tree(origin, &[(FILE, &"x".repeat(300), &evil)]), "xxx".to_owned()));
    trees
}

/// The name as it is told: quoted as git quotes it, where it is not plain ASCII.
fn visible(name: &str) -> String {
    let octal = |byte: u8| if byte.is_ascii() { char::from(byte).to_string() } else { format!("\\{byte:o}") };
    name.bytes().map(octal).collect::<String>().replace(".git\\config", ".git\\\\config")
}

#[test]
fn what_was_made_to_do_harm_is_refused_by_name() {
    let (world, origin, [idle, busy]) = World::with_clones(["idle", "busy"]);
    std::fs::create_dir(world.path().join("outside")).unwrap();
    let beginning = origin.rev("main");
    let honest = origin.rev("main^{tree}");
    // One has nothing of its own and would go ahead at once, the other has a commit to be replayed.
    busy.write("mine.md", "mine\n");
    busy.commit_all("mine");
    for (tree, name) in hostile_trees(&world, &origin) {
        publish(&origin, &beginning, &tree);
        for clone in [&idle, &busy] {
            let (head, files) = (clone.head(), clone.snapshot().files);
            let places = forbidden_places(&world, clone);
            let output = gitsync(clone).output();
            assert_eq!(output.code, 1, "{name:?}: {output}");
            let error = output.document().error.unwrap();
            assert!(error.message.contains(&visible(&name)), "{name:?} is not named: {output}");
            assert!(error.help.is_some(), "no remedy: {output}");
            assert_eq!((clone.head(), clone.snapshot().files), (head, files), "{name:?}");
            assert_eq!(forbidden_places(&world, clone), places, "{name:?}");
            clone.assert_clean();
            clone.assert_unlocked();
        }
    }
    publish(&origin, &beginning, &honest);
    for clone in [&busy, &idle] {
        gitsync(clone).success();
    }
    assert_eq!(busy.log("HEAD"), ["mine", "a present", "the beginning"]);
    assert_eq!(idle.head(), busy.head());
}

#[test]
fn thousands_of_levels_are_refused() {
    let (_world, origin, [idle, busy]) = World::with_clones(["idle", "busy"]);
    let beginning = origin.rev("main");
    // As deep as git itself still serves.
    let stream = format!(
        "commit refs/heads/deep\ncommitter A <a@example.com> 0 +0000\ndata 1\nd\n\
         M 100644 inline {}f\ndata 5\ndeep\n\n",
        "dd/".repeat(2000)
    );
    origin.git_invocation().args(["fast-import", "--quiet"]).stdin(stream).success();
    publish(&origin, &beginning, &origin.rev("refs/heads/deep^{tree}"));
    origin.git(["update-ref", "-d", "refs/heads/deep"]);
    busy.write("mine.md", "mine\n");
    for clone in [&idle, &busy] {
        let output = gitsync(clone).output();
        assert_eq!(output.code, 1, "{output}");
        output.assert_says("the path is too long");
        assert!(!clone.join("dd").exists());
        clone.assert_clean();
    }
}

#[test]
fn a_link_is_never_written_through() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let outside = world.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let link = blob(&origin, outside.as_str());
    let planted = tree(&origin, &[(FILE, "planted", &blob(&origin, "evil\n"))]);
    // A link comes in, and then a folder in its place: both are honest trees.
    publish(&origin, &origin.rev("main"), &tree(&origin, &[(LINK, "a", &link)]));
    gitsync(&mike).success();
    assert!(mike.join("a").is_symlink());
    publish(&origin, &origin.rev("main"), &tree(&origin, &[(FOLDER, "a", &planted)]));
    gitsync(&mike).success();
    assert!(!mike.join("a").is_symlink());
    assert_eq!(mike.read("a/planted"), "evil\n");
    // A link of the user's own, which git does not know, where a folder is to go.
    mike.write(".git/info/exclude", "b\n");
    std::os::unix::fs::symlink(&outside, mike.join("b")).unwrap();
    publish(
        &origin,
        &origin.rev("main"),
        &tree(&origin, &[(FOLDER, "a", &planted), (FOLDER, "b", &planted)]),
    );
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("b");
    assert!(mike.join("b").is_symlink());
    assert_eq!(outside.read_dir_utf8().unwrap().count(), 0, "something was written through a link");
    std::fs::remove_file(mike.join("b")).unwrap();
    gitsync(&mike).success();
    assert_converged(&[&mike, &origin]);
}
