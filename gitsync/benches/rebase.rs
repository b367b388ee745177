//! The rebase in memory, and the comparison of trees that every update begins with, on 20,000 files.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the benchmark")]

use std::fmt::Write as _;

use divan::Bencher;
use gitsync::ident::People;
use gitsync::rebase::{Outcome, Replay, Replayer, rebase};
use gitsync::signing::Signing;
use gitsync::worktree::diff::diff;
use gix::ObjectId;
use store::History;
use testkit::{Repo, World};

const FILES: usize = 20_000;
/// How many files are in a folder.
const FOLDER: usize = 100;

fn main() {
    divan::main();
}

/// Commits of one file each, on both sides, in folders of their own.
#[divan::bench(args = [10, 100])]
fn commits_in_other_folders(bencher: Bencher<'_, '_>, commits: usize) {
    replay(bencher, commits, FOLDER);
}

/// Commits of one file each, on both sides, in the same folders.
#[divan::bench(args = [10, 100])]
fn commits_in_the_same_folders(bencher: Bencher<'_, '_>, commits: usize) {
    replay(bencher, commits, 1);
}

fn replay(bencher: Bencher<'_, '_>, commits: usize, apart: usize) {
    let world = World::new();
    let repo = beginning(&world);
    for (side, name) in ["upstream", "main"].into_iter().enumerate() {
        let changes = (0..commits).map(|number| vec![(2 * number + side) * apart]);
        import(&repo, name, "refs/heads/beginning", changes);
    }
    let (repo, [onto, head]) = opened(&repo, ["upstream", "main"]);
    let people = People::of(&repo);
    let by = Replayer { committer: people.committer().unwrap(), signing: &Signing::Off };
    bencher.bench_local(|| {
        let replayed =
            rebase(&repo, &History::of(&repo), Replay { onto, upstream: onto, head }, &by, &()).unwrap();
        assert!(matches!(replayed, Outcome::Replayed(replayed) if replayed.rewritten.len() == commits));
    });
}

/// Two trees with so many files changed, all over the folders.
#[divan::bench(args = [100, 1_000])]
fn trees(bencher: Bencher<'_, '_>, changed: usize) {
    let world = World::new();
    let repo = beginning(&world);
    let change = (0..changed).map(|number| number * FILES / changed).collect();
    import(&repo, "main", "refs/heads/beginning", [change].into_iter());
    let (repo, commits) = opened(&repo, ["beginning", "main"]);
    let [from, to] = commits.map(|id| repo.find_commit(id).unwrap().tree_id().unwrap().detach());
    bencher.bench_local(|| assert_eq!(diff(&repo, from, to).unwrap().changes.len(), changed));
}

fn beginning(world: &World) -> Repo {
    let repo = world.init("mike");
    import(&repo, "beginning", "", [(0..FILES).collect()].into_iter());
    repo
}

/// Puts commits that change these files onto `from`, as the branch `name`.
fn import(repo: &Repo, name: &str, from: &str, commits: impl Iterator<Item = Vec<usize>>) {
    let mut stream = String::new();
    for (number, files) in commits.enumerate() {
        writeln!(stream, "commit refs/heads/{name}\ncommitter M <m@example.com> {number} +0000\ndata 0")
            .unwrap();
        if number == 0 && !from.is_empty() {
            writeln!(stream, "from {from}").unwrap();
        }
        for file in files {
            let (path, text) = (path(file), format!("{file} of {name}\n"));
            writeln!(stream, "M 100644 inline {path}\ndata {}\n{text}", text.len()).unwrap();
        }
    }
    repo.program("git").args(["fast-import", "--quiet"]).stdin(stream).success();
}

fn path(file: usize) -> String {
    let folder = file / FOLDER;
    format!("{}/{}/{file}.md", folder / 20, folder % 20)
}

fn opened<const N: usize>(repo: &Repo, branches: [&str; N]) -> (gix::Repository, [ObjectId; N]) {
    let ids = branches.map(|branch| ObjectId::from_hex(repo.rev(branch).as_bytes()).unwrap());
    (gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap(), ids)
}
