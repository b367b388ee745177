//! The situations that a sync finds a clone in.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use camino::Utf8Path;

use super::{
    history::{self, Commit, NOTES},
    lab::Objects,
    site::Site,
    table::thousands,
};

/// A situation, numbered as the targets are.
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
    /// Its number.
    pub fn id(self) -> &'static str {
        match self {
            Self::NothingToDo => "S1",
            Self::OneFileChanged => "S2",
            Self::Incoming => "S3",
            Self::Diverged => "S4",
            Self::Notes => "S5",
        }
    }

    /// What there is to do, with its amounts.
    pub fn title(self, site: &Site<'_>) -> String {
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

    /// How many times as fast as the baseline a run is to be.
    pub fn target(self) -> f64 {
        match self {
            Self::NothingToDo | Self::OneFileChanged => 6.0,
            Self::Incoming => 4.0,
            Self::Diverged => 15.0,
            Self::Notes => 12.0,
        }
    }

    /// Brings about what is committed: at the remote and in the clone.
    pub fn arrange(self, site: &Site<'_>) -> anyhow::Result<()> {
        match self {
            Self::NothingToDo | Self::OneFileChanged => Ok(()),
            Self::Incoming => incoming(site),
            Self::Diverged => diverged(site),
            Self::Notes => notes(site),
        }
    }

    /// Brings about what is not committed, anew before each run.
    pub fn edit(self, site: &Site<'_>) -> anyhow::Result<()> {
        if self != Self::OneFileChanged {
            return Ok(());
        }
        let path = site.clone.join(history::page(1));
        std::fs::write(&path, history::text(1, 1)).with_context(|| format!("{path} could not be written"))
    }
}

/// Somebody else's commits, spread over all areas, one of them with a message for the user.
fn incoming(site: &Site<'_>) -> anyhow::Result<()> {
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

/// Commits on each side that do not touch each other's pages.
fn diverged(site: &Site<'_>) -> anyhow::Result<()> {
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

/// Notes on pages, that both sides have; then changes on each side, half of them to the same notes.
///
/// The clone is as its last sync left it: what the remote had is in the tracking ref, and git has packed what it had
/// written, of which there were more objects than its `gc.auto` lets be. What was appended here since is not packed,
/// and each time is in the ref's log.
fn notes(site: &Site<'_>) -> anyhow::Result<()> {
    let (notes, changed) = site.amounts.notes;
    let objects = site.git(&["ls-tree", "-r", "--format=%(objectname)", "HEAD"])?;
    let objects: HashMap<&str, usize> = objects.lines().take(notes).zip(0..).collect();
    let all = objects.iter().map(|(object, number)| ((*object).to_owned(), note(*number))).collect();
    on_top(site, &site.clone, Objects::Packed, NOTES, "Mike", [all].into_iter())?;
    // Git lays the notes out in folders as it does with any that it has written itself.
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
    // Every note is a commit of its own, as `git notes append` makes them.
    let changes = |author: &'static str, first: usize| {
        let changed = known.iter().skip(first).take(changed);
        changed.map(move |(path, text)| vec![((*path).to_owned(), format!("{text}\ndecided by {author}\n"))])
    };
    on_top(site, &site.remote, Objects::Packed, NOTES, "Howard", changes("Howard", 0))?;
    on_top(site, &site.clone, Objects::Loose, NOTES, "Mike", changes("Mike", changed / 2))?;
    log_each(site, changed)
}

/// Puts into the log of the clone's notes what git would have written: a line for each of the last `commits`, in place
/// of the one of the import.
fn log_each(site: &Site<'_>, commits: usize) -> anyhow::Result<()> {
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

/// Puts commits on top of a branch, and checks that they are there: a history that is shorter than it should be would
/// make for figures as good as wrong.
fn on_top(
    site: &Site<'_>,
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
            // The first one names what it follows; each of the others follows the one before it.
            let from = (number == 0).then_some(tip.as_str());
            history::commit(out, Commit { on: branch, from, author, number: number + 1 }, files)
        })
    })?;
    let count = count()?;
    ensure!(count == wanted, "{branch} has {count} commits instead of {wanted}");
    Ok(())
}

/// How far apart `count` pages are that are spread over all there are.
fn stride(site: &Site<'_>, count: usize) -> usize {
    (history::pages(site.amounts.files) / count).max(1)
}
