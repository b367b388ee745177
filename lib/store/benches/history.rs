//! What lies between two commits of notes where the remote has a long history of something else, as each push finds it
//! out; and how long git takes for that, the start of its process included.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the benchmark")]

use std::sync::LazyLock;

use divan::{Bencher, black_box};
use gix::ObjectId;
use store::History;
use testkit::{Repo, World};

fn main() {
    divan::main();
}

/// How many commits the unrelated history has.
const LONG: usize = 50_000;

struct Case {
    repo: Repo,
    /// The newest commit of notes, the one before it, and the end of the long history.
    ids: [ObjectId; 3],
    _world: World,
}

static CASE: LazyLock<Case> = LazyLock::new(|| {
    let world = World::new();
    let repo = world.init("repo");
    let commit = |branch: &str, number: usize| {
        let time = 1_700_000_000 + number * 60;
        format!(
            "commit {branch}\ncommitter M <m@example.com> {time} +0000\ndata 0\nM 644 inline {}\ndata 0\n\n",
            number % 20
        )
    };
    let script: String = (0..LONG)
        .map(|number| commit("refs/heads/main", number))
        .chain((LONG..LONG + 2).map(|number| commit("refs/notes/mem/decisions", number)))
        .collect();
    repo.program("git").args(["fast-import", "--quiet"]).stdin(script).success();
    let ids = ["refs/notes/mem/decisions", "refs/notes/mem/decisions^", "refs/heads/main"]
        .map(|revision| ObjectId::from_hex(repo.rev(revision).as_bytes()).unwrap());
    Case { repo, ids, _world: world }
});

#[divan::bench]
fn ours(bencher: Bencher<'_, '_>) {
    let [tip, known, other] = CASE.ids;
    let repo = gix::open(CASE.repo.path().as_std_path()).unwrap();
    bencher.with_inputs(|| History::of(&repo)).bench_local_refs(|history| {
        let found = history.between(&repo, vec![tip], black_box(vec![known, other])).unwrap();
        assert_eq!(found.len(), 1);
    });
}

#[divan::bench]
fn git(bencher: Bencher<'_, '_>) {
    let [tip, known, other] = CASE.ids.map(|id| id.to_string());
    bencher.bench_local(|| CASE.repo.git(["rev-list", &tip, &format!("^{known}"), &format!("^{other}")]));
}
