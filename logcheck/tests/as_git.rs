//! Tests generated repositories: `logcheck` finds the session logs that `git status` lists as uncommitted.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use std::collections::BTreeMap;

use contract::LogState;
use proptest::prelude::*;
use testkit::{Repo, Sections as _, World};

const FILES: [&str; 8] = [
    "session-logs/a.md",
    "session-logs/b c.md",
    "x/session-logs/é.md",
    "x/session-logs/deep/\"quoted\".md",
    "x/my-session-logs/a.md",
    "session-logs/a.tmp.md",
    "session-logs/a.txt",
    "plain.md",
];

/// Something that is done to a file, by its place in [`FILES`].
#[derive(Debug, Clone)]
enum Deed {
    Write(usize, u8),
    Remove(usize),
    Move(usize, usize),
    Stage(usize),
    StageAll,
    IntendToAdd(usize),
    Untrack(usize),
    Commit,
}

fn deed() -> impl Strategy<Value = Deed> {
    let file = || 0..FILES.len();
    prop_oneof![
        4 => (file(), 0..3_u8).prop_map(|(file, content)| Deed::Write(file, content)),
        2 => file().prop_map(Deed::Remove),
        2 => (file(), file()).prop_map(|(from, to)| Deed::Move(from, to)),
        3 => file().prop_map(Deed::Stage),
        1 => Just(Deed::StageAll),
        1 => file().prop_map(Deed::IntendToAdd),
        1 => file().prop_map(Deed::Untrack),
        1 => Just(Deed::Commit),
    ]
}

/// Does it, as far as it can be done: git is asked, and may refuse.
fn act(repo: &Repo, deed: &Deed) {
    match *deed {
        Deed::Write(file, content) => {
            // Contents are alike or have nothing in common, so that what counts as renamed is no matter of taste.
            repo.write(FILES[file], format!("{content}\n").repeat(10 + usize::from(content)));
        }
        Deed::Remove(file) if repo.join(FILES[file]).exists() => repo.remove(FILES[file]),
        Deed::Remove(_) => {}
        Deed::Move(from, to) => {
            let _ = std::fs::create_dir_all(repo.join(FILES[to]).parent().unwrap());
            repo.try_git(["mv", FILES[from], FILES[to]]);
        }
        Deed::Stage(file) => drop(repo.try_git(["add", "--all", "--", FILES[file]])),
        Deed::StageAll => drop(repo.git(["add", "--all"])),
        Deed::IntendToAdd(file) => drop(repo.try_git(["add", "--intent-to-add", "--", FILES[file]])),
        Deed::Untrack(file) => {
            drop(repo.try_git(["rm", "--cached", "--quiet", "--force", "--", FILES[file]]))
        }
        Deed::Commit => drop(repo.try_git(["commit", "--quiet", "--message", "more"])),
    }
}

/// What git says of the session logs. That a file is renamed rather than added depends on how alike two files are.
fn as_git_says(repo: &Repo) -> BTreeMap<String, &'static str> {
    let status = repo.git(["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"]);
    let mut logs = BTreeMap::new();
    for entry in status.split_terminator('\0') {
        let (state, path) = entry.split_at(3);
        let is_log = FILES[..6].contains(&path);
        let state = match state.as_bytes() {
            _ if !is_log => continue,
            [_, b'D', _] | [b'D', b' ', _] => continue,
            [b'?', ..] => "untracked",
            [b'A', ..] | [b' ', b'A', _] => "added",
            _ => "modified",
        };
        logs.insert(path.to_owned(), state);
    }
    logs
}

fn as_logcheck_says(repo: &Repo) -> BTreeMap<String, &'static str> {
    let document = repo.program(env!("CARGO_BIN_EXE_logcheck")).output().document();
    let state = |state| match state {
        LogState::Untracked => "untracked",
        LogState::Modified => "modified",
        LogState::Added | LogState::Renamed => "added",
    };
    document.logcheck().found.iter().map(|log| (log.path.clone(), state(log.state))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn logcheck_finds_what_git_status_finds(deeds in prop::collection::vec(deed(), 1..25)) {
        let world = World::new();
        let repo = world.init("mike");
        repo.write(".gitignore", "*.tmp.md\n");
        repo.commit_all("the beginning");
        for deed in &deeds {
            act(&repo, deed);
        }
        prop_assert_eq!(as_logcheck_says(&repo), as_git_says(&repo));
    }
}
