//! Tests history walks that are repeated after something may have changed.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{id, open};
use gix::ObjectId;
use store::History;
use testkit::{Repo, World};

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

/// A history of `commits`, each with one or two parents among those before it: their ids, and the parents' numbers. The
/// clock goes on by what `tick` says.
fn tangle(repo: &Repo, commits: usize, random: &mut Random, tick: &dyn Fn(&mut Random) -> i64) -> Tangle {
    let (mut script, mut time) = (String::new(), 1_700_000_000);
    let mut parents: Vec<Vec<usize>> = Vec::new();
    for number in 0..commits {
        let mut before = Vec::new();
        if number > 0 {
            for _ in 0..1 + random.below(3) / 2 {
                let parent = number - 1 - random.below(number.min(8));
                if !before.contains(&parent) {
                    before.push(parent);
                }
            }
        }
        time += tick(random);
        script += &format!(
            "commit refs/heads/c/{number}\nmark :{}\ncommitter M <m@example.com> {time} +0000\ndata 3\n{number:03}\n",
            number + 1
        );
        for (place, parent) in before.iter().enumerate() {
            script += &format!("{} :{}\n", ["from", "merge"][place], parent + 1);
        }
        parents.push(before);
    }
    repo.program("git").args(["fast-import", "--quiet"]).stdin(script).success();
    let refs = repo.git(["for-each-ref", "--format=%(refname:lstrip=3) %(objectname)", "refs/heads/c/"]);
    let refs: BTreeMap<usize, ObjectId> = refs
        .lines()
        .map(|line| line.split_once(' ').map(|(number, hex)| (number.parse().unwrap(), id(hex))).unwrap())
        .collect();
    Tangle { ids: refs.into_values().collect(), parents }
}

struct Tangle {
    ids: Vec<ObjectId>,
    parents: Vec<Vec<usize>>,
}

impl Tangle {
    /// Those behind some.
    fn behind(&self, tips: &[usize]) -> BTreeSet<usize> {
        let (mut behind, mut open) = (BTreeSet::new(), tips.to_vec());
        while let Some(number) = open.pop() {
            if behind.insert(number) {
                open.extend(&self.parents[number]);
            }
        }
        behind
    }
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % end
    }
}

/// Clocks that stand still, go on, and are wrong now and then.
const TICKS: [fn(&mut Random) -> i64; 3] =
    [|_| 0, |random| random.below(2) as i64, |random| if random.below(9) == 0 { -500 } else { 60 }];

#[test]
fn a_base_is_behind_both_and_behind_no_other_such_commit_whatever_the_clocks_say() {
    for (clock, tick) in TICKS.into_iter().enumerate() {
        for (seed, commits) in [(0, 60), (1, 60), (2, 12), (3, 12), (4, 12), (5, 6)] {
            let mut random = Random(seed);
            let world = World::new();
            let ours = world.init("ours");
            let tangle = tangle(&ours, commits, &mut random, &tick);
            if seed % 2 == 1 {
                ours.git(["commit-graph", "write", "--reachable"]);
            }
            let repo = open(&ours);
            for _ in 0..40 {
                let [one, other] = [(); 2].map(|()| random.below(commits));
                let base = History::of(&repo).base(&repo, tangle.ids[one], tangle.ids[other]).unwrap();
                let both = &tangle.behind(&[one]) & &tangle.behind(&[other]);
                let is_best = |number: &usize| {
                    let newer = both.iter().filter(|other| *other != number);
                    !newer.copied().any(|newer| tangle.behind(&[newer]).contains(number))
                };
                let best: Vec<_> = both.iter().filter(|number| is_best(number)).collect();
                let found = base.map(|base| tangle.ids.iter().position(|id| *id == base).unwrap());
                let is_right = found.map_or(best.is_empty(), |found| best.contains(&&found));
                assert!(
                    is_right,
                    "clock {clock}, seed {seed}: {found:?} for {one} and {other}, not {best:?}"
                );
            }
        }
    }
}

#[test]
fn histories_with_nothing_in_common_have_no_base() {
    let world = World::new();
    let ours = world.init("ours");
    let mut tips = Vec::new();
    for line in ["one", "other"] {
        ours.git(["checkout", "-q", "--orphan", line]);
        for number in 0..3 {
            ours.write("file", format!("{line} {number}\n"));
            tips.push(id(&ours.commit_all("one more")));
        }
    }
    let repo = open(&ours);
    assert_eq!(History::of(&repo).base(&repo, tips[2], tips[5]).unwrap(), None);
    assert_eq!(History::of(&repo).base(&repo, tips[2], tips[0]).unwrap(), Some(tips[0]));
}

#[test]
fn what_lies_between_is_what_is_behind_the_tips_and_not_behind_the_others() {
    for (clock, tick) in TICKS.into_iter().enumerate() {
        for seed in 0..4 {
            let mut random = Random(seed);
            let world = World::new();
            let ours = world.init("ours");
            let tangle = tangle(&ours, 60, &mut random, &tick);
            let repo = open(&ours);
            for _ in 0..20 {
                let mut some =
                    |most| (0..random.below(most) + 1).map(|_| random.below(60)).collect::<Vec<_>>();
                let (tips, hidden) = (some(2), some(3));
                let ids = |numbers: &[usize]| numbers.iter().map(|number| tangle.ids[*number]).collect();
                let found = History::of(&repo).between(&repo, ids(&tips), ids(&hidden)).unwrap();
                let found: Vec<_> = found
                    .iter()
                    .map(|commit| tangle.ids.iter().position(|id| *id == commit.id).unwrap())
                    .collect();
                let (behind, hidden) = (tangle.behind(&tips), tangle.behind(&hidden));
                let actual: BTreeSet<_> = found.iter().copied().collect();
                assert_eq!(actual.len(), found.len(), "each comes once");
                let expected: BTreeSet<_> = behind.difference(&hidden).copied().collect();
                if clock < 2 {
                    assert_eq!(actual, expected, "clock {clock}, seed {seed}");
                } else {
                    assert!(actual.is_superset(&expected) && actual.is_subset(&behind), "seed {seed}");
                }
            }
        }
    }
}

#[test]
fn a_history_that_has_nothing_to_do_with_it_is_not_walked_to_its_end() {
    let world = World::new();
    let ours = world.init("ours");
    let other = tangle(&ours, 40, &mut Random(1), &|_| 60);
    ours.git(["checkout", "-q", "--orphan", "topic"]);
    ours.write("file", "one\n");
    let one = id(&ours.commit_all("one"));
    ours.write("file", "two\n");
    let two = id(&ours.commit_all("two"));
    // Who came by there would find that it is missing.
    let first = other.ids[0].to_string();
    std::fs::remove_file(ours.join(&format!(".git/objects/{}/{}", &first[..2], &first[2..]))).unwrap();
    let repo = open(&ours);
    let found = History::of(&repo).between(&repo, vec![two], vec![one, other.ids[39]]).unwrap();
    assert_eq!(found.iter().map(|commit| commit.id).collect::<Vec<_>>(), [two]);
}

/// The file of a loose object.
fn loose(repo: &Repo, id: &str) -> std::path::PathBuf {
    repo.git_dir().join("objects").join(&id[..2]).join(&id[2..]).into()
}

#[test]
fn a_commit_graph_that_is_damaged_counts_as_none() {
    let world = World::new();
    let ours = world.init("ours");
    let commits: Vec<ObjectId> = (0..4)
        .map(|number| {
            ours.write("file", number.to_string());
            id(&ours.commit_all("one more"))
        })
        .collect();
    ours.git(["commit-graph", "write", "--reachable"]);
    let path = ours.git_dir().join("objects/info/commit-graph");
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 5, whole.len() / 2, whole.len()] {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &whole[..length]).unwrap();
        let repo = open(&ours);
        let history = History::of(&repo);
        let found = history.between(&repo, vec![commits[3]], vec![commits[1]]).unwrap();
        assert_eq!(
            found.iter().map(|commit| commit.id).collect::<Vec<_>>(),
            [commits[3], commits[2]],
            "{length}"
        );
        assert_eq!(history.bases(&repo, commits[3], &[commits[0]]).unwrap(), [commits[0]], "{length}");
    }
}

#[test]
fn what_is_missing_behind_a_hidden_commit_matters_only_if_it_is_wanted_too() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["checkout", "-q", "--orphan", "old"]);
    let gone = ours.commit_all("gone");
    ours.write("file", "old");
    let old = id(&ours.commit_all("what is left"));
    ours.git(["checkout", "-q", "main"]);
    ours.write("file", "new");
    let new = id(&ours.commit_all("new"));
    std::fs::remove_file(loose(&ours, &gone)).unwrap();
    let repo = open(&ours);
    let between = |tip, hidden: &[ObjectId]| History::of(&repo).between(&repo, vec![tip], hidden.to_vec());
    let all: Vec<ObjectId> = between(new, &[]).unwrap().iter().map(|commit| commit.id).collect();
    let but_old: Vec<ObjectId> = between(new, &[old]).unwrap().iter().map(|commit| commit.id).collect();
    assert_eq!(but_old, all);
    assert!(between(old, &[new]).is_err());
}

#[test]
fn a_commit_that_is_taken_in_again_and_again_leaves_room_for_others() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    let repo = open(&ours);
    let mut drafts = repo.clone().with_object_memory();
    let tip = repo.head_commit().unwrap();
    let mut made: gix::objs::Commit = tip.decode().unwrap().try_into().unwrap();
    made.message = "x".repeat(made.message.len()).into();
    drafts.write_object(&made).unwrap();
    let (made, _held) = store::add_objects(&repo, drafts.objects.take_object_memory().unwrap()).unwrap();
    let history = History::of(&repo);
    (0..10_000).for_each(|_| history.take_in(&made));
    // What is kept need not be there any more.
    let tree = history.tree_of(&repo, tip.id).unwrap();
    std::fs::remove_file(store::object_file::path(&repo, &tip.id)).unwrap();
    assert_eq!(history.tree_of(&repo, tip.id).unwrap(), tree);
}
