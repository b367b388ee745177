//! Tests the guarantees of the merge of records, for arbitrary input.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use notes_sync::records::{merge, parse};
use proptest::{prelude::*, sample::select};

/// Records that people and programs write.
const RECORDS: [&str; 14] = [
    "one line",
    "two\nlines",
    "# heading",
    "---",
    "```\ncode\n\n---\nkey: in code\n---\n```",
    "~~~ text\n```\n~~~",
    "text before\n```\n\n\nfence\n```\ntext after",
    "{\"type\":\"decision\",\"id\":1}",
    "{\"type\":\"decision\",\"id\":2}",
    "[1, 2]",
    "{not json}",
    "---\ntype: decision\nid: 1\n---\n\n## Context\n\nBecause.",
    "---\ntype: decision\nid: 2\n---\n```\n---\na: b\n---\n\n```",
    "---\ntype: learning\ntext: |\n  a\n\n  b\n---\nTitle\n---\n\n- item",
];

fn is_front_matter(record: &str) -> bool {
    record.starts_with("---\n")
}

/// A note of some of the records; text of its own comes before front matter, as after it it would belong to it.
fn note_of(indices: &BTreeSet<usize>) -> Vec<u8> {
    let (text, front): (Vec<_>, Vec<_>) =
        indices.iter().map(|index| RECORDS[*index]).partition(|record| !is_front_matter(record));
    let mut note = [text, front].concat().join("\n\n");
    if !note.is_empty() {
        note.push('\n');
    }
    note.into_bytes()
}

fn some_records() -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..RECORDS.len(), 0..RECORDS.len())
}

fn records(note: &[u8]) -> Vec<Vec<u8>> {
    parse(note).records.iter().map(|record| record.bytes.to_vec()).collect()
}

fn record_set(note: &[u8]) -> BTreeSet<Vec<u8>> {
    records(note).into_iter().collect()
}

fn expected(base: &BTreeSet<usize>, local: &BTreeSet<usize>, remote: &BTreeSet<usize>) -> BTreeSet<usize> {
    (0..RECORDS.len())
        .filter(|index| {
            let (b, l, r) = (base.contains(index), local.contains(index), remote.contains(index));
            if b { l && r } else { l || r }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_nothing_comes_back_and_nothing_comes_twice(
        base in some_records(), local in some_records(), remote in some_records(),
    ) {
        let merged = merge(&note_of(&base), &note_of(&local), &note_of(&remote));
        let wanted = record_set(&note_of(&expected(&base, &local, &remote)));
        prop_assert_eq!(record_set(&merged), wanted, "{}", String::from_utf8_lossy(&merged));
        prop_assert_eq!(records(&merged).len(), record_set(&merged).len());
    }

    #[test]
    fn records_that_both_sides_kept_stay_in_the_order_of_the_base(
        base in some_records(), local in some_records(), remote in some_records(),
    ) {
        let merged = records(&merge(&note_of(&base), &note_of(&local), &note_of(&remote)));
        let base = records(&note_of(&base));
        let kept: Vec<_> = merged.iter().filter(|record| base.contains(record)).collect();
        let in_order: Vec<_> = base.iter().filter(|record| merged.contains(record)).collect();
        prop_assert_eq!(kept, in_order);
    }

    #[test]
    fn the_other_order_gives_the_same_records(
        base in some_records(), local in some_records(), remote in some_records(),
    ) {
        let [base, local, remote] = [base, local, remote].map(|records| note_of(&records));
        prop_assert_eq!(
            record_set(&merge(&base, &local, &remote)),
            record_set(&merge(&base, &remote, &local))
        );
    }

    #[test]
    fn merging_again_changes_nothing(
        base in some_records(), local in some_records(), remote in some_records(),
    ) {
        let [base, local, remote] = [base, local, remote].map(|records| note_of(&records));
        let merged = merge(&base, &local, &remote);
        prop_assert_eq!(&merge(&base, &merged, &remote), &merged);
        prop_assert_eq!(&merge(&remote, &merged, &remote), &merged);
        prop_assert_eq!(&merge(&base, &merged, &merged), &merged);
    }

    #[test]
    fn rounds_of_merging_do_not_make_the_note_grow(
        base in some_records(), local in some_records(), remote in some_records(),
    ) {
        let [base, mut local, mut remote] = [base, local, remote].map(|records| note_of(&records));
        let first = merge(&base, &local, &remote);
        for _ in 0..8 {
            (local, remote) = (merge(&base, &local, &remote), merge(&base, &remote, &local));
        }
        prop_assert_eq!(record_set(&local), record_set(&first));
        prop_assert_eq!(record_set(&remote), record_set(&first));
        prop_assert!(local.len() <= first.len() + 2 * RECORDS.len());
    }

    #[test]
    fn any_bytes_at_all_are_kept(base in messy(), local in messy(), remote in messy()) {
        let merged = merge(&base, &local, &remote);
        let has = |note: &[u8], line: &[u8]| lines(note).any(|other| other == line);
        for line in lines(&local).chain(lines(&remote)) {
            prop_assert!(
                has(&merged, line) || has(&base, line),
                "{:?} is lost in {:?}", String::from_utf8_lossy(line), String::from_utf8_lossy(&merged)
            );
        }
    }

    #[test]
    fn not_even_messy_notes_grow_with_every_round(base in messy(), local in messy(), remote in messy()) {
        let whole = [base.as_slice(), &local, &remote].concat().len();
        let mut merged = merge(&base, &local, &remote);
        for _ in 0..8 {
            merged = merge(&base, &merged, &remote);
            // A blank line between any two lines is the most that separating them can take.
            prop_assert!(merged.len() <= 4 * whole, "{:?}", String::from_utf8_lossy(&merged));
        }
    }

    #[test]
    fn a_side_that_changed_nothing_leaves_the_other_as_it_is(base in messy(), changed in messy()) {
        prop_assert_eq!(&merge(&base, &base, &changed), &changed);
        prop_assert_eq!(&merge(&base, &changed, &base), &changed);
        prop_assert_eq!(&merge(&base, &changed, &changed), &changed);
    }
}

/// The lines that are not blank.
fn lines(note: &[u8]) -> impl Iterator<Item = &[u8]> {
    note.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty())
}

/// Text with marks of structure in all the wrong places.
fn messy() -> impl Strategy<Value = Vec<u8>> {
    let line = select(
        &[
            "```",
            "~~~",
            "---",
            "key: value",
            "  - item",
            "{\"a\":1}",
            "text",
            "",
            "",
            " ",
            "...",
            "a\0b",
            "\r",
        ][..],
    );
    prop::collection::vec(line, 0..16).prop_map(|lines| lines.join("\n").into_bytes())
}

#[test]
fn two_sessions_that_add_a_record_each_keep_both_whole() {
    let base = "---\ntype: decision\n---\n\n# First\n\nbody\n";
    let local = format!("{base}\n---\ntype: learning\n---\n\n# Here\n\n- z\n- a\n");
    let remote = format!("{base}\n---\ntype: blocker\n---\n\n# There\n\n```\nb\n\na\n```\n");
    let merged = merge(base.as_bytes(), local.as_bytes(), remote.as_bytes());
    let wanted = format!("{local}\n---\ntype: blocker\n---\n\n# There\n\n```\nb\n\na\n```\n");
    assert_eq!(String::from_utf8(merged).unwrap(), wanted);
}

#[test]
fn a_line_of_json_that_one_side_removed_stays_removed() {
    let merged = merge(b"{\"a\":1}\n{\"b\":1}\n", b"{\"b\":1}\n", b"{\"a\":1}\n{\"b\":1}\n{\"c\":1}\n");
    assert_eq!(merged, b"{\"b\":1}\n{\"c\":1}\n");
}

#[test]
fn carriage_returns_stay() {
    let merged = merge(b"a\r\n", b"a\r\n\r\nb\r\n", b"a\r\n\r\nc\r\n");
    assert_eq!(merged, b"a\r\n\r\nb\r\n\r\nc\r\n");
}

#[test]
fn a_hundred_thousand_lines_that_both_sides_have_are_merged_within_seconds() {
    let lines = |missing: usize| -> Vec<u8> {
        let numbers = (0..100_000).filter(|number| number % 1000 != missing);
        numbers.map(|number| format!("{{\"id\":{number}}}\n")).collect::<String>().into_bytes()
    };
    let began = std::time::Instant::now();
    let merged = merge(b"", &lines(1), &lines(2));
    assert_eq!(records(&merged).len(), 100_000);
    // Without optimization it is about two; were each record searched for among the others, it would be minutes.
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}
