//! Tests cases in which git's merge of notes aborts, truncates or drops something: here everything is kept.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod twin;

use notes_sync::{
    merge::{self, Merged, Trees},
    strategy::Strategy,
};
use twin::{Layout, Notes, Twin, spread};

type Files = Vec<(String, Vec<u8>)>;

fn file(path: &str, content: &str) -> (String, Vec<u8>) {
    (path.to_owned(), content.as_bytes().to_vec())
}

/// Merges three sets of files, and returns the merge and the files after it.
fn merged(base: &Files, local: &Files, remote: &Files, strategy: Strategy) -> (Twin, Merged, Files) {
    let mut twin = Twin::new();
    twin.commit_files("refs/notes/base", None, base);
    twin.commit_files("refs/notes/local", Some("refs/notes/base"), local);
    twin.commit_files("refs/notes/remote", Some("refs/notes/base"), remote);
    let tree = |name: &str| twin.id(&format!("refs/notes/{name}^{{tree}}"));
    let trees = Trees { base: Some(tree("base")), local: tree("local"), remote: tree("remote") };
    let merged = merge::merge(&twin.repo(), trees, strategy).unwrap();
    let listed = twin.git(&["ls-tree", "-r", "-z", "--name-only", &merged.tree.to_string()]);
    let files = listed
        .split_terminator('\0')
        .map(|path| {
            let content = twin.try_git(&["cat-file", "blob", &format!("{}:{path}", merged.tree)], b"");
            (path.to_owned(), content.stdout)
        })
        .collect();
    twin.git(&["fsck", "--strict"]);
    (twin, merged, files)
}

#[test]
fn one_note_at_two_paths_is_both_of_them() {
    let object = spread(1);
    let base = vec![file(&Layout::Flat.path(&object), "flat\n")];
    let mut twice = base.clone();
    twice.push(file(&Layout::Fanned.path(&object), "fanned\n"));
    let mut local = base.clone();
    local.push(file(&spread(2), "other\n"));
    for (ours, theirs) in [(&local, &twice), (&twice, &local)] {
        let (_, _, files) = merged(&base, ours, theirs, Strategy::CatSortUniq);
        assert_eq!(files.iter().find(|(path, _)| *path == object).unwrap().1, b"fanned\n\nflat\n");
        assert_eq!(files.len(), 2, "each note stands at one path");
    }
}

#[test]
fn what_follows_a_nul_byte_is_kept() {
    let object = spread(1);
    let note = |text: &str| vec![file(&object, text)];
    let (_, merged, files) =
        merged(&note("b\n"), &note("b\nx\0y\nz\n"), &note("a\nb\n"), Strategy::CatSortUniq);
    assert_eq!(files[0].1, b"a\nb\nx\0y\nz\n");
    assert_eq!(merged.shredded.len(), 1, "and it is said that such a note was sorted");
}

#[test]
fn what_the_remote_did_to_files_that_are_no_notes_comes_in() {
    let notes: Files = (0..300).map(|number| file(&Layout::Fanned.path(&spread(number)), "note\n")).collect();
    let with = |others: &[(&str, &str)]| {
        let mut files = notes.clone();
        files.extend(others.iter().map(|(path, text)| file(path, text)));
        files
    };
    let base = with(&[("README", "1\n2\n3\n4\n5\n"), ("gone", "x"), ("docs/a", "a\n"), ("ab/index", "i")]);
    let local = with(&[
        ("README", "1!\n2\n3\n4\n5\n"),
        ("gone", "x"),
        ("docs/a", "a\n"),
        ("docs/here", "h"),
        ("ab/index", "i"),
    ]);
    let remote = with(&[
        ("README", "1\n2\n3\n4\n5!\n"),
        ("docs/a", "a\n"),
        ("docs/there", "t"),
        ("ab/index", "changed"),
        ("new", "n"),
    ]);
    for strategy in Strategy::ALL {
        let (_, _, files) = merged(&base, &local, &remote, strategy);
        let others: Vec<_> = files
            .into_iter()
            .filter(|(path, _)| path.len() < 40)
            .map(|(path, content)| (path, String::from_utf8(content).unwrap()))
            .collect();
        let wanted = [
            ("README", "1!\n2\n3\n4\n5!\n"),
            ("ab/index", "changed"),
            ("docs/a", "a\n"),
            ("docs/here", "h"),
            ("docs/there", "t"),
            ("new", "n"),
        ];
        assert_eq!(others, wanted.map(|(path, text)| (path.to_owned(), text.to_owned())), "{strategy}");
    }
}

#[test]
fn a_file_where_a_fan_out_folder_would_be_stays_a_file() {
    let many = |range: std::ops::Range<u64>| -> Files {
        range.map(|number| file(&spread(number), "note\n")).collect()
    };
    let mut base = many(0..100);
    base.push(file("ab", "a file of two hex digits"));
    let mut local = base.clone();
    local.extend(many(100..300));
    let mut remote = base.clone();
    remote.extend(many(300..400));
    let (_, _, files) = merged(&base, &local, &remote, Strategy::Union);
    assert_eq!(files.len(), 401);
    assert!(files.iter().any(|(path, _)| path == "ab"));
}

#[test]
fn folders_in_upper_case_are_read_and_written_in_lower_case() {
    let object = format!("ab{}", &spread(1)[2..]);
    let upper = format!("AB/{}", object[2..].to_uppercase());
    let base = vec![file(&upper, "base\n")];
    let local = vec![file(&upper, "local\n")];
    let remote = vec![file(&object, "remote\n")];
    let (_, _, files) = merged(&base, &local, &remote, Strategy::CatSortUniq);
    assert_eq!(files, [(object, b"local\nremote\n".to_vec())]);
}

#[test]
fn a_merge_of_records_keeps_notes_whole_in_the_tree() {
    let notes = |number: u64, text: &str| -> Notes { [(spread(number), text.as_bytes().to_vec())].into() };
    let mut twin = Twin::new();
    twin.commit_notes("refs/notes/base", None, Layout::Flat, &notes(1, "a\n\nb\n"));
    twin.commit_notes("refs/notes/local", Some("refs/notes/base"), Layout::Flat, &notes(1, "b\n\nhere\n"));
    twin.commit_notes("refs/notes/remote", Some("refs/notes/base"), Layout::Flat, &Notes::new());
    let tree = |name: &str| twin.id(&format!("refs/notes/{name}^{{tree}}"));
    let trees = Trees { base: Some(tree("base")), local: tree("local"), remote: tree("remote") };
    let merged = merge::merge(&twin.repo(), trees, Strategy::Records).unwrap();
    let note = twin.git(&["cat-file", "blob", &format!("{}:{}", merged.tree, spread(1))]);
    assert_eq!(note, "here", "what the remote removed with the note is gone, what is new stays");
}
