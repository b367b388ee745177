//! Tests how commits are related in generated histories full of merges, with clocks that differ or stand still.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use gix::{ObjectId, Repository, actor::Signature, date::Time};
use notes_sync::commits::{Commits, Relation};
use proptest::prelude::*;
use store::{History, RecentObjects};

/// A commit on earlier ones, by their numbers, with the minute on its maker's clock.
#[derive(Debug, Clone)]
struct Made {
    parents: BTreeSet<usize>,
    minute: i64,
}

fn histories() -> impl Strategy<Value = Vec<Made>> {
    let made = (prop::collection::vec(any::<prop::sample::Index>(), 1..3), 0..4_i64);
    prop::collection::vec(made, 2..16).prop_map(|all| {
        let made = all.into_iter().enumerate().map(|(number, (parents, minute))| {
            // Mostly the latest ones.
            let parents =
                parents.iter().filter(|_| number > 0).map(|at| number - 1 - at.index(number.min(4)));
            Made { parents: parents.collect(), minute }
        });
        made.collect()
    })
}

fn write(repo: &Repository, history: &[Made]) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> = Vec::new();
    for (number, made) in history.iter().enumerate() {
        let by = Signature {
            name: "Nobody".into(),
            email: "nobody@example.com".into(),
            time: Time::new(1_700_000_000 + 60 * made.minute, 0),
        };
        let commit = gix::objs::Commit {
            tree: ObjectId::empty_tree(repo.object_hash()),
            parents: made.parents.iter().map(|parent| ids[*parent]).collect(),
            author: by.clone(),
            committer: by,
            encoding: None,
            message: number.to_string().into(),
            extra_headers: Vec::new(),
        };
        ids.push(repo.write_object(&commit).unwrap().detach());
    }
    ids
}

/// Each commit and all that it stands on.
fn closures(history: &[Made]) -> Vec<BTreeSet<usize>> {
    let mut all: Vec<BTreeSet<usize>> = Vec::new();
    for (number, made) in history.iter().enumerate() {
        let behind = made.parents.iter().flat_map(|parent| all[*parent].iter().copied());
        all.push(behind.chain([number]).collect());
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_base_of_two_commits_lies_behind_no_other_common_one(history in histories()) {
        let folder = tempfile::tempdir().unwrap();
        let repo = gix::ThreadSafeRepository::init_opts(
            folder.path(),
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            gix::open::Options::isolated(),
        );
        let repo = repo.unwrap().to_thread_local();
        let ids = write(&repo, &history);
        let behind = closures(&history);
        let read = History::of(&repo);
        let commits = Commits { repo: &repo, history: &read, latest: &RecentObjects::default() };
        for one in 0..ids.len() {
            for other in 0..ids.len() {
                let relation = commits.relate(ids[one], ids[other]).unwrap();
                let common: BTreeSet<usize> = behind[one].intersection(&behind[other]).copied().collect();
                let is_best = |base: usize| common.iter().all(|also| *also == base || !behind[*also].contains(&base));
                let bases = read.bases(&repo, ids[one], &[ids[other]]).unwrap();
                let bases: BTreeSet<usize> = bases.iter().filter_map(|base| ids.iter().position(|id| id == base)).collect();
                let best: BTreeSet<usize> = common.iter().copied().filter(|base| is_best(*base)).collect();
                prop_assert_eq!(bases, best, "{} and {}", one, other);
                match relation {
                    Relation::Contained => prop_assert!(behind[one].contains(&other)),
                    Relation::Ahead => prop_assert!(behind[other].contains(&one)),
                    Relation::Diverged { base: None } => prop_assert!(common.is_empty()),
                    Relation::Diverged { base: Some(base) } => {
                        prop_assert!(!behind[one].contains(&other) && !behind[other].contains(&one));
                        let base = ids.iter().position(|id| *id == base).unwrap();
                        prop_assert!(common.contains(&base) && is_best(base), "{} and {}: {}", one, other, base);
                    }
                }
            }
        }
    }
}
