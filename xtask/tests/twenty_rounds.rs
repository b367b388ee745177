//! Tests two users who change everything they can for twenty rounds: in the end their clones agree.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use testkit::{Repo, World, assert_converged};

/// Numbers that look like chance and are the same at every run.
struct Dice(u64);

impl Dice {
    /// A number below `limit`.
    fn roll(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }
}

/// One of the two, with a folder of their own and a paragraph of their own in a page that both edit.
struct Person<'a> {
    repo: &'a Repo,
    name: &'static str,
    files: Vec<String>,
    dice: Dice,
}

impl Person<'_> {
    /// Adds, edits, deletes and renames files, and changes modes.
    fn work(&mut self, round: usize) {
        for step in 0..3 {
            let choice = self.dice.roll(5);
            match (choice, self.files.len()) {
                (0, _) | (_, 0..2) => self.add(round, step),
                (1, _) => self.edit(round),
                (2, many) => {
                    let path = self.files.remove(self.dice.roll(many));
                    self.repo.remove(&path);
                }
                (3, many) => {
                    let chosen = self.dice.roll(many);
                    let target = format!("{}/moved here/{round}-{step}.md", self.name);
                    self.repo.rename(&self.files[chosen], &target);
                    self.files[chosen] = target;
                }
                (_, many) => {
                    let path = &self.files[self.dice.roll(many)];
                    self.repo.set_executable(path, round.is_multiple_of(2));
                }
            }
        }
        self.edit_the_shared_page(round);
        // Half of the work is committed by hand, as people do.
        if round.is_multiple_of(3) {
            self.repo.commit_all(&format!("{} by hand in round {round}", self.name));
        }
        self.repo.note("refs/notes/mem/log", "origin/main", &format!("{} in round {round}", self.name));
    }

    fn add(&mut self, round: usize, step: usize) {
        let path = format!("{}/ünd {round}/{step}.md", self.name);
        let lines: String = (0..20).map(|line| format!("{round} {step} {line}\n")).collect();
        self.repo.write(&path, lines);
        self.files.push(path);
    }

    fn edit(&mut self, round: usize) {
        let chosen = self.dice.roll(self.files.len());
        let path = self.files[chosen].clone();
        let text = self.repo.read(&path).replacen('\n', &format!(" edited in {round}\n"), 1);
        self.repo.write(&path, text);
    }

    fn edit_the_shared_page(&self, round: usize) {
        let text = self.repo.read("shared.md");
        let line = |line: &str| match line.strip_prefix(self.name) {
            Some(_) => format!("{} was here in round {round}\n", self.name),
            None => format!("{line}\n"),
        };
        self.repo.write("shared.md", text.lines().map(line).collect::<String>());
    }
}

#[test]
fn two_clones_that_both_change_for_twenty_rounds_end_up_the_same() {
    let world = World::with_an_odd_path();
    let origin = world.bare("origin.git");
    let howard = world.clone_of(&origin, "howard");
    let middle = "unchanged\n".repeat(10);
    howard.write("shared.md", format!("howard\n{middle}mike\n"));
    howard.commit_all("the beginning");
    howard.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
    let mike = world.clone_of(&origin, "mike");

    let person = |repo, name, seed| Person { repo, name, files: Vec::new(), dice: Dice(seed) };
    let mut people = [person(&howard, "howard", 1), person(&mike, "mike", 2)];
    for round in 0..20 {
        for person in &mut people {
            person.work(round);
        }
        // Who comes first changes; who comes second has something to rebase.
        people.swap(0, 1);
        for person in &people {
            common::sync(person.repo);
        }
    }
    for _ in 0..2 {
        for repo in [&howard, &mike] {
            common::sync(repo);
        }
    }

    assert_converged(&[&howard, &mike, &origin]);
    assert_eq!(howard.snapshot().files, mike.snapshot().files);
    for repo in [&howard, &mike] {
        repo.assert_unlocked();
        assert!(repo.read("shared.md").contains("howard was here in round 19"));
        assert!(repo.read("shared.md").contains("mike was here in round 19"));
    }
    let notes = howard.notes("refs/notes/mem/log");
    assert!(!notes.is_empty());
    assert_eq!(notes, mike.notes("refs/notes/mem/log"));
    assert_eq!(notes, origin.notes("refs/notes/mem/log"));
}
