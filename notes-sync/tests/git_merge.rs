//! Tests that the merge gives the same trees as `git notes merge`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod twin;

use gix::ObjectId;
use notes_sync::{
    merge::{self, Trees},
    strategy::Strategy,
};
use twin::{Layout, Notes, Twin, spread};

const GITS_STRATEGIES: [Strategy; 4] =
    [Strategy::Ours, Strategy::Theirs, Strategy::Union, Strategy::CatSortUniq];

fn tree_of_merge(twin: &Twin, base: Option<ObjectId>, strategy: Strategy) -> ObjectId {
    let repo = twin.repo();
    let tree = |rev: &str| twin.id(&format!("{rev}^{{tree}}"));
    let trees = Trees { base, local: tree("refs/notes/local"), remote: tree("refs/notes/remote") };
    merge::merge(&repo, trees, strategy).unwrap().tree
}

/// Merges local and remote by all of git's strategies, in both programs.
#[track_caller]
fn same_trees(twin: &Twin, base: Option<&str>) {
    let base = base.map(|base| twin.id(&format!("{base}^{{tree}}")));
    for strategy in GITS_STRATEGIES {
        let ours = tree_of_merge(twin, base, strategy);
        let gits = twin.git_merges(strategy.name(), "refs/notes/local", "refs/notes/remote");
        let difference = || twin.git(&["diff-tree", "-r", "-p", &gits.to_string(), &ours.to_string()]);
        assert_eq!(ours, gits, "{strategy}: from git's tree to ours:\n{}", difference());
    }
}

fn numbered(range: std::ops::Range<u64>, note: impl Fn(u64) -> String) -> Notes {
    range.map(|number| (spread(number), note(number).into_bytes())).collect()
}

#[test]
fn every_combination_of_changes_gives_gits_tree() {
    let versions: [Option<&[u8]>; 5] =
        [None, Some(b"one\n"), Some(b"two\n\n \r\none"), Some(b""), Some(b"\n\n")];
    let (mut base, mut local, mut remote) = (Notes::new(), Notes::new(), Notes::new());
    let mut number = 0;
    for b in versions {
        for l in versions {
            for r in versions {
                number += 1;
                for (notes, version) in [(&mut base, b), (&mut local, l), (&mut remote, r)] {
                    notes.extend(version.map(|note| (spread(number), note.to_vec())));
                }
            }
        }
    }
    let mut twin = Twin::new();
    twin.commit_notes("refs/notes/base", None, Layout::Flat, &base);
    twin.commit_notes("refs/notes/local", Some("refs/notes/base"), Layout::Flat, &local);
    twin.commit_notes("refs/notes/remote", Some("refs/notes/base"), Layout::Flat, &remote);
    same_trees(&twin, Some("refs/notes/base"));
    twin.git(&["update-ref", "-d", "refs/notes/local"]);
    twin.commit_notes("refs/notes/local", None, Layout::Fanned, &local);
    same_trees(&twin, None);
}

#[test]
fn fan_out_opens_and_closes_where_git_opens_and_closes_it() {
    for (before, here, there) in [(30, 10, 8), (48, 8, 8), (60, 4, 40), (64, 150, 150), (300, 30, 30)] {
        for layout in [Layout::Flat, Layout::Fanned, Layout::FannedTwice, Layout::Mixed] {
            let mut twin = Twin::new();
            let base = numbered(0..before, |number| format!("base {number}\n"));
            twin.commit_notes("refs/notes/base", None, layout, &base);
            let mut local = base.clone();
            local.extend(numbered(1000..1000 + here, |number| format!("local {number}\n")));
            local.extend(numbered(0..here / 2, |number| format!("changed {number}\n")));
            twin.commit_notes("refs/notes/local", Some("refs/notes/base"), layout, &local);
            let mut remote = base.clone();
            remote.extend(numbered(2000..2000 + there, |number| format!("remote {number}\n")));
            remote.extend(numbered(0..there, |number| format!("changed otherwise {number}\n")));
            // Most notes go, so that folders close.
            for number in 3..before {
                if before < 100 || number.is_multiple_of(4) {
                    remote.remove(&spread(number));
                }
            }
            twin.commit_notes("refs/notes/remote", Some("refs/notes/base"), Layout::Flat, &remote);
            same_trees(&twin, Some("refs/notes/base"));
        }
    }
}

#[test]
fn ten_thousand_notes_merge_to_gits_tree() {
    let mut twin = Twin::new();
    let base = numbered(0..10_000, |number| format!("note {number}\n"));
    twin.commit_notes("refs/notes/base", None, Layout::Fanned, &base);
    let mut local = base.clone();
    local.extend(numbered(0..300, |number| format!("here {number}\n")));
    local.extend(numbered(20_000..20_200, |number| format!("here {number}\n")));
    let mut remote = base.clone();
    remote.extend(numbered(200..500, |number| format!("there {number}\n")));
    remote.extend(numbered(30_000..30_200, |number| format!("there {number}\n")));
    for number in 5_000..5_200 {
        remote.remove(&spread(number));
    }
    twin.commit_notes("refs/notes/local", Some("refs/notes/base"), Layout::Fanned, &local);
    twin.commit_notes("refs/notes/remote", Some("refs/notes/base"), Layout::Fanned, &remote);
    same_trees(&twin, Some("refs/notes/base"));
}

#[test]
fn sixty_thousand_notes_merge_to_gits_tree() {
    let mut twin = Twin::new();
    let base = numbered(0..60_000, |number| format!("note {number}\n"));
    twin.commit_notes("refs/notes/base", None, Layout::FannedTwice, &base);
    let changed = |range: std::ops::Range<u64>, side: &str| {
        range
            .map(|number| (spread(number), Some(format!("{side} {number}\n").into_bytes())))
            .collect::<Vec<_>>()
    };
    let local = [changed(0..600, "here"), changed(100_000..100_400, "here")].concat();
    let mut remote = [changed(300..900, "there"), changed(200_000..200_400, "there")].concat();
    remote.extend((5_000..5_400).map(|number| (spread(number), None)));
    let (local, remote) = (local.into_iter().collect(), remote.into_iter().collect());
    twin.commit_changes("refs/notes/local", "refs/notes/base", Layout::FannedTwice, &local);
    twin.commit_changes("refs/notes/remote", "refs/notes/base", Layout::FannedTwice, &remote);
    same_trees(&twin, Some("refs/notes/base"));
}

#[test]
fn trees_that_are_equal_or_did_not_change_get_gits_layout_all_the_same() {
    for (before, layout) in
        [(48, Layout::Flat), (300, Layout::Flat), (64, Layout::FannedTwice), (300, Layout::Mixed)]
    {
        let mut twin = Twin::new();
        let base = numbered(0..before, |number| format!("note {number}\n"));
        let mut changed = base.clone();
        changed.extend(numbered(0..5, |_| "changed\n".into()));
        twin.commit_notes("refs/notes/base", None, layout, &base);
        for (local, remote) in [(&base, &base), (&changed, &changed), (&changed, &base)] {
            twin.git(&["update-ref", "-d", "refs/notes/local"]);
            twin.git(&["update-ref", "-d", "refs/notes/remote"]);
            twin.commit_notes("refs/notes/local", Some("refs/notes/base"), layout, local);
            twin.commit_notes("refs/notes/remote", Some("refs/notes/base"), layout, remote);
            same_trees(&twin, Some("refs/notes/base"));
        }
    }
}

#[test]
fn what_is_no_note_stays_where_it_is() {
    let mut twin = Twin::new();
    let others = [
        ("README.md", "about"),
        ("ab/README.md", "about ab"),
        ("docs/a/b", "text"),
        ("zz", "short"),
        ("0123", "hex, but no note"),
    ];
    let others: Vec<_> =
        others.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let files = |layout: Layout, notes: Notes| {
        let mut files: Vec<_> =
            notes.into_iter().map(|(object, note)| (layout.path(&object), note)).collect();
        files.extend(others.clone());
        files
    };
    let base = numbered(0..300, |number| format!("note {number}\n"));
    let mut local = base.clone();
    local.extend(numbered(0..20, |_| "here\n".into()));
    let mut remote = base.clone();
    remote.extend(numbered(10..40, |_| "there\n".into()));
    twin.commit_files("refs/notes/base", None, &files(Layout::Fanned, base));
    twin.commit_files("refs/notes/local", Some("refs/notes/base"), &files(Layout::Fanned, local));
    twin.commit_files("refs/notes/remote", Some("refs/notes/base"), &files(Layout::Fanned, remote));
    same_trees(&twin, Some("refs/notes/base"));
}
