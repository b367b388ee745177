//! Property test: merges of generated trees end as git's merges do, with the same tree or with a conflict.
//!
//! Files are moved, copied, swapped, changed a little or a lot, and made executable or links, alone or with their
//! directory, and the settings for renames vary.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use proptest::prelude::*;
use testkit::World;

use crate::rebase::merge::{Merged, Merger};

const PATHS: [&str; 9] =
    ["a", "b", "dir/a", "dir/b", "dir/sub/a", "dir/sub/b", "other/a", "other/sub/a", "other/sub/b"];
/// Targets of renames, and paths that are a directory on one side and a file on the other.
const PLACES: [&str; 10] =
    ["a", "c", "dir", "dir/c", "dir/sub", "dir/sub/c", "other", "new", "new/dir", "a/in/a/file"];
const FOLDERS: [&str; 4] = ["dir", "dir/sub", "other", "other/sub"];

type Files = BTreeMap<String, (EntryKind, String)>;

/// A change that one side makes.
#[derive(Debug, Clone)]
enum Doing {
    /// Writes a file, whether or not there was one, also in the place of a directory.
    Write { path: &'static str, kind: u8, tweak: u8 },
    /// Removes a file.
    Remove { path: &'static str },
    /// Moves a file.
    Move { from: &'static str, to: &'static str },
    /// Copies a file, and perhaps changes the copy.
    Copy { from: &'static str, to: &'static str, tweak: u8 },
    /// Makes two files change places.
    Swap { one: &'static str, other: &'static str },
    /// Changes every third line and those that follow, which leaves more or less of the file.
    Rework { path: &'static str, lines: u8 },
    /// Makes a file executable, or a link.
    Turn { path: &'static str, kind: EntryKind },
    /// Moves all files of a directory.
    MoveFolder { from: &'static str, to: &'static str },
    /// The same, and changes them.
    MoveAndChange { from: &'static str, to: &'static str, tweak: u8 },
}

fn doing() -> impl Strategy<Value = Doing> {
    let path = || prop::sample::select(PATHS.to_vec());
    let place = || prop::sample::select(PLACES.to_vec());
    let folder = || prop::sample::select(FOLDERS.to_vec());
    prop_oneof![
        4 => (path(), 0..9u8, 0..3u8).prop_map(|(path, kind, tweak)| Doing::Write { path, kind, tweak }),
        2 => (place(), 0..9u8, 0..3u8).prop_map(|(path, kind, tweak)| Doing::Write { path, kind, tweak }),
        2 => path().prop_map(|path| Doing::Remove { path }),
        2 => (path(), place()).prop_map(|(from, to)| Doing::Move { from, to }),
        1 => (path(), place(), 0..3u8).prop_map(|(from, to, tweak)| Doing::Copy { from, to, tweak }),
        1 => (path(), path()).prop_map(|(one, other)| Doing::Swap { one, other }),
        2 => (path(), 1..4u8).prop_map(|(path, lines)| Doing::Rework { path, lines }),
        2 => (place(), 1..4u8).prop_map(|(path, lines)| Doing::Rework { path, lines }),
        1 => (path(), prop::sample::select(vec![EntryKind::BlobExecutable, EntryKind::Link]))
            .prop_map(|(path, kind)| Doing::Turn { path, kind }),
        2 => (folder(), place()).prop_map(|(from, to)| Doing::MoveFolder { from, to }),
        1 => (folder(), place(), 1..3u8)
            .prop_map(|(from, to, tweak)| Doing::MoveAndChange { from, to, tweak }),
    ]
}

/// Files of one kind are similar enough to be detected as one file that was renamed and changed.
fn content(kind: u8, tweak: u8) -> String {
    (0..9).map(|line| format!("{kind} {line} {}\n", if line == 4 { tweak } else { 0 })).collect()
}

fn put(files: &mut Files, path: &str, file: (EntryKind, String)) {
    files.retain(|other, _| !is_in(other, path) && !is_in(path, other));
    files.insert(path.to_owned(), file);
}

fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn act(files: &mut Files, doing: &Doing) {
    match *doing {
        Doing::Write { path, kind, tweak } => put(files, path, (EntryKind::Blob, content(kind, tweak))),
        Doing::Remove { path } => drop(files.remove(path)),
        Doing::Move { from, to } => {
            if let Some(file) = files.remove(from) {
                put(files, to, file);
            }
        }
        Doing::Copy { from, to, tweak } => {
            if let Some((kind, content)) = files.get(from).cloned() {
                put(files, to, (kind, content.replace(" 6 0", &format!(" 6 {tweak}"))));
            }
        }
        Doing::Swap { one, other } => {
            if let (true, Some(first)) = (files.contains_key(other), files.get(one).cloned()) {
                let second = files.insert(other.to_owned(), first);
                files.extend(second.map(|second| (one.to_owned(), second)));
            }
        }
        Doing::Rework { path, lines } => {
            if let Some((_, content)) = files.get_mut(path) {
                let changed = |(at, line): (usize, &str)| {
                    if at % 3 < lines.into() { format!("reworked {at}\n") } else { format!("{line}\n") }
                };
                *content = content.lines().enumerate().skip(1).map(changed).collect();
            }
        }
        Doing::Turn { path, kind } => {
            if let Some((before, _)) = files.get_mut(path) {
                *before = kind;
            }
        }
        Doing::MoveFolder { from, to } => move_folder(files, from, to, str::to_owned),
        Doing::MoveAndChange { from, to, tweak } => {
            move_folder(files, from, to, |content| content.replace(" 6 0", &format!(" 6 {tweak}")))
        }
    }
}

fn move_folder(files: &mut Files, from: &str, to: &str, changed: impl Fn(&str) -> String) {
    let (moved, stays): (Files, Files) =
        std::mem::take(files).into_iter().partition(|(path, _)| is_in(path, from));
    *files = stays;
    for (path, (kind, content)) in moved {
        put(files, &format!("{to}{}", &path[from.len()..]), (kind, changed(&content)));
    }
}

fn tree(repo: &gix::Repository, files: &Files) -> ObjectId {
    let mut editor = repo.edit_tree(repo.object_hash().empty_tree()).unwrap();
    for (path, (kind, content)) in files {
        let id = repo.write_blob(content).unwrap();
        editor.upsert(path.as_str(), *kind, id).unwrap();
    }
    editor.write().unwrap().detach()
}

/// Whether git may lose a change: both sides have the same new file, and one of them renamed another file to it.
fn may_git_lose_a_change(before: &Files, ours: &Files, theirs: &Files) -> bool {
    ours.iter().any(|(path, file)| !before.contains_key(path) && theirs.get(path) == Some(file))
}

/// The settings for renames, which are those of a repository.
fn settings() -> impl Strategy<Value = (&'static str, &'static str)> {
    let wish = prop::sample::select(vec!["true", "false", "conflict"]);
    let limit = prop::sample::select(vec!["0", "1", "2", "4", "7000"]);
    (wish, limit)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_merge_ends_as_git_s_does(
        sides in prop::collection::vec(
            (prop::collection::vec(doing(), 1..4), prop::collection::vec(doing(), 1..4)),
            12,
        ),
        (wish, limit) in settings(),
    ) {
        let world = World::new();
        let origin = world.init("mike");
        origin.git(["config", "merge.directoryRenames", wish]);
        origin.git(["config", "merge.renameLimit", limit]);
        let repo = gix::open_opts(origin.path().as_std_path(), gix::open::Options::isolated()).unwrap();
        let before: Files =
            PATHS.iter().zip(0..).map(|(path, kind)| ((*path).to_owned(), (EntryKind::Blob, content(kind, 0)))).collect();
        let base = tree(&repo, &before);
        for (ours, theirs) in &sides {
            let side = |doings: &[Doing]| {
                let mut files = before.clone();
                doings.iter().for_each(|doing| act(&mut files, doing));
                files
            };
            let (ours, theirs) = (side(ours), side(theirs));
            let may_git_lose_a_change = may_git_lose_a_change(&before, &ours, &theirs);
            let (ours, theirs) = (tree(&repo, &ours), tree(&repo, &theirs));
            let git = origin.try_git([
                "merge-tree",
                "--write-tree",
                &format!("--merge-base={base}"),
                &ours.to_string(),
                &theirs.to_string(),
            ]);
            if (git.stdout.is_empty() && git.stderr.is_empty()) || git.stderr.contains("Assertion") {
                // Git itself breaks down in some of these merges, about one in some thousand.
                continue;
            }
            match Merger::new(&repo, &()).merge(base, ours, theirs).unwrap() {
                Merged::Clean(merged) => {
                    prop_assert_eq!(git.code, 0, "git has a conflict: {}{}", git.stdout, git.stderr);
                    prop_assert_eq!(git.stdout.trim(), merged.to_string());
                }
                Merged::Conflict(disputed) => {
                    let has_none = git.code == 0 && !may_git_lose_a_change;
                    prop_assert!(!has_none, "git has no conflict, we have one in {:?}", disputed.paths);
                }
            }
        }
    }
}
