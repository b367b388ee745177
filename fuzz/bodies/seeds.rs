//! The targets as tests: on the committed seeds, and on what chance makes of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::{
    collection,
    prelude::*,
    sample,
    test_runner::{Config, TestRunner},
};

/// Gives each seed of `target` to `body`, and then `cases` more that chance made of them.
pub fn each(target: &str, cases: u32, body: impl Fn(&[u8])) {
    seeds(target).iter().for_each(|seed| body(seed));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&mutated(target), |bytes| {
        body(&bytes);
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{target}: {failure}");
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let fuzz = here.ancestors().map(|folder| folder.join("fuzz")).find(|folder| folder.is_dir());
    let folder = fuzz.unwrap().join("seeds").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let seeds: Vec<_> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    seeds
}

/// A seed of `target` with a few things done to it.
fn mutated(target: &str) -> impl Strategy<Value = Vec<u8>> {
    let changes = collection::vec((any::<sample::Index>(), change()), 0..6);
    (sample::select(seeds(target)), changes).prop_map(|(mut bytes, changes)| {
        for (at, change) in changes {
            let at = at.index(bytes.len() + 1);
            match change {
                Change::Set(byte) => bytes.get_mut(at).into_iter().for_each(|there| *there = byte),
                Change::Insert(new) => drop(bytes.splice(at..at, new)),
                Change::Cut => bytes.truncate(at),
                Change::Repeat => bytes.extend_from_within(at..),
            }
        }
        bytes
    })
}

#[derive(Debug, Clone)]
enum Change {
    Set(u8),
    Insert(Vec<u8>),
    Cut,
    Repeat,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any::<u8>().prop_map(Change::Set),
        2 => collection::vec(any::<u8>(), 1..8).prop_map(Change::Insert),
        1 => Just(Change::Cut),
        1 => Just(Change::Repeat),
    ]
}
