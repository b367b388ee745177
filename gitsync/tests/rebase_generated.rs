//! Tests generated histories: the rebase in memory gives the same result as `git rebase`.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use proptest::prelude::*;
use testkit::Repo;
use twin::Twin;

const FILES: [&str; 5] = ["a.txt", "b.md", "dir/c.txt", "dir/sub/d.txt", "other/e.md"];

/// One commit of a generated history.
#[derive(Debug, Clone)]
enum Doing {
    /// Change a line of a file, or write it where it is not there.
    Edit { file: usize, line: usize, text: u8 },
    /// Add a line to the end of a file.
    Append { file: usize, text: u8 },
    /// Remove a file.
    Remove { file: usize },
    /// Move a file to another name.
    Rename { file: usize },
    /// Make a file executable, or no longer.
    Mode { file: usize, executable: bool },
    /// Nothing, in a commit of its own.
    Empty,
    /// What the other side's newest commit does.
    Pick,
    /// A commit on a side branch, merged.
    Merge { file: usize, line: usize, text: u8 },
}

fn doing() -> impl Strategy<Value = Doing> {
    let file = 0..FILES.len();
    let line = 0..12usize;
    let text = 0..4u8;
    prop_oneof![
        6 => (file.clone(), line.clone(), text.clone()).prop_map(|(file, line, text)| Doing::Edit { file, line, text }),
        3 => (file.clone(), text.clone()).prop_map(|(file, text)| Doing::Append { file, text }),
        1 => file.clone().prop_map(|file| Doing::Remove { file }),
        1 => file.clone().prop_map(|file| Doing::Rename { file }),
        1 => (file.clone(), any::<bool>()).prop_map(|(file, executable)| Doing::Mode { file, executable }),
        1 => Just(Doing::Empty),
        2 => Just(Doing::Pick),
        1 => (file, line, text).prop_map(|(file, line, text)| Doing::Merge { file, line, text }),
    ]
}

fn content(file: usize) -> String {
    (0..12).map(|line| format!("line {line} of {file}\n")).collect()
}

fn edit(repo: &Repo, file: usize, line: usize, text: u8) {
    let path = FILES[file];
    let old = std::fs::read_to_string(repo.join(path)).unwrap_or_else(|_| content(file));
    let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
    let at = line.min(lines.len().saturating_sub(1));
    if let Some(line) = lines.get_mut(at) {
        *line = format!("changed to {text}");
    }
    repo.write(path, lines.join("\n") + "\n");
}

fn commit(repo: &Repo, message: &str) {
    repo.git(["add", "-A"]);
    repo.git(["commit", "--quiet", "--allow-empty", "-m", message]);
}

fn act(repo: &Repo, doing: &Doing, number: usize, other: &str) {
    let exists = |file: usize| repo.join(FILES[file]).exists();
    match doing {
        Doing::Edit { file, line, text } => edit(repo, *file, *line, *text),
        Doing::Append { file, text } => repo.append(FILES[*file], format!("appended {text}\n")),
        Doing::Remove { file } if exists(*file) => repo.remove(FILES[*file]),
        Doing::Rename { file } if exists(*file) => {
            repo.rename(FILES[*file], &format!("moved/{number}-{file}.txt"))
        }
        Doing::Mode { file, executable } if exists(*file) => repo.set_executable(FILES[*file], *executable),
        Doing::Pick => {
            if repo.try_git(["cherry-pick", "--allow-empty", other]).code != 0 {
                repo.try_git(["cherry-pick", "--abort"]);
            }
            return;
        }
        Doing::Merge { file, line, text } => {
            let branch = repo.git(["branch", "--show-current"]);
            repo.git(["switch", "--quiet", "-c", &format!("side-{branch}-{number}")]);
            edit(repo, *file, *line, *text);
            commit(repo, &format!("on the side {number}"));
            repo.git(["switch", "--quiet", &branch]);
            commit(repo, &format!("meanwhile {number}"));
            repo.git(["merge", "--quiet", "--no-edit", &format!("side-{branch}-{number}")]);
            return;
        }
        Doing::Empty | Doing::Remove { .. } | Doing::Rename { .. } | Doing::Mode { .. } => {}
    }
    commit(repo, &format!("change {number}"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_two_histories_are_joined_as_git_joins_them(
        theirs in prop::collection::vec(doing(), 1..5),
        ours in prop::collection::vec(doing(), 1..6),
    ) {
        let twin = Twin::new(|repo| {
            for (number, path) in FILES.iter().enumerate() {
                repo.write(path, content(number));
            }
        });
        // One side after the other, but the upstream in two halves, so that each can pick from the other.
        let (early, late) = theirs.split_at(theirs.len() / 2);
        twin.theirs(|repo| early.iter().enumerate().for_each(|(number, doing)| act(repo, doing, number, "main")));
        twin.ours(|repo| ours.iter().enumerate().for_each(|(number, doing)| act(repo, doing, 10 + number, "upstream")));
        twin.theirs(|repo| late.iter().enumerate().for_each(|(number, doing)| act(repo, doing, 20 + number, "main")));
        twin.assert_same();
    }
}
