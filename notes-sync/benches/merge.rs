//! The merge of notes in memory, to see what a change of it brings. Whole processes, beside git's, are measured by
//! `cargo xtask bench --scenario merge`.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the benchmark")]

#[path = "../tests/twin/mod.rs"]
mod twin;

use std::{collections::BTreeMap, sync::LazyLock};

use divan::Bencher;
use notes_sync::{
    merge::{self, Trees},
    strategy::Strategy,
};
use twin::{Twin, spread};

fn main() {
    divan::main();
}

/// A repository with two sides to merge.
struct Case {
    name: &'static str,
    twin: LazyLock<Twin>,
}

static CASES: [Case; 5] = [
    Case {
        name: "100,000 notes, 1,000 changed on each side",
        twin: LazyLock::new(|| fixture(Size { notes: 100_000, changed: 1_000, ..Size::default() })),
    },
    Case {
        name: "100,000 notes, the same 1,000 changed on both",
        twin: LazyLock::new(|| fixture(Size { notes: 100_000, changed_by_both: 1_000, ..Size::default() })),
    },
    Case {
        name: "10,000 and 10,000 new notes",
        twin: LazyLock::new(|| fixture(Size { added: 10_000, ..Size::default() })),
    },
    Case {
        name: "100,000 notes, 10,000 and 10,000 new",
        twin: LazyLock::new(|| fixture(Size { notes: 100_000, added: 10_000, ..Size::default() })),
    },
    Case {
        name: "20,000 notes, 500 changed on each side",
        twin: LazyLock::new(|| fixture(Size { notes: 20_000, changed: 500, ..Size::default() })),
    },
];

/// How many notes there are, and how many each side changes and adds.
#[derive(Clone, Copy, Default)]
struct Size {
    notes: u64,
    changed: u64,
    changed_by_both: u64,
    added: u64,
}

impl std::fmt::Display for &'static Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[divan::bench(args = &CASES)]
fn in_memory(bencher: Bencher<'_, '_>, case: &'static Case) {
    let twin = &*case.twin;
    let tree = |name: &str| twin.id(&format!("refs/notes/{name}^{{tree}}"));
    let trees = Trees { base: Some(tree("base")), local: tree("local"), remote: tree("remote") };
    let repo = twin.repo();
    bencher
        .with_inputs(|| repo.clone().with_object_memory())
        .bench_local_refs(|repo| merge::merge(repo, trees, Strategy::CatSortUniq).unwrap());
}

fn fixture(size: Size) -> Twin {
    let note = |number: u64, side: &str| {
        let text =
            format!("---\ntype: decision\nid: {number}\n---\n\nWhy {}, as seen {side}.\n", spread(number));
        (spread(number), text.into_bytes())
    };
    let base: BTreeMap<_, _> = (0..size.notes).map(|number| note(number, "at first")).collect();
    let (mut local, mut remote) = (base.clone(), base.clone());
    for (notes, side, own, new) in [
        (&mut local, "here", size.changed_by_both, 1_000_000),
        (&mut remote, "there", size.changed_by_both + size.changed, 2_000_000),
    ] {
        let changed = (0..size.changed_by_both).chain(own..own + size.changed);
        notes.extend(changed.chain(new..new + size.added).map(|number| note(number, side)));
    }
    let mut twin = Twin::new();
    twin.git(&["config", "fastimport.unpackLimit", "0"]);
    for (name, parent, notes) in [
        ("refs/notes/base", None, base),
        ("refs/notes/local", Some("refs/notes/base"), local),
        ("refs/notes/remote", Some("refs/notes/base"), remote),
    ] {
        let mut files = Vec::new();
        lay_out(&notes.into_iter().collect::<Vec<_>>(), 0, 0, &mut files);
        twin.commit_files(name, parent, &files);
    }
    twin
}

/// The paths that git gives to notes, which come in the order of their objects and share their first `depth` digits.
fn lay_out(notes: &[(String, Vec<u8>)], depth: usize, fanout: usize, files: &mut Vec<(String, Vec<u8>)>) {
    let parts: Vec<_> =
        notes.chunk_by(|one, next| one.0.as_bytes()[depth] == next.0.as_bytes()[depth]).collect();
    let opens = depth == 2 * fanout && parts.len() == 16 && parts.iter().all(|part| part.len() > 1);
    let fanout = fanout + usize::from(opens);
    for part in parts {
        if let [(object, note)] = part {
            let mut path: String =
                (0..fanout).map(|at| format!("{}/", &object[2 * at..2 * at + 2])).collect();
            path.push_str(&object[2 * fanout..]);
            files.push((path, note.clone()));
        } else {
            lay_out(part, depth + 1, fanout, files);
        }
    }
}
