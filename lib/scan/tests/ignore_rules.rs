//! Tests generated ignore rules: what the scan finds in a work tree is what `git ls-files --others` finds.
//!
//! A file that git ignores is one that its owner wants to keep: a run must not commit it because a rule is read in
//! another way. So the rules are odd on purpose.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use scan::{Everything, Sparse, Status};
use testkit::{Repo, World};

/// The work tree: names that patterns take apart, and folders within folders.
const FILES: [&str; 28] = [
    "a",
    "ab",
    "abc",
    "A.txt",
    "a.txt",
    "a b",
    "a ",
    "ab ",
    "!a",
    "#a",
    "a\\b",
    "[a]",
    "a*b",
    "a-b",
    "]",
    "b/a",
    "b/ab/a",
    "ab.d/a",
    "ab.d/x/y/b",
    "abx/b",
    "c/b",
    "c/a.txt",
    "c/d/e/a.txt",
    "c/d/b",
    "C/d/b",
    "$a",
    "a\rb",
    "é/a",
];

/// What patterns are made of.
const PIECES: [&str; 38] = [
    "a",
    "b",
    "ab",
    "c",
    "d",
    "x",
    "A",
    "C",
    "*",
    "*",
    "*",
    "**",
    "**",
    "***",
    "?",
    "/",
    "/",
    "/",
    "/**/",
    "**/",
    "/**",
    "\\",
    "\\*",
    " ",
    "\\ ",
    "!",
    "#",
    "[ab]",
    "[!a]",
    "[^b-]",
    "[[:alpha:]]",
    "[[:upper:]]",
    "[A-C]",
    "[a",
    "[]-a]",
    ".txt",
    "\r",
    "$",
];

const RULE_FILES: [&str; 6] =
    [".gitignore", "c/.gitignore", "c/d/.gitignore", "ab.d/.gitignore", ".git/info/exclude", ".git/rules"];

fn rules() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(vec!["", "", "", "", "!", "!", "/", "!/", "#", "\\!", "\\#", "\u{feff}"]);
    let end = prop::sample::select(vec!["", "", "", "", "/", "/", "  ", "\r", "\\"]);
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..6);
    let line = (sign, pieces, end).prop_map(|(sign, pieces, end)| format!("{sign}{}{end}", pieces.concat()));
    (prop::collection::vec(line, 1..6), any::<bool>())
        .prop_map(|(lines, ends)| lines.join("\n") + if ends { "\n" } else { "" })
}

fn found(repo: &Repo) -> BTreeSet<String> {
    let gix = gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap();
    let index = scan::Index::read(&gix, &gix.index_path()).unwrap();
    let found = scan::scan(&gix, &index, &Everything, &|_| ()).unwrap().differences;
    let new = found.into_iter().filter(|one| one.seen == Status::Untracked);
    new.map(|one| one.path.to_string()).collect()
}

fn paths(out: &str) -> BTreeSet<String> {
    out.split_terminator('\0').map(ToOwned::to_owned).collect()
}

fn repo_with_files(world: &World) -> Repo {
    let repo = world.init("mike");
    for file in FILES {
        repo.write(file, "1\n");
    }
    repo.git(["config", "core.excludesFile", repo.join(".git/rules").as_str()]);
    repo
}

fn assert_as_git_says(repo: &Repo) -> Result<(), TestCaseError> {
    let gits = paths(&repo.git(["ls-files", "-z", "--others", "--exclude-standard"]));
    let ours = found(repo);
    let more: Vec<_> = ours.difference(&gits).collect();
    let less: Vec<_> = gits.difference(&ours).collect();
    prop_assert!(more.is_empty() && less.is_empty(), "ignored by git: {more:?}; found by git: {less:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("LOCKSTEP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_rules_are_the_scan_ignores_what_git_ignores(
        files in prop::collection::vec((0..RULE_FILES.len(), rules()), 1..4),
        tracked in prop::collection::vec(0..FILES.len(), 0..3),
        ignores_case in any::<bool>(),
    ) {
        let world = World::new();
        let repo = repo_with_files(&world);
        for file in tracked {
            repo.git(["add", "--force", "--", FILES[file]]);
        }
        repo.git(["config", "core.ignoreCase", if ignores_case { "true" } else { "false" }]);
        for (file, rules) in &files {
            repo.write(RULE_FILES[*file], rules);
        }
        assert_as_git_says(&repo)?;
    }

    #[test]
    fn whatever_the_patterns_of_a_sparse_checkout_are_it_has_the_files_that_git_has(
        patterns in rules(),
        ignores_case in any::<bool>(),
    ) {
        let world = World::new();
        let repo = repo_with_files(&world);
        repo.commit_all("all");
        repo.git(["config", "core.ignoreCase", if ignores_case { "true" } else { "false" }]);
        repo.git(["config", "core.sparseCheckout", "true"]);
        repo.git(["config", "core.sparseCheckoutCone", "false"]);
        repo.write(".git/info/sparse-checkout", &patterns);
        let all = paths(&repo.git(["ls-files", "-z"]));
        repo.git(["read-tree", "-m", "-u", "HEAD"]);
        let out = repo.git(["ls-files", "-z", "-t"]);
        let gits: BTreeSet<_> =
            out.split_terminator('\0').filter_map(|line| line.strip_prefix("H ")).map(ToOwned::to_owned).collect();
        let gix = gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap();
        let sparse = Sparse::of(&gix).unwrap();
        let ours: BTreeSet<_> = all.into_iter().filter(|path| sparse.contains(path.as_str().into())).collect();
        prop_assert_eq!(ours, gits);
    }
}

#[test]
fn rules_that_others_read_in_another_way_are_read_as_git_reads_them() {
    let cases = [
        ("a last line that ends without a line feed", "ab\r", vec!["ab"]),
        ("stars behind a text", "ab**/b", vec!["ab.d/x/y/b", "abx/b"]),
        ("stars behind a text at the end", "c/**", vec!["c/b", "c/d/b", "c/a.txt"]),
        ("an escaped slash", "c\\/b", vec!["c/b"]),
    ];
    for (what, rules, ignored) in cases {
        let world = World::new();
        let repo = repo_with_files(&world);
        repo.write(".gitignore", rules);
        assert_as_git_says(&repo).unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = found(&repo);
        for path in ignored {
            assert!(!found.contains(path), "{what}: {path}");
        }
    }
}

#[test]
fn a_pipe_in_place_of_the_rules_is_none_of_them_and_nobody_waits_for_it() {
    let world = World::new();
    let repo = repo_with_files(&world);
    repo.program("mkfifo").args([repo.join("c/.gitignore").as_str()]).output().assert_success();
    assert!(found(&repo).contains("c/b"));
}
