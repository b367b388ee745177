//! Tests that commits with invalid dates, or without a message, are replayed and reported like any others.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Repo, Sections as _, World};

const ODD: [&str; 5] = ["100 +9999", "100 +051800", "100 -9999", "99999999999999999999 +0000", "-1 +0000"];

/// Commits `path`, with this author's line.
fn commit(repo: &Repo, path: &str, author: &str) -> String {
    commit_ending(repo, path, author, &format!("\n{path}\n"))
}

/// The same, with all that comes after the headers.
fn commit_ending(repo: &Repo, path: &str, author: &str, end: &str) -> String {
    repo.write(path, path);
    repo.git(["add", "--all"]);
    let (tree, parent) = (repo.git(["write-tree"]), repo.head());
    let object = format!(
        "tree {tree}\nparent {parent}\nauthor {author}\ncommitter Mike <mike@example.com> {}\n{end}",
        author.rsplit("> ").next().unwrap()
    );
    repo.write(".git/new-commit", object);
    let id = repo.git(["hash-object", "-t", "commit", "-w", "--literally", ".git/new-commit"]);
    repo.git(["update-ref", "HEAD", &id]);
    id
}

fn authors(repo: &Repo, range: &str) -> Vec<String> {
    let ids = repo.git(["rev-list", "--topo-order", "--reverse", range]);
    let author = |id: &str| {
        let object = repo.git(["cat-file", "commit", id]);
        object.lines().find_map(|line| line.strip_prefix("author ")).unwrap().to_owned()
    };
    ids.lines().map(author).collect()
}

#[test]
fn the_line_of_the_author_is_kept_as_git_keeps_it() {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs.md", "theirs\n");
    gitsync(&howard).success();
    let mut lines: Vec<_> = ODD.iter().map(|date| format!("Ann <ann@example.com> {date}")).collect();
    lines.push("  Ann   B.  < ann@example.com > 100 +0000".into());
    for (number, line) in lines.iter().enumerate() {
        commit(&mike, &format!("{number}.md"), line);
    }
    world.program("cp").args(["-a", mike.path().as_str(), world.path().join("git").as_str()]).success();
    let git = world.repo(world.path().join("git"));
    git.git(["pull", "--quiet", "--rebase"]);
    let output = gitsync(&mike).success();
    assert_eq!(authors(&mike, "HEAD~6..HEAD"), authors(&git, "HEAD~6..HEAD"));
    assert_eq!(output.document().main().pushed.as_ref().unwrap().count, 6);
}

#[test]
fn what_comes_in_with_such_dates_is_told() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for (number, date) in ODD.iter().enumerate() {
        commit(&howard, &format!("{number}.md"), &format!("Ann <ann@example.com> {date}"));
    }
    howard.push();
    let output = gitsync(&mike).success();
    let document = output.document();
    let pulled = document.main().pulled.as_ref().unwrap();
    assert_eq!(pulled.authors, ["Ann"]);
    assert_eq!(pulled.commits[4].time, "1970-01-01T00:01:40+00:00");
}

#[test]
fn commits_that_end_after_their_headers_come_in_and_go_out() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let theirs = commit_ending(&howard, "theirs.md", "Ann <ann@example.com> 100 +0000", "");
    howard.push();
    let ours = commit_ending(&mike, "ours.md", "Mike <mike@example.com> 100 +0000", "");
    mike.git(["fsck", "--strict", &ours]);
    let output = gitsync(&mike).success();
    let document = output.document();
    let pulled = &document.main().pulled.as_ref().unwrap().commits;
    assert_eq!((pulled[0].id.as_str(), pulled[0].summary.as_str()), (theirs.as_str(), ""));
    assert_eq!(document.main().pushed.as_ref().unwrap().count, 1);
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(mike.rev("HEAD~1"), theirs);
}
