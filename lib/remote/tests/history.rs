//! Walks through a history that are made more than once, and what may have changed in between.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use common::{id, open};
use remote::History;
use testkit::World;

#[test]
fn the_same_question_has_the_same_answer_and_another_one_its_own() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    let commits: Vec<String> = (0..4)
        .map(|number| {
            ours.write("file", number.to_string());
            ours.commit_all("one more")
        })
        .collect();
    let repo = open(&ours);
    let history = History::of(&repo);
    let at = |number: usize| id(&commits[number]);
    let between = |tip: usize, hidden: usize| -> Vec<_> {
        let found = history.between(&repo, vec![at(tip)], vec![at(hidden)]).unwrap();
        found.iter().map(|commit| commit.id).collect()
    };
    for _ in 0..2 {
        assert_eq!(between(3, 1), [at(3), at(2)]);
        assert_eq!(between(3, 2), [at(3)]);
        assert_eq!(between(2, 1), [at(2)]);
        assert!(between(1, 3).is_empty());
        assert_eq!(history.base(&repo, at(3), at(1)).unwrap(), Some(at(1)));
        assert_eq!(history.base(&repo, at(2), at(3)).unwrap(), Some(at(2)));
    }
}

#[test]
fn a_history_that_was_cut_off_and_goes_on_later_is_walked_anew() {
    let (world, remote, [theirs]) = World::with_clones(["theirs"]);
    for number in 0..5 {
        theirs.write("file", number.to_string());
        theirs.commit_all("one more");
    }
    theirs.push();
    let ours = world.init("ours");
    let url = format!("file://{}", remote.path());
    ours.git(["fetch", "-q", "--depth=2", &url, "main:refs/heads/theirs"]);
    let tip = id(&ours.rev("refs/heads/theirs"));
    let (repo, count) = (open(&ours), ours.try_git(["rev-list", "--count", "refs/heads/theirs"]).stdout);
    assert_eq!(count.trim(), "2");
    let history = History::of(&repo);
    let all = |repo: &gix::Repository| history.between(repo, vec![tip], Vec::new()).unwrap().len();
    assert_eq!((all(&repo), all(&repo)), (2, 2));
    ours.git(["fetch", "-q", "--unshallow", &url, "main"]);
    let count: usize = ours.git(["rev-list", "--count", "refs/heads/theirs"]).trim().parse().unwrap();
    assert!(count > 5);
    assert_eq!(all(&open(&ours)), count);
}
