//! Tests that the output shown in the README is the real one.
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use testkit::World;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let world = World::new();
    let printed = world.binary("lockstep").args(["full-run", "--demo"]).success().stdout;
    let shown = block_after("cargo xtask full-run --demo");

    let printed: Vec<String> = printed.lines().map(without_what_differs).collect();
    let shown: Vec<String> = shown.lines().map(without_what_differs).collect();
    // The README leaves out the commands to try, which are long.
    assert!(shown.len() > 30, "{shown:#?}");
    assert_eq!(printed[..shown.len()], shown[..]);
}

#[test]
fn the_readme_names_every_exit_code() {
    for code in [0, 1, 2, 3, 4, 65, 69, 75, 77, 78] {
        assert!(README.contains(&format!("\n| {code} | ")), "{code} is missing");
    }
}

/// The first block of plain text after `words`.
fn block_after(words: &str) -> &'static str {
    let (_, rest) = README.split_once(words).unwrap();
    let (_, rest) = rest.split_once("```text\n").unwrap();
    rest.split_once("\n```").unwrap().0
}

/// A line without ids, dates, times, the host's name and the temporary folder.
fn without_what_differs(line: &str) -> String {
    let line = line.split("sync: auto-sync from").next().unwrap();
    line.split(' ')
        .map(|word| match word.trim_end_matches(',') {
            word if word.len() == 9 && word.bytes().all(|b| b.is_ascii_hexdigit()) => "ID",
            word if word.contains("lockstep-demo-") => "PLAYGROUND",
            word if word.starts_with("(20") => "DATE",
            word if word.parse::<f64>().is_ok() && word.contains('.') => "TIME",
            word => word,
        })
        .collect::<Vec<_>>()
        .join(" ")
}
