//! Making deltas: of a log that got a line, where what is the same has to be found, and of a tree with one other entry,
//! both that way and as the walk through history does it, which knows what is the same.

#![allow(clippy::unwrap_used, reason = "a delta that cannot be made ends the benchmark")]

#[path = "../src/pack/delta.rs"]
#[allow(dead_code, unused_imports, reason = "not all of it is measured, and its tests run elsewhere")]
mod delta;

use delta::{Base, Draft};
use divan::{Bencher, black_box, counter::BytesCount};

fn main() {
    divan::main();
}

/// A log of so many lines, no two of them the same.
fn log(lines: u32) -> Vec<u8> {
    (0..lines)
        .flat_map(|n| format!("{n}: client {:08x}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

/// A folder of 256 folders, the ids of which follow from `seed`, and of which one is another than with the same seed
/// and 0.
fn tree(seed: u64, changed: u8) -> Vec<u8> {
    let mut state = seed;
    let mut tree = Vec::new();
    for byte in 0..=u8::MAX {
        tree.extend_from_slice(format!("40000 {byte:02x}\0").as_bytes());
        for _ in 0..20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            tree.push((state >> 56) as u8 ^ if byte == 100 { changed } else { 0 });
        }
    }
    tree
}

#[divan::bench(args = [100, 10_000, 50_000])]
fn a_log_with_one_more_line(bencher: Bencher<'_, '_>, lines: u32) {
    let (old, new) = (log(lines), log(lines + 1));
    bencher
        .counter(BytesCount::of_slice(&new))
        .with_inputs(|| old.clone())
        .bench_values(|old| Base::new(old).unwrap().delta(black_box(&new), new.len() / 2).unwrap());
}

#[divan::bench]
fn a_tree_searched(bencher: Bencher<'_, '_>) {
    let (old, new) = (tree(1, 0), tree(1, 1));
    bencher
        .counter(BytesCount::of_slice(&new))
        .with_inputs(|| old.clone())
        .bench_values(|old| Base::new(old).unwrap().delta(black_box(&new), new.len() / 2).unwrap());
}

#[divan::bench]
fn a_tree_whose_change_is_known(bencher: Bencher<'_, '_>) {
    let (old, new) = (tree(1, 0), tree(1, 1));
    let id = 100 * 29 + 9..101 * 29;
    bencher.counter(BytesCount::of_slice(&new)).bench(|| {
        let mut draft = Draft::new(old.len(), new.len());
        draft.copy(0..id.start);
        draft.insert(black_box(&new[id.clone()]));
        draft.copy(id.end..old.len());
        draft.finish(new.len() / 2).unwrap()
    });
}
