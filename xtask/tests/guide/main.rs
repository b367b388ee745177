//! Runs every command of the README and of the pages below docs, and checks every option that they name.
//!
//! A command that is copied from a page and fails costs its reader more than a page without it. So each fenced block
//! runs in a world that looks like its reader's: a clone with something to commit, a vault, a colleague, and the
//! programs on `PATH`. The words after a fence's language say what a block needs and what its result is; they are not
//! rendered.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod blocks;
mod home;

use std::{collections::BTreeMap, path::Path};

use blocks::{Block, Page};
use home::Home;

#[test]
fn the_readme_runs() {
    run("README.md");
}

#[test]
fn the_guide_runs() {
    run("docs/guide.md");
}

#[test]
fn the_pipeline_by_hand_runs() {
    let home = run("docs/pipeline.md");
    assert!(
        home.mail().contains("Howard, 2026-06-05: Note for Mike"),
        "messages were to be mailed: {}",
        home.mail()
    );
}

#[test]
fn the_way_from_a_sync_script_runs() {
    run("docs/migration.md");
}

#[test]
fn troubleshooting_runs() {
    run("docs/troubleshooting.md");
}

#[test]
fn what_the_other_pages_have_to_run_runs() {
    let told =
        ["README.md", "docs/guide.md", "docs/pipeline.md", "docs/migration.md", "docs/troubleshooting.md"];
    let others = Page::all().into_iter().filter(|page| !told.contains(&page.name.as_str()));
    for page in others.filter(|page| page.blocks().iter().any(Block::is_to_be_run)) {
        run(&page.name);
    }
}

#[test]
fn every_option_that_the_pages_name_exists() {
    let home = Home::new();
    let mut helps = BTreeMap::new();
    let mut wrong = Vec::new();
    for page in Page::all() {
        for (command, options) in page.mentions() {
            let help = helps.entry(command.clone()).or_insert_with(|| home.help(&command));
            for option in options.iter().filter(|option| !has(help, option)) {
                wrong.push(format!("{}: `{}` has no {option}", page.name, command.join(" ")));
            }
        }
    }
    assert!(helps.len() > 8, "where are the commands? {:?}", helps.keys());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_block_of_code_is_fenced() {
    let indented: Vec<String> = Page::all().iter().flat_map(Page::indented_code).collect();
    assert!(indented.is_empty(), "nothing says what these are: {indented:#?}");
}

#[test]
fn every_link_between_the_pages_and_every_file_that_they_name_is_there() {
    let pages = Page::all();
    let mut wrong = Vec::new();
    for page in &pages {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let gone = page.files().into_iter().filter(|file| !root.join(file).exists());
        wrong.extend(gone.map(|file| format!("{}: `{file}`", page.name)));
        for (file, heading) in page.links() {
            let target = page.beside(&file);
            let known = pages.iter().find(|other| other.path == target);
            let there = match (known, &heading) {
                (Some(other), Some(heading)) => other.anchors().contains(heading),
                (Some(_), None) => true,
                (None, _) => target.exists(),
            };
            if !there {
                wrong.push(format!(
                    "{}: {file}{}",
                    page.name,
                    heading.map(|h| format!("#{h}")).unwrap_or_default()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Runs all blocks of a page, in their order, in one world.
#[track_caller]
fn run(name: &str) -> Home {
    let page = Page::all().into_iter().find(|page| page.name == name).unwrap();
    let blocks = page.blocks();
    let home = Home::new();
    if name == "docs/guide.md" {
        home.forget_the_clone();
    }
    let mut wrong = Vec::new();
    for block in blocks.iter().filter(|block| block.is_to_be_run()) {
        if let Err(why) = prove(&home, block) {
            wrong.push(format!("{name}, line {}: {why}", block.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    home
}

fn prove(home: &Home, block: &Block) -> Result<(), String> {
    home.prepare(block.word("setup").as_deref());
    let expected: i32 = block.word("exit").map_or(0, |code| code.parse().unwrap());
    for script in block.script() {
        let output = home.shell(&script, block.stdin());
        if output.code != expected {
            return Err(format!("expected {expected} of\n{script}\nand got {output}"));
        }
    }
    Ok(())
}

/// Whether a help text names an option, and not merely one that begins like it.
fn has(help: &str, option: &str) -> bool {
    help.match_indices(option).any(|(at, _)| {
        let after = help[at + option.len()..].chars().next();
        !after.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    })
}
