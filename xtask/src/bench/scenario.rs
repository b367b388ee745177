//! Prepares the scenarios that a sync is measured in.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use camino::Utf8Path;

use super::{
    fixture::Fixture,
    history::{self, Commit, NOTES},
    sandbox::Objects,
    table::thousands,
};

/// A scenario, numbered as the targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// S1.
    NothingToDo,
    /// S2.
    OneFileChanged,
    /// S3.
    Incoming,
    /// S4.
    Diverged,
    /// S5.
    Notes,
}

const MAIN: &str = "refs/heads/main";

impl Scenario {
    /// Returns its number.
    pub fn id(self) -> &'static str {
        match self {
            Self::NothingToDo => "S1",
            Self::OneFileChanged => "S2",
            Self::Incoming => "S3",
            Self::Diverged => "S4",
            Self::Notes => "S5",
        }
    }

    /// Returns what there is to do, with its sizes.
    pub fn title(self, site: &Fixture<'_>) -> String {
        let amounts = site.amounts;
        match self {
            Self::NothingToDo => "nothing to do".into(),
            Self::OneFileChanged => "one file changed".into(),
            Self::Incoming => {
                let (commits, files) = amounts.incoming;
                format!("{commits} commits, {} files to pull", thousands(commits * files))
            }
            Self::Diverged => format!("{0} local against {0} remote commits", amounts.diverged.0),
            Self::Notes => {
                let (notes, changed) = amounts.notes;
                format!("{} notes, {changed} changed on each side", thousands(notes))
            }
        }
    }

    /// Returns the target speedup over the baseline.
    pub fn target(self) -> f64 {
        match self {
            Self::NothingToDo | Self::OneFileChanged => 6.0,
            Self::Incoming => 4.0,
            Self::Diverged => 15.0,
            Self::Notes => 12.0,
        }
    }

    /// Creates the commits, in the remote and in the clone.
    pub fn arrange(self, site: &Fixture<'_>) -> anyhow::Result<()> {
        match self {
            Self::NothingToDo | Self::OneFileChanged => Ok(()),
            Self::Incoming => incoming(site),
            Self::Diverged => diverged(site),
            Self::Notes => notes(site),
        }
    }

    /// Makes the uncommitted changes, again before each run.
    pub fn edit(self, site: &Fixture<'_>) -> anyhow::Result<()> {
        if self != Self::OneFileChanged {
            return Ok(());
        }
        let path = site.clone.join(history::page(1));
        std::fs::write(&path, history::text(1, 1)).with_context(|| format!("{path} could not be written"))
    }
}

/// Creates another user's commits, spread over all areas, one of them with a message for the user.
fn incoming(site: &Fixture<'_>) -> anyhow::Result<()> {
    let (commits, files) = site.amounts.incoming;
    let stride = stride(site, commits * files);
    let changes = (0..commits).map(|number| {
        let pages = (0..files).map(|file| (number * files + file) * stride);
        let mut changes: Vec<_> = pages.map(edited).collect();
        if number == commits / 2 {
            changes.truncate(files.saturating_sub(1));
            changes.push((history::log(1), history::message(1)));
        }
        changes
    });
    on_top(site, &site.remote, Objects::Packed, MAIN, "Howard", changes)
}

/// Creates commits on each side that change different pages.
fn diverged(site: &Fixture<'_>) -> anyhow::Result<()> {
    let (commits, files) = site.amounts.diverged;
    let stride = stride(site, 2 * commits * files);
    let changes = |side: usize| {
        let of_commit = move |number| {
            (0..files).map(|file| edited((2 * (number * files + file) + side) * stride)).collect()
        };
        (0..commits).map(of_commit)
    };
    on_top(site, &site.remote, Objects::Packed, MAIN, "Howard", changes(0))?;
    on_top(site, &site.clone, Objects::Loose, MAIN, "Mike", changes(1))?;
    site.git(&["reset", "--quiet", "--hard"]).map(drop)
}

/// Creates notes on pages, which both sides have; then changes on each side, half of them to the same notes.
///
/// The clone is as its last sync left it: the remote's notes are in the tracking ref, and git has packed the objects
/// that it had written, which were more than `gc.auto` allows. The notes that were appended here since are loose
/// objects, and each has an entry in the reflog.
fn notes(site: &Fixture<'_>) -> anyhow::Result<()> {
    let (notes, changed) = site.amounts.notes;
    let objects = site.git(&["ls-tree", "-r", "--format=%(objectname)", "HEAD"])?;
    let objects: HashMap<&str, usize> = objects.lines().take(notes).zip(0..).collect();
    let all = objects.iter().map(|(object, number)| ((*object).to_owned(), note(*number))).collect();
    on_top(site, &site.clone, Objects::Packed, NOTES, "Mike", [all].into_iter())?;
    // Git gives the notes the fan-out that it gives any notes it writes.
    let mut append = site.lab.command("git", &site.clone);
    append.args(["notes", "--ref", NOTES, "append", "-m", "it stays", "HEAD"]);
    append.env("GIT_AUTHOR_DATE", history::time(1)).env("GIT_COMMITTER_DATE", history::time(1));
    ensure!(append.status().context("git could not be started")?.success(), "a note could not be appended");
    site.git(&["push", "--quiet", "origin", NOTES])?;
    site.git(&["fetch", "--quiet", "origin", "+refs/notes/mem/*:refs/notes/origin/mem/*"])?;
    site.git(&["repack", "-d", "-l", "-q"])?;

    let paths = site.git(&["ls-tree", "-r", "--name-only", NOTES])?;
    let known = paths.lines().filter_map(|path| {
        let number = objects.get(path.replace('/', "").as_str())?;
        Some((path, note(*number)))
    });
    let known: Vec<(&str, String)> = known.collect();
    // Every note is a separate commit, as with `git notes append`.
    let changes = |author: &'static str, first: usize| {
        let changed = known.iter().skip(first).take(changed);
        changed.map(move |(path, text)| vec![((*path).to_owned(), format!("{text}\ndecided by {author}\n"))])
    };
    on_top(site, &site.remote, Objects::Packed, NOTES, "Howard", changes("Howard", 0))?;
    on_top(site, &site.clone, Objects::Loose, NOTES, "Mike", changes("Mike", changed / 2))?;
    log_each(site, changed)
}

/// Writes the entries that git would have written to the reflog of the clone's notes: one for each of the last
/// `commits`, instead of the import's.
fn log_each(site: &Fixture<'_>, commits: usize) -> anyhow::Result<()> {
    let path = site.clone.join(".git/logs").join(NOTES);
    let log = std::fs::read_to_string(&path).with_context(|| format!("{path} could not be read"))?;
    let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
    lines.pop();
    let ids = site.git(&["rev-list", "--reverse", &format!("--max-count={}", commits + 1), NOTES])?;
    let ids: Vec<&str> = ids.lines().collect();
    lines.extend(ids.windows(2).zip(1..).map(|(pair, number)| {
        let by = history::signature("Mike", number);
        format!("{} {} {by}\tnotes: {}", pair[0], pair[1], history::APPENDED)
    }));
    std::fs::write(&path, lines.join("\n") + "\n").with_context(|| format!("{path} could not be written"))
}

fn note(number: usize) -> String {
    format!("decision {number}: as before\nreason: it works\n")
}

fn edited(page: usize) -> (String, String) {
    (history::page(page), history::text(page, 1))
}

/// Adds commits to a branch, and checks that they are there: with a shorter history the figures would be too good.
fn on_top(
    site: &Fixture<'_>,
    repository: &Utf8Path,
    objects: Objects,
    branch: &str,
    author: &str,
    changes: impl ExactSizeIterator<Item = Vec<(String, String)>>,
) -> anyhow::Result<()> {
    let count = || -> anyhow::Result<usize> {
        Ok(site.lab.git(repository, &["rev-list", "--count", branch])?.parse()?)
    };
    let wanted = count()? + changes.len();
    let tip = format!("{branch}^0");
    site.lab.import(repository, objects, |out| {
        changes.enumerate().try_for_each(|(number, files)| {
            // The first commit names its parent; each of the others follows the one before it.
            let from = (number == 0).then_some(tip.as_str());
            history::commit(out, Commit { on: branch, from, author, number: number + 1 }, files)
        })
    })?;
    let count = count()?;
    ensure!(count == wanted, "{branch} has {count} commits instead of {wanted}");
    Ok(())
}

/// Returns the distance between pages such that `count` pages are spread over all of them.
fn stride(site: &Fixture<'_>, count: usize) -> usize {
    (history::pages(site.amounts.files) / count).max(1)
}
